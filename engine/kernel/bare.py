"""What every kernel is made of; enough for an example that imports nothing but what Python brings along."""

from __future__ import annotations

import importlib
import sys

MODULES = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.debugger",
    "IPython.extensions.storemagic",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "sqlite3",
    "tornado.platform.asyncio",
    "engine.kernel.shell",
    "engine.observing.observer",
)

# ipykernel gets along without its debugger, which nobody attaches here, and which each kernel would import.
sys.modules["debugpy"] = None  # type: ignore[assignment]

for name in MODULES:
    importlib.import_module(name)
