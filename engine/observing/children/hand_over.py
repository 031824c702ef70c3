"""A Python program that needs the libraries has itself started where they are imported already: see the zygote.

What started this process notices nothing: it stays, passes signals on, and ends as the program does.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys

ADDRESS = "EXAMPLE_ZYGOTE"  # names the socket of the one of this example
LIBRARIES = re.compile(r"\b(torch|transformers|accelerate|datasets)\b")
UNLIKE = re.compile(r"\b(matplotlib|IPython)\b")  # is prepared for a kernel there
PASSED_ON = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")


def program() -> dict[str, object] | None:
    """What this process was started for, if it is a file or code that names one of the libraries."""
    _, *words = sys.orig_argv
    unbuffered = words[:1] == ["-u"]
    words = words[unbuffered:]
    if words[:1] == ["-c"] and len(words) > 1:
        code, arguments = words[1], ["-c", *words[2:]]
    elif words and not words[0].startswith("-") and os.path.isfile(words[0]):  # noqa: PTH113 (not imported yet)
        with open(words[0], encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123
            code, arguments = file.read(), words
    else:
        return None
    if not LIBRARIES.search(code) or UNLIKE.search(code):
        return None
    passed = [getattr(signal, name) for name in PASSED_ON]
    return {
        "arguments": arguments,
        "code": code,
        "folder": os.getcwd(),  # noqa: PTH109
        "environment": dict(os.environ),
        "ignored": [number for number in passed if signal.getsignal(number) == signal.SIG_IGN],
        "unbuffered": unbuffered or bool(os.environ.get("PYTHONUNBUFFERED")),
    }


def hand_over() -> None:
    """Return if the program has to start from nothing, else end as it does."""
    if not os.path.exists(os.environ.get(ADDRESS, "")) or len(os.listdir("/proc/self/fd")) > 4:  # noqa: PTH110 PTH208
        return  # nobody is there, or it was given more than the three streams
    asked = program()
    if not asked:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as zygote:
        try:
            zygote.connect(os.environ[ADDRESS])
            socket.send_fds(zygote, [json.dumps(asked).encode()], [0, 1, 2])
        except OSError:
            return
        if not zygote.recv(16):
            return
        _wait(zygote, [getattr(signal, name) for name in PASSED_ON])


def _wait(zygote: socket.socket, passed: list[signal.Signals]) -> None:
    for number in passed:
        signal.signal(number, lambda number, _: zygote.send(bytes([number])) and None)
    answer = zygote.recv(2)
    if not answer:  # what runs the example ends it, or has crashed
        os._exit(1)
    status = int.from_bytes(answer, "big", signed=True)
    if status < 0:
        if -status != signal.SIGKILL:
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)
