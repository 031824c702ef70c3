"""A page shows what a person saw on the terminal."""

from __future__ import annotations

import pytest

from engine.kernel.terminal import seen


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("plain\n  text\n", "plain\n  text\n"),
        ("\r 0%\r 50%\r100%\n", "100%\n"),
        ("outer  33%\n inner 12%\x1b[A\n inner 100%\x1b[A\router 100%", "outer 100%\n inner 100%\n"),
        ("\x1b[1mbold\x1b[0m\n", "bold\n"),
        ("昇腾 50%\r昇腾 100%\n完成\n", "昇腾 100%\n完成\n"),
        ("", ""),
    ],
)
def test_text_is_shown_as_it_stands_in_the_end(written: str, shown: str) -> None:
    assert seen(written) == shown
