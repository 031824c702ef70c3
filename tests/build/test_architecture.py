"""The rooms of the code keep apart, as the page about them says."""

from __future__ import annotations

from html import unescape
from pathlib import Path

import pytest
from small_site import ROOT, Project

from guide.facts.architecture import PACKAGES, imported, imports, levels
from guide.facts.trials import trials


def test_extensions_and_engine_know_no_stand_in_and_nothing_goes_round() -> None:
    graph = imports(ROOT)
    assert "engine/kernel" in graph["engine"] and "guide/runs" in graph["guide/facts"]  # it sees imports at all
    assert levels(graph)["guide/facts"] > levels(graph)["engine"] > levels(graph)["engine/values"]
    for room, others in graph.items():
        if not room.startswith("standins"):
            assert not [other for other in others if other.startswith("standins")], room


def test_no_example_imports_anything_of_ours() -> None:
    for file in (ROOT / "examples").glob("*.py"):
        assert not [name for name in imported(file, ()) if name.partition(".")[0] in PACKAGES], file.name


def test_a_circle_is_named(tmp_path: Path) -> None:
    for name, other in {"engine/a": "engine.b", "engine/b": "engine.a"}.items():
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "x.py").write_text(f"from {other} import x\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"in a circle: engine/. -> engine/. -> engine/."):
        levels(imports(tmp_path))


def test_a_file_that_is_gone_is_an_error_of_the_page(project: Project) -> None:
    project.write(index="Site\n====\n\nSee :code-of:`engine/session.py` and :code-of:`engine/gone.py`.\n")
    built = project.build()
    assert built.code == 1 and "index.rst:4: ERROR: there is no engine/gone.py" in built.errors


@pytest.mark.parametrize("file", sorted((ROOT / "docs/_ext/guide/facts").glob("*.py")), ids=lambda file: file.name)
def test_a_directive_of_facts_is_in_the_file_of_its_name(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count("app.add_directive(") == text.count(f'app.add_directive("{file.stem.replace("_", "-")}"')


def test_what_was_tried_on_hosts_comes_from_the_tests(project: Project) -> None:
    project.write(index="Site\n====\n\n.. trials::\n")
    built = project.build()
    assert built.code == 0, built.errors
    page = unescape(built.page("index"))
    found = trials(ROOT)
    assert len({trial.tried for trial in found}) >= 20  # those of the first walk over hosts of every kind
    assert all(trial.tried in page and trial.now in page for trial in found)


def test_a_trial_is_its_mark_and_the_first_words_of_the_test(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    text = '@pytest.mark.trial("a host")\ndef test_x():\n    """It\n    works.\n\n    Why.\n    """\n'
    (tmp_path / "tests/test_x.py").write_text(text)
    (trial,) = trials(tmp_path)
    assert (trial.tried, trial.now, trial.test) == ("a host", "It works.", "tests/test_x.py::test_x")
