"""Makes the virtual environment that the site is built in; only ``make`` needs to call it.

An environment of the reader's own (``make html VENV=...``) is used as it is, with the torch, torch_npu and CANN that
match there: it is checked, and never changed.  What may be changed is a folder that bears our mark, and nothing else.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import venv
from pathlib import Path

LISTS = Path(__file__).parent / "requirements"
GIVEN = "given.txt"
LOCK = "everything.lock"  # every package but torch, with the hashes of all its files; `make lock` writes it
MARK = "made-by-bootstrap"  # holds the requirements that were installed, one a line
OLDEST, NEWEST = (3, 11), (3, 14)  # the engine's, torch_npu's
DISK = 6 << 30  # bytes that the environment and the assets take, with room to unpack
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
CHOSEN_BY_CANN = ("torch", "torch_npu")  # in an environment that is not ours


def main(folder: Path, wanted: str, lists: Path = LISTS) -> None:
    """Make the environment, or check a given one for the requirements ``wanted``; exits with a sentence on trouble."""
    try:
        if (folder / "bin/python").exists() and not (folder / MARK).exists():
            check(folder, lists, wanted)
        else:
            make(folder, lists)
    except OSError as error:
        sys.exit(f"{error.filename or folder}: {error.strerror}. Choose another folder: make VENV=FOLDER ...")


def make(folder: Path, lists: Path) -> None:
    """Make or bring up to date an environment of our own."""
    mark = folder / MARK
    if folder.exists() and not mark.exists() and any(folder.iterdir()):
        sys.exit(
            f"{folder} holds something that is no virtual environment (it has no bin/python), and it is left alone. "
            "Name an environment of yours or a new folder: make VENV=FOLDER ..."
        )
    wanted = "\n".join([*pinned(lists), *digest(lists / LOCK)])
    have = mark.read_text() if mark.exists() else ""
    if have == wanted and has_pip(folder):
        return
    require_python(sys.version_info[:2], "this is")
    require_room(folder)
    if not has_pip(folder) or names(have) - names(wanted):
        create(folder, mark)
    install(folder, lists)
    mark.write_text(wanted)


def require_python(version: tuple[int, ...], whose: str) -> None:
    """Exit unless it is a Python that everything here has packages for."""
    if not OLDEST <= version <= NEWEST:
        sys.exit(
            f"Python {dotted(OLDEST)} to {dotted(NEWEST)} is needed, {whose} {dotted(version)}: "
            f"install one of them and say 'make PYTHON=python{dotted(OLDEST)} ...'"
        )


def dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def require_room(folder: Path) -> None:
    """Exit where the disk is too small."""
    disk = next(parent for parent in folder.absolute().parents if parent.exists())
    free = shutil.disk_usage(disk).free
    if free < DISK:
        sys.exit(f"{DISK >> 30} GiB of disk are needed for the environment, {free >> 30} GiB are free at {disk}")


def create(folder: Path, mark: Path) -> None:
    """An empty environment.  It is marked before anything else: what an interruption leaves is known as ours."""
    if importlib.util.find_spec("ensurepip") is None:
        sys.exit(
            "This Python can make no virtual environment with pip in it; on Debian and Ubuntu: "
            f"apt-get install python{dotted(sys.version_info[:2])}-venv"
        )
    folder.mkdir(parents=True, exist_ok=True)
    mark.write_text("")
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry != mark:
            entry.unlink()
    venv.create(folder, with_pip=True)


def has_pip(folder: Path) -> bool:
    """Whether the environment came into being, and its Python is still where it was."""
    try:
        return subprocess.run([folder / "bin/python", "-m", "pip", "--version"], capture_output=True).returncode == 0
    except OSError:
        return False


def install(folder: Path, lists: Path) -> None:
    """Install the CPU build of torch, by its version, for its files differ from index to index; then what is locked."""
    pip = [str(folder / "bin/python"), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    torch = next(line for line in pinned(lists) if line.startswith("torch=="))
    if platform.system() == "Linux":
        # PyPI's is a CUDA build, on aarch64 too: gigabytes, and torch_npu can not be imported beside it.
        index = ["--no-deps", "--retries", "0", "--timeout", "20", "--extra-index-url", TORCH_CPU_INDEX]
        if subprocess.run([*pip, *index, f"{torch}+cpu"], capture_output=True).returncode:
            print(
                f"No CPU build of {torch} at {TORCH_CPU_INDEX}, so pip takes the package registry's. "
                "If that is a CUDA build, the examples run on plain CPU. PIP_FIND_LINKS or PIP_EXTRA_INDEX_URL "
                "lead pip to a mirror.",
                file=sys.stderr,
            )
    lock = lists / LOCK
    hashed = ["--no-deps", "--require-hashes", "--requirement", str(lock)]
    rest = hashed if lock.exists() else ["--requirement", str(lists / "checks.txt")]  # a set of sets/ has versions only
    if subprocess.call([*pip, torch]) or subprocess.call([*pip, *rest]):
        sys.exit(
            "pip could not install the requirements (see above). Is a package registry reachable? Then call make "
            "again, it goes on from here. If a hash differs, that registry has other files than PyPI: ask who runs it."
        )


def digest(file: Path) -> list[str]:
    """A line that tells this file from others; none where there is no file."""
    return [f"# {file.name}: {hashlib.sha256(file.read_bytes()).hexdigest()}"] if file.exists() else []


def pinned(lists: Path) -> list[str]:
    """All requirements, without comments, in order of their names."""
    texts = [file.read_text(encoding="utf-8") for file in lists.glob("*.txt") if file.name != GIVEN]
    lines = [line.partition("#")[0].strip() for text in texts for line in text.splitlines()]
    return sorted(line for line in lines if "==" in line)


def names(lines: str) -> set[str]:
    return set(re.findall(r"^([\w.-]+)==", lines, re.MULTILINE))


def check(folder: Path, lists: Path, wanted: str) -> None:
    """Say what a given environment lacks, and how to add it without touching what its CANN has chosen."""
    python = str(folder / "bin/python")
    version = subprocess.run([python, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True)
    if version.returncode:
        sys.exit(f"{python} does not run: {version.stderr.strip()[-200:]}")
    require_python(tuple(map(int, version.stdout.split())), f"that of {folder} is")
    command = [python, str(LISTS / "unmet.py"), str(lists / GIVEN), str(lists / f"{wanted}.txt")]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    torch = [line for line in told["unmet"] if line.partition("==")[0] in CHOSEN_BY_CANN]
    lacking = [line for line in told["unmet"] if line not in torch]
    if torch:
        sys.exit(
            f"{folder} is used as it is, and lacks {' and '.join(torch)} or an older one that fits its CANN: "
            "docs/install.rst says which belong together."
        )
    if lacking:
        sys.exit(
            f"{folder} is used as it is, and lacks packages; this installs them and leaves torch and torch_npu alone:\n"
            f"{shlex.join([python, '-m', 'pip', 'install', *told['kept'], *lacking])}"
        )


if __name__ == "__main__":
    os.environ.pop("PYTHONPATH", None)
    main(Path(sys.argv[1]), sys.argv[2])
