"""Makes the virtual environment that the site is built in; only ``make`` needs to call it.

An environment of the reader's own (``make html VENV=...``) is used as it is, with the torch, torch_npu and CANN that
match there: it is checked, and never changed.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parent
REQUIREMENTS = ROOT / "requirements.txt"
MARK = "made-by-bootstrap"  # holds the digest of the requirements that were installed
PYTHON = (3, 11)
DISK = 6 << 30  # bytes that the environment and the assets take, with room to unpack
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"


def main(folder):
    """Make or check the environment in this folder; exits with a sentence when that can not be done."""
    if sys.version_info < PYTHON:
        sys.exit(
            f"Python {PYTHON[0]}.{PYTHON[1]} or newer is needed, this is {platform.python_version()}: "
            "install one and say 'make PYTHON=python3.11 ...'"
        )
    mark = folder / MARK
    if folder.exists() and not mark.exists() and (folder / "bin/python").exists():
        return check(folder)
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if mark.exists() and mark.read_text() == digest:
        return None
    free = shutil.disk_usage(ROOT).free
    if free < DISK:
        sys.exit(f"{DISK >> 30} GiB of disk are needed for the environment, {free >> 30} GiB are free at {ROOT}")
    venv.create(folder, with_pip=True, clear=True)
    mark.write_text("")  # ours from now on, even when what follows is interrupted
    install(folder)
    mark.write_text(digest)
    return None


def install(folder):
    """Install the requirements, the CPU build of torch first."""
    pip = [str(folder / "bin/python"), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    if (platform.system(), platform.machine()) == ("Linux", "x86_64"):
        # On other machines PyPI's wheel is the CPU build already.  Only torch is asked of the second index, and once:
        # where it can not be reached, pip says so and takes torch from the package registry.
        index = ["--no-deps", "--retries", "0", "--timeout", "20", "--extra-index-url", TORCH_CPU_INDEX]
        run([*pip, *index, pinned("torch")])
    run([*pip, "--requirement", str(REQUIREMENTS)])


def pinned(name):
    """The line of requirements.txt for this package, without its comment."""
    return re.search(rf"^{name}==\S+", REQUIREMENTS.read_text(), re.MULTILINE).group()


def run(command):
    """Run pip, and say what to do when it fails."""
    if subprocess.call(command):
        sys.exit(
            "pip could not install the requirements (see above). "
            "Is a package registry reachable? Then call make again, it goes on from here."
        )


def check(folder):
    """Name what a given environment lacks."""
    names = re.findall(r"^([\w-]+)==", REQUIREMENTS.read_text(), re.MULTILINE)
    code = "import sys; from importlib.metadata import distributions as d; print(*(x.metadata['Name'] for x in d()))"
    found = subprocess.run([str(folder / "bin/python"), "-c", code], capture_output=True, text=True, check=True).stdout
    have = {normal(name) for name in found.split()}
    missing = [name for name in names if normal(name) not in have]
    if missing:
        sys.exit(
            f"{folder} is used as it is, and lacks packages; install them:\n"
            f"{folder}/bin/pip install {' '.join(missing)}"
        )


def normal(name):
    """Package names as the registry compares them."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    os.environ.pop("PYTHONPATH", None)
    main(Path(sys.argv[1]))
