"""What can not be read is refused, with the line to mend."""

from __future__ import annotations

from pathlib import Path

import jupytext
import pytest

from engine.values.example import SUFFIXES, ExampleError, read

EXAMPLES = sorted(path for path in (Path(__file__).parents[2] / "examples").iterdir() if path.suffix in SUFFIXES)


def example(tmp_path: Path, text: str, name: str = "x.py") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_cells_know_their_names_and_lines(tmp_path: Path) -> None:
    path = example(tmp_path, '"""分词器 · Tokenizer\n\nMore.\n"""\n\n# %% load\nimport os\n\n\n# %% use\n\nprint(os)\n')
    found = read(path)
    assert found.title == "分词器 · Tokenizer"
    assert [(cell.name, cell.line, cell.source) for cell in found.cells] == [
        ("load", 7, "import os"),
        ("use", 12, "print(os)"),
    ]


def test_a_notebook_of_the_same_text_is_the_same(tmp_path: Path) -> None:
    path = example(tmp_path, '"""T"""\n\n# %% a\n1\n')
    assert read(path).notebook() == read(path).notebook()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# %% a\n1\n", "x.py:1: begin with the title"),
        ('"""T"""\nprint(1)\n', "x.py:1: no cell found"),
        ('"""T"""\n\n# %%\n1\n', "x.py:3: this cell has no name"),
        ('"""T"""\n\n# %% a\n1\n\n# %% a\n2\n', "x.py:3: two cells are called 'a'"),
        ('"""T"""\n\n# %% a needs=["npu=>2"]\n1\n', "x.py:3: needs=.* is no list of requirements; write needs="),
        ('"""T"""\n\n# %% a needs=[npu]\n1\n', "x.py:3: needs=.* is no list of requirements"),
        ('"""T"""\n\n# %% a\n1 +\n', "x.py:4: invalid syntax"),
        ('"""T"""\nimport os\n\n# %% a\n1\n', "x.py:2: only the title may stand before"),
    ],
)
def test_a_fault_is_refused_with_its_line(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ExampleError, match=message):
        read(example(tmp_path, text))


def test_a_command_before_the_first_cell_of_a_shell_script_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExampleError, match=r"x.sh:3: only the title may stand before"):
        read(example(tmp_path, "#!/bin/bash\n# T\nset -e\n\n# %% a\ntrue\n", "x.sh"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_cells_are_those_that_jupytext_sees(path: Path) -> None:
    """Editors open an example as a notebook by it."""
    notebook = jupytext.read(path, fmt={"extension": path.suffix, "format_name": "percent"})
    assert [cell.source for cell in read(path).cells] == [cell.source.strip("\n") for cell in notebook.cells[1:]]


@pytest.mark.parametrize(
    ("code", "name", "needs"),
    [
        ("import os, json.decoder", "x.py", False),
        ("def later():\n    from torch import nn", "x.py", True),
        ("import os\nimport helper", "x.py", True),
        ("import importlib\nimportlib.import_module('torch')", "x.py", True),
        ("echo 'import torch'", "x.sh", False),
    ],
)
def test_libraries_are_needed_by_what_imports_more_than_python_has(
    code: str, name: str, needs: bool, tmp_path: Path
) -> None:
    title = '"""T"""' if name.endswith(".py") else "# T"
    assert read(example(tmp_path, f"{title}\n\n# %% a\n{code}\n", name)).needs_libraries == needs
