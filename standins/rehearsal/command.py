"""``python -m standins --rehearse``: what of a card a command would take, at the true size of its model."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from standins.npu.settings import DEVICES, MEMORY, SIZES_ONLY, Settings, settings
from standins.rehearsal.models import from_config, known
from standins.rehearsal.report import Report, joined
from standins.rehearsal.settings import CONFIG, REPORTS

MODEL_LINE = re.compile(r'^model_id = "[^"]*"', re.MULTILINE)
LARGEST_COPIED, LARGEST_TOGETHER = 64 << 20, 1 << 30  # bytes of a file beside the program, and of all


@dataclass(frozen=True)
class Rehearsal:
    """What is asked for."""

    command: tuple[str, ...]
    card_gib: float = Settings().memory_gib
    cards: int = 1
    model: str = ""
    """The id that takes the place of the program's own, or the path of a config.json."""
    report: Path | None = None


def parsed(arguments: Sequence[str]) -> Rehearsal:
    """The command line, after ``--rehearse``."""
    parser = argparse.ArgumentParser(
        prog="python -m standins --rehearse",
        description="Run FILE.py, or a command such as: torchrun --nproc-per-node 2 FILE.py, at the true size of its "
        "model on a virtual NPU that counts memory and computes nothing large; say what of each card it takes. "
        "It runs in a folder of its own with copies of the files beside FILE.py; folders it names by absolute paths.",
    )
    parser.add_argument("--card", type=float, default=Settings().memory_gib, metavar="GIB", help="size of each card")
    parser.add_argument("--cards", type=int, default=1, metavar="N", help="FILE.py then runs under torchrun on N cards")
    parser.add_argument("--model", default="", metavar="ID", help="instead of FILE.py's model_id; or a config.json")
    parser.add_argument(
        "--report", type=lambda name: Path(name).resolve(), metavar="FILE", help="write the result there, in JSON"
    )
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="FILE.py | COMMAND ...")
    given = parser.parse_args(arguments)
    if not given.command:
        parser.error("which FILE.py or command?")
    return Rehearsal(tuple(given.command), given.card, given.cards, given.model, given.report)


def rehearse(asked: Rehearsal, run: Callable[[list[str], Path], int]) -> Report:
    """Let ``run`` start the command in a folder, with stand-ins.  Raises ``ValueError`` with a sentence."""
    os.environ |= {SIZES_ONLY: "1", DEVICES: str(asked.cards), MEMORY: f"{asked.card_gib:g}"}
    settings(os.environ)
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as scratch:
        reports, work = Path(scratch) / "reports", Path(scratch) / "work"
        os.environ[REPORTS] = str(reports)
        code = run(with_copy(asked, work), work)
        return joined(reports, asked.card_gib, code)


def with_copy(asked: Rehearsal, work: Path) -> list[str]:
    """The command with its file in a folder of its own; a file alone is started as its kind is."""
    place = next((at for at, word in enumerate(asked.command) if word.endswith((".py", ".sh"))), None)
    if place is None:
        raise ValueError(f"no FILE.py in: {' '.join(asked.command)}")
    file = Path(asked.command[place])
    command = [*asked.command[:place], str(copied(file, work, asked.model)), *asked.command[place + 1 :]]
    if place == 0:
        command = [*(launcher(asked.cards) if file.suffix == ".py" else ["bash"]), *command]
    return command


def launcher(cards: int) -> list[str]:
    """How a file is started: as ``python`` or as ``torchrun`` would."""
    if cards == 1:
        return [sys.executable]
    return [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(cards)]


def copied(file: Path, work: Path, model: str) -> Path:
    """The program in a folder of its own, with the files beside it: what it saves shall not touch real results."""
    if not file.is_file():
        raise ValueError(f"{file} does not exist")
    work.mkdir()
    beside = [path for path in file.resolve().parent.iterdir() if path.is_file() and not path.name.startswith(".")]
    small = [path for path in beside if path.stat().st_size <= LARGEST_COPIED]
    if sum(path.stat().st_size for path in small) > LARGEST_TOGETHER:
        raise ValueError(f"more than 1 GiB lies beside {file}: put it into a folder with what it needs")
    for path in small:
        shutil.copy(path, work)
    copy = work / file.name
    if model:
        copy.write_text(with_model(copy.read_text(encoding="utf-8"), identity(model), file), encoding="utf-8")
    return copy


def identity(model: str) -> str:
    """The id under which the hub serves the model."""
    if model.endswith(".json"):
        os.environ[CONFIG] = str(Path(model).resolve())
        return from_config(Path(model)).id
    if model not in known():
        raise ValueError(
            f"the shapes of {model} are not known: give the path of its config.json, or one of {', '.join(known())}"
        )
    return model


def with_model(text: str, model: str, file: Path) -> str:
    """The program with another model in its one line ``model_id = "..."``."""
    changed, found = MODEL_LINE.subn(f'model_id = "{model}"', text)
    if found != 1:
        raise ValueError(f'{file} has {found} lines that begin with model_id = "...", and needs one for --model')
    return changed
