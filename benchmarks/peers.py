"""The environment of the peers: their pinned packages on top of the guide's, so that torch is not installed twice."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
MARK = "made-of"  # holds the digest of what was installed


def environment(folder: Path) -> Path:
    """The Python of the peers; made in ``folder`` when it is not there or belongs to other requirements."""
    digest = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.prefix.encode()).hexdigest()
    mark, python = folder / MARK, folder / "bin/python"
    if mark.exists() and mark.read_text() == digest:
        return python
    venv.create(folder, with_pip=True, clear=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    path = folder / "lib" / version / "site-packages/the_guides_own.pth"
    path.write_text(sysconfig.get_path("purelib") + "\n")
    pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "--requirement", str(REQUIREMENTS)], check=True)
    mark.write_text(digest)
    return python
