"""A fault in a page or an example fails the build, twice, and names the page's line and the example's own."""

from __future__ import annotations

from html import unescape

from small_site import Project

INDEX = "Site\n====\n\n.. toctree::\n   :glob:\n\n   *\n"
GOOD = '"""Good"""\n\n# %% say\nprint("said by the run")\n'


def test_output_comes_from_the_run_and_an_unchanged_site_executes_nothing(project: Project) -> None:
    project.write(index=INDEX, page="Page\n====\n\n.. cells:: good.py say\n", good_py=GOOD)
    first = project.build()
    assert (first.code, first.errors) == (0, "")
    assert "said by the run" in first.page("page")
    assert (first.site / "examples/good.py").read_text(encoding="utf-8") == GOOD
    assert "said by the run" in (first.site / "examples/good.ipynb").read_text(encoding="utf-8")

    again = project.build({"PYTHONPROFILEIMPORTTIME": "1"})
    assert again.code == 0
    imported = {line.rpartition("|")[2].strip() for line in again.errors.splitlines()}
    assert "sphinx" in imported and not imported & {"torch", "transformers", "ipykernel"}


def test_a_failing_example_fails_every_build(project: Project) -> None:
    boom = 'print("last words")\nraise ValueError("no way")\n'
    bad = f'"""Bad"""\n\n# %% before\nx = 1\n\n# %% boom\n{boom}\n# %% after\nprint(x)\n'
    project.write(
        index=INDEX,
        page="Page\n====\n\nText.\n\n.. cells:: bad.py before boom\n\n.. cells:: bad.py after\n",
        bad_py=bad,
        other="Other\n=====\n\n.. cells:: good.py say\n",
        good_py=GOOD,
    )
    for _ in range(2):
        built = project.build()
        assert built.code != 0
        assert "docs/page.rst:6: ERROR: examples/bad.py:8: cell 'boom' failed: ValueError: no way" in built.errors
        assert "last words" in built.errors
        assert "said by the run" in built.page("other"), "the rest is built"
        page = unescape(built.page("page"))
        assert "ValueError: no way" in page
        assert page.count("cell-not-run") == 2, "the cell that failed, and the one after it that did not run"

    project.write(bad_py=bad.replace('raise ValueError("no way")\n', ""))
    mended = project.build()
    assert (mended.code, mended.errors) == (0, "")
    assert "cell-not-run" not in mended.page("page")


def test_faults_of_pages_are_named_with_their_line(project: Project) -> None:
    project.write(
        index=INDEX,
        missing_cell="Page\n====\n\n.. cells:: good.py nope\n",
        missing_example="Page\n====\n\n.. cells:: nope.py say\n",
        typed="Page\n====\n\n.. code-block:: python\n\n   print(1)\n",
        literal="Page\n====\n\nTyped output::\n\n   1\n",
        excused="Page\n====\n\n.. not-run:: bash\n   :reason: no card here\n\n   npu-smi\n",
        unexcused="Page\n====\n\n.. not-run:: bash\n\n   npu-smi\n",
        variants="Page\n====\n\n.. by-host:: hub\n\n   .. when:: modelscope\n\n      Text.\n",
        choice="Page\n====\n\n.. by-host:: city\n\n   Text.\n",
        good_py=GOOD + "\n# %% unseen\nprint(1)\n",
    )
    built = project.build()
    assert built.code != 0
    for said in (
        "docs/missing_cell.rst:4: ERROR: good.py has no cell 'nope'; it has say, unseen",
        "docs/missing_example.rst:4: ERROR: there is no examples/nope.py",
        "docs/typed.rst:4: ERROR: typed code or output",
        "docs/literal.rst:6: ERROR: typed code or output",
        "docs/unexcused.rst:4: ERROR: say why it did not run here",
        "docs/variants.rst:4: ERROR: write for every hub what holds for it, and nothing else: '.. when:: huggingface'",
        "docs/choice.rst:4: ERROR: there is no choice 'city'; there are cann, host, cards, hub, model",
        "examples/good.py:7: ERROR: no page shows cell 'unseen'",
    ):
        assert said in built.errors, built.errors
    assert "docs/excused.rst" not in built.errors


def test_an_unreadable_example_stops_the_build_with_its_line(project: Project) -> None:
    project.write(index=INDEX, bad_py='"""Bad"""\n\n# %% a\n1 +\n')
    built = project.build()
    assert built.code != 0 and "examples/bad.py:4: invalid syntax" in built.errors
