"""What can not be read is refused, with the line to mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.example import ExampleError, read


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
        ('"""T"""\n\n# %% a\n1 +\n', "x.py:4: invalid syntax"),
    ],
)
def test_a_fault_is_refused_with_its_line(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ExampleError, match=message):
        read(example(tmp_path, text))
