"""What a person sees of text written to a terminal: progress bars drawn over themselves show their last state."""

from __future__ import annotations

import pyte

COLUMNS = 1000  # wide enough that no line of an example wraps; blank columns are cut off
MOVES = ("\r", "\b", "\x1b")  # without one of these, text looks as it was written


def seen(text: str) -> str:
    """The text as it stands on the screen after all of it was written, without colours and NUL, which none shows."""
    text = text.replace("\0", "")
    if not any(move in text for move in MOVES):
        return text
    screen = pyte.Screen(COLUMNS, text.count("\n") + 1)
    screen.set_mode(pyte.modes.LNM)  # a line feed begins a new line, as the terminal driver makes it
    pyte.Stream(screen).feed(text)
    lines = [line.rstrip() for line in screen.display]
    while lines and not lines[-1]:
        lines.pop()
    return "\n".join(lines) + "\n" if lines else ""
