from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.values.run import Run


@pytest.fixture
def is_picture(run_of: Callable[[str], Run]) -> Callable[[str, str], bool]:
    """Whether that cell drew something."""

    def drawn(example: str, cell: str) -> bool:
        return any(
            "image/png" in output.get("data", {})
            for each in run_of(example).notebook.cells
            if each.metadata.get("title") == cell
            for output in each.outputs
        )

    return drawn
