"""What a page says of the real 8B comes from a rehearsal of exactly the lines it shows, or the build is red."""

from __future__ import annotations

from html import unescape

import pytest
from small_site import Project

INDEX = "Site\n====\n\n.. toctree::\n   :glob:\n\n   *\n"
PAGE = "Page\n====\n\n.. at-8b:: x.py\n\n.. cells:: x.py model train\n"
MODEL = 'model_id = "HuggingFaceTB/SmolLM2-135M-Instruct"\n'
EXAMPLE = f'"""X"""\n\n# %% model\n{MODEL}dtype = "float32"\n\n# %% train\nprint(model_id)\n'
CHANGE = "\n[[change]]\nold = 'dtype = \"float32\"'\nnew = 'dtype = \"bfloat16\"'\n"


def write(project: Project, rehearsal: str, example: str = EXAMPLE) -> None:
    project.write(index=INDEX, page=PAGE, x_py=example)
    (project.folder / "rehearsals").mkdir(exist_ok=True)
    (project.folder / "rehearsals/x.py.toml").write_text(rehearsal, encoding="utf-8")


@pytest.mark.parametrize(
    ("rehearsal", "example", "said"),
    [
        ("fit = true", EXAMPLE, "fit is not known; there are cards, change, fits, instead"),
        ("fits =", EXAMPLE, "x.py.toml: Invalid value"),
        ("cards = [1]", EXAMPLE, "say what the page announces: fits = true, fits = false, or the numbers of cards"),
        ("fits = true\ncards = [0]", EXAMPLE, "cards are ascending numbers from 1 to 8, as in [1, 2, 4, 8], not [0]"),
        ("fits = [4]\ncards = [1, 2]", EXAMPLE, "it is said to fit on 4 cards, which are not among those rehearsed"),
        ("fits = false\ninstead = 'y.py'", EXAMPLE, "instead = 'y.py' must be an example"),
        ("fits = true\ninstead = 'x.py'", EXAMPLE, "this one must not fit on one card itself"),
        (f"fits = true\n{CHANGE}", EXAMPLE.replace("float32", "float64"), "0 times instead of once: 'dtype = \"float"),
        (f"fits = true\n{CHANGE}", EXAMPLE + 'dtype = "float32"\n', "2 times instead of once: 'dtype = \"float32\"'"),
        ("fits = true\n[[change]]\nold = 'dtype'", EXAMPLE, "a [[change]] has an old text and a new text"),
        ("fits = true", EXAMPLE.replace(MODEL, ""), 'the example needs one line model_id = "..."'),
        (f"fits = true\n{CHANGE}".replace("'dtype = \"bf", "'= \"bf"), EXAMPLE, "examples/x.py:5: invalid syntax"),
    ],
)
def test_a_fault_of_a_rehearsal_is_one_sentence(project: Project, rehearsal: str, example: str, said: str) -> None:
    write(project, rehearsal, example)
    built = project.build()
    assert built.code != 0 and "rehearsals/x.py.toml: " in built.errors and said in built.errors, built.errors
    assert "Traceback" not in built.errors


def test_a_rehearsal_belongs_to_an_example_and_to_a_page(project: Project) -> None:
    write(project, "fits = true")
    project.write(page=PAGE.replace("at-8b:: x.py", "at-8b:: y.py"))
    built = project.build()
    assert "docs/page.rst:4: ERROR: y.py is not rehearsed; write rehearsals/y.py.toml" in built.errors
    assert "rehearsals/x.py.toml:1: ERROR: no page shows this rehearsal" in built.errors
    (project.folder / "rehearsals/z.py.toml").write_text("fits = true", encoding="utf-8")
    assert "there is no example z.py" in project.build().errors


def test_the_lines_to_change_are_those_that_were_rehearsed(project: Project) -> None:
    write(project, "fits = true")
    page = unescape(project.build().page("page"))
    assert "只改一行" in page and "meta-llama/Meta-Llama-3-8B-Instruct" in page
    write(project, f"fits = true\n{CHANGE}")
    page = unescape(project.build().page("page"))
    for line in ('- dtype = "float32"', '+ dtype = "bfloat16"', "# %% model"):
        assert line in page, line
