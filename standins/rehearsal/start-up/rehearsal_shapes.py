"""Shapes of results from compiled code: a training step asks for tens of thousands of them."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


def keep_compiled(module: ModuleType) -> None:
    """torch puts Python, which tracing wants, over its own compiled functions for shapes: here it leaves them."""
    impl = module.Library.impl

    def unless_compiled(self: Any, op: Any, function: Any, *arguments: Any, **named: Any) -> None:
        if (self.ns, self.dispatch_key) == ("aten", "Meta") and has_compiled(op):
            return
        impl(self, op, function, *arguments, **named)

    module.Library.impl = unless_compiled


def has_compiled(op: Any) -> bool:
    """Whether an overload has a function for shapes already."""
    found = getattr(op, "name", None)
    return bool(found and sys.modules["torch"]._C._dispatch_has_kernel_for_dispatch_key(found(), "Meta"))
