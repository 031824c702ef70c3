"""Starts the Python programs of a shell example as kernels are started: forked, with the libraries already imported.

A shell example starts Python ten times and more, and each time torch and transformers take 3 s to import; a fork takes
0.05 s.  A program asks for it by :mod:`engine.observing.children.hand_over`, waits in its own place, passes signals on
and ends as the forked one does.  Whatever importing could depend on, its environment and what lies in its folder, has
to be as it is here; else it starts from nothing, as it would on its reader's host.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import io
import json
import multiprocessing
import os
import re
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from engine.kernel import fresh
from engine.observing import observer
from engine.place.packages import path_of_python

MESSAGE = 1 << 20  # bytes, of a program's arguments and environment
YES = b"yes"
INTERRUPTED = -signal.SIGINT
# What shells and launchers set for their programs, and no library reads while it is imported.
READ_LATE = re.compile(
    r"(_|PWD|OLDPWD|SHLVL|((LOCAL|GROUP|ROLE)_)?(RANK|WORLD_SIZE)|ROLE_NAME|MASTER_(ADDR|PORT)|TORCHELASTIC_\w+"
    r"|ACCELERATE_(?!ENABLE_RICH|LOG_LEVEL|USE_MEGATRON_LM)\w+|FSDP_\w+|RANK_TABLE_FILE|TORCH_NCCL_ASYNC_ERROR_HANDLING)=.*"
    r"|ASCEND_RT_VISIBLE_DEVICES=.+"
    r"|TORCH_DEVICE_BACKEND_AUTOLOAD=1|PYTORCH_NVML_BASED_CUDA_CHECK=1",  # as if they were not set
    re.DOTALL,
)
PATH = "PYTHONPATH"


@dataclass(frozen=True)
class Program:
    """What was started: ``python [-u] FILE ...`` or ``python [-u] -c CODE ...``."""

    arguments: list[str]
    """As ``sys.argv``: of code the first is ``-c``."""
    code: str
    folder: str
    environment: dict[str, str]
    ignored: list[int]
    """Signals that whoever started it made it ignore."""
    unbuffered: bool

    @property
    def file(self) -> str | None:
        """As ``__file__`` of it; code has none."""
        name = self.arguments[0]
        return None if name == "-c" else os.path.normpath(os.path.join(self.folder, name))  # noqa: PTH118 (links stay)

    @property
    def own_folder(self) -> str:
        """The first of its ``sys.path``."""
        return str(Path(self.file).resolve().parent) if self.file else ""


@dataclass
class Zygote:
    """The process from which programs are forked."""

    listener: socket.socket
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def serve(self) -> None:
        """Until it is killed with the group of its kernel."""
        self.selector.register(self.listener, selectors.EVENT_READ, self._accept)
        while True:
            for key, _ in self.selector.select():
                key.data()

    def _accept(self) -> None:
        asking, _ = self.listener.accept()
        message, files, _, _ = socket.recv_fds(asking, MESSAGE, 3)
        program = Program(**json.loads(message)) if len(files) == 3 else None
        if program and self._starts_alike(program):
            asking.send(YES)
            self._fork(program, asking, files)
        else:
            asking.close()
        for file in files:
            os.close(file)

    def _starts_alike(self, program: Program) -> bool:
        """Whether importing the libraries anew would lead to what was imported here."""
        beside = Path(program.folder, program.own_folder)  # what is there would be found before what is installed
        own, its = _read_early(self.environment), _read_early(program.environment)
        entries = its.get(PATH, "").split(os.pathsep)  # accelerate adds that folder for DeepSpeed
        its[PATH] = os.pathsep.join(entry for entry in entries if entry != str(beside))
        imported = {name.partition(".")[0] for name in sys.modules}
        hiding = {path.stem for path in beside.iterdir() if path.suffix == ".py" or path.is_dir()}
        return its == own and imported.isdisjoint(hiding)

    def _fork(self, program: Program, asking: socket.socket, files: Sequence[int]) -> None:
        if not (pid := os.fork()):
            self.selector.close()
            self.listener.close()
            asking.close()
            be(program, files)
        process = os.pidfd_open(pid)
        self.selector.register(process, selectors.EVENT_READ, lambda: self._ended(pid, process, asking))
        self.selector.register(asking, selectors.EVENT_READ, lambda: self._told(pid, asking))

    def _told(self, pid: int, asking: socket.socket) -> None:
        """Pass signals on; who asked and is gone has been killed."""
        if asking.fileno() < 0:
            return  # it has ended in the same moment
        signals = b""
        with suppress(OSError):
            signals = asking.recv(64)
        for number in signals or [signal.SIGKILL]:
            os.kill(pid, number)
        if not signals:
            self.selector.unregister(asking)

    def _ended(self, pid: int, process: int, asking: socket.socket) -> None:
        self.selector.unregister(process)
        os.close(process)
        _, status = os.waitpid(pid, 0)
        if asking in self.selector.get_map():
            self.selector.unregister(asking)
            with suppress(OSError):  # gone in this very moment
                asking.send(os.waitstatus_to_exitcode(status).to_bytes(2, "big", signed=True))
        asking.close()


def _read_early(environment: Mapping[str, str]) -> dict[str, str]:
    """What importing could depend on."""
    return {name: value for name, value in environment.items() if not READ_LATE.fullmatch(f"{name}={value}")}


def begin(address: str) -> None:
    """Fork a process of this one that listens there; where there are no such handles of processes, leave it."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):  # not Linux, or an old one: programs start from nothing
        return
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(address)
    listener.listen()
    if not os.fork():
        try:
            Zygote(listener).serve()
        finally:
            os._exit(1)
    listener.close()


def be(program: Program, files: Sequence[int]) -> None:
    """Become the program, and never return."""
    status = 1
    _take_place(program, files)
    main = _main_module(program)
    try:
        exec(compile(program.code, program.file or "<string>", "exec", dont_inherit=True), vars(main))
        status = 0
    except SystemExit as end:
        status = _status(end.code)
    except BaseException as error:
        error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next  # without this function
        sys.excepthook(type(error), error, error.__traceback__)
        status = INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1
    finally:
        _end(main, status)


def _take_place(program: Program, files: Sequence[int]) -> None:
    """Streams, folder, environment, path and signals as ``python`` would have them."""
    at_import = sys.stderr
    for target, file in enumerate(files):
        os.dup2(file, target)
        os.close(file)
    sys.stdin = open(0, encoding="utf-8")  # noqa: SIM115
    sys.stdout = _written_to(1, program.unbuffered, line_buffering=os.isatty(1))
    sys.stderr = _written_to(2, program.unbuffered, line_buffering=True, errors="backslashreplace")
    fresh.redirect_loggers(at_import)
    fresh.set_environment(program.environment)
    fresh.draw_anew()
    os.chdir(program.folder)
    sys.argv[:] = program.arguments
    sys.path[:] = [program.own_folder, *path_of_python(program.environment.get("PYTHONPATH", ""))]
    for number in program.ignored:
        signal.signal(number, signal.SIG_IGN)
    multiprocessing.current_process().name = "MainProcess"
    observer.report_at_end()
    fresh.hide("engine", "ipykernel", "IPython", "debugpy")  # libraries ask whether these are there


def _written_to(file: int, unbuffered: bool, **options: Any) -> io.TextIOWrapper:
    binary = open(file, "wb", 0 if unbuffered else -1)  # noqa: SIM115
    return io.TextIOWrapper(binary, encoding="utf-8", write_through=unbuffered, **options)


def _main_module(program: Program) -> ModuleType:
    main = ModuleType("__main__")
    if program.file:
        main.__file__ = program.file
    sys.modules["__main__"] = main
    return main


def _status(code: object) -> int:
    """The exit status that Python makes of the argument of ``sys.exit``."""
    if code is None or isinstance(code, int):
        return (code or 0) & 0xFF
    print(code, file=sys.stderr)
    return 1


def _end(main: ModuleType, status: int) -> None:
    """As Python ends: threads, what is registered, files that are still open; and then at once."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    vars(main).clear()
    gc.collect()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    ctypes.CDLL(None).fflush(None)
    if status == INTERRUPTED:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    os._exit(status)
