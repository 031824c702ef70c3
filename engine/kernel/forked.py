"""The process that kernels are forked from, which has the heavy imports behind it, and what each of them does first.

Importing torch and transformers costs a kernel 4 to 10 s and hundreds of megabytes; a fork costs 0.03 s and shares
the memory.  Only imports are preloaded: no tensor is computed and no device touched before the fork, so that a
forked kernel behaves as a fresh one.  The server imports this module too, and nothing of what manages kernels.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from multiprocessing import forkserver
from pathlib import Path

from engine.kernel import fresh
from engine.observing.children.hand_over import ADDRESS
from engine.place.packages import path_of_python
from engine.place.surroundings import on_silicon

ROOT = Path(__file__).parents[2]
PRELOADED, BARE = "engine.kernel.preload", "engine.kernel.bare"
PROFILE = "PYTHONPROFILEIMPORTTIME"  # asks Python to tell what it imports; no kernel gets it
PICTURES = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}


def start_server(
    environment: Mapping[str, str], libraries: bool = True
) -> multiprocessing.context.ForkServerContext | multiprocessing.context.SpawnContext:
    """Begin to import the libraries that examples need, in the background; kernels started later wait for it.

    The server has the environment and the path of a run, for libraries read both when they are imported.  On a chip
    there is none, and each kernel starts afresh: what has loaded CANN must not be forked.
    """
    if on_silicon():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*[PRELOADED] * libraries, "engine.kernel.forked"])
    # Before 3.11.9 Python keeps sys.path from the server: what it preloads is found in its working folder.
    profile = {name: value for name, value in os.environ.items() if name == PROFILE}
    with contextlib.chdir(ROOT), _in_place({**environment, **PICTURES, **profile}):
        forkserver.ensure_running()
    return context


@contextlib.contextmanager
def _in_place(environment: Mapping[str, str]) -> Iterator[None]:
    """What a process that is started meanwhile inherits."""
    own, path = dict(os.environ), sys.path[:]
    try:
        fresh.set_environment(environment)
        sys.path[:] = [*path_of_python(environment.get("PYTHONPATH", "")), str(ROOT)]
        yield
    finally:
        fresh.set_environment(own)
        sys.path[:] = path


def be_kernel(argv: list[str], cwd: str, environment: dict[str, str], libraries: bool, programs: bool) -> None:
    """Become a kernel, and never return.

    ``libraries`` says whether its example imports any, ``programs`` whether it starts Python programs that do.
    """
    os.setsid()
    os.chdir(cwd)
    before = dict(os.environ)
    fresh.set_environment(environment)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    multiprocessing.set_start_method("fork", force=True)  # DataLoader workers: a server of their own costs 10 s each
    if PRELOADED not in sys.modules:  # a fresh process
        fresh.set_environment({**environment, **PICTURES})
        importlib.import_module(PRELOADED if libraries else BARE)
        fresh.set_environment(environment)
    elif "HF_HOME" in before:
        _move_home(before["HF_HOME"], environment["HF_HOME"])
    fresh.draw_anew()
    if programs and PRELOADED in sys.modules:
        from engine.kernel import zygote

        zygote.begin(environment[ADDRESS])
    from ipykernel.kernelapp import IPKernelApp

    at_import = sys.stderr
    app = IPKernelApp.instance()
    # A kernel whose parent is gone ends by itself, and it greets nobody.
    app.initialize([*argv, f"--IPKernelApp.parent_handle={os.getppid()}"])
    sys.path[:] = [cwd, *path_of_python(environment.get("PYTHONPATH", ""))]  # as for ``python FILE``
    fresh.redirect_loggers(at_import)
    fresh.hide("engine")
    app.start()


def _move_home(old: str, new: str) -> None:
    """Give this process its own Hugging Face cache.

    huggingface_hub and datasets compute their paths when imported, which was before the fork.
    """
    from engine.kernel.preload import BELOW_HOME

    for module, name in BELOW_HOME:
        value = getattr(module, name)
        setattr(module, name, type(value)(new + str(value)[len(old) :]))
