"""A small site with examples of its own, to break."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Built:
    """What one call of Sphinx did."""

    code: int
    errors: str
    site: Path

    def page(self, name: str) -> str:
        return (self.site / f"{name}.html").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Project:
    """A small site in a folder of its own, built with this repository's conf.py as ``make html`` builds the guide."""

    folder: Path

    def write(self, **files: str) -> None:
        """``index="..."`` writes docs/index.rst, ``x_py="..."`` examples/x.py."""
        (self.folder / "docs").mkdir(exist_ok=True)
        (self.folder / "examples").mkdir(exist_ok=True)
        link = self.folder / "docs/examples"
        if not link.exists():
            link.symlink_to("../examples")
        for name, text in files.items():
            stem, _, suffix = name.rpartition("_")
            path = f"examples/{stem}.{suffix}" if suffix in ("py", "sh") else f"docs/{name}.rst"
            (self.folder / path).write_text(text, encoding="utf-8")

    def build(self, environment: dict[str, str] | None = None) -> Built:
        site = self.folder / "site/html"
        command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-c", str(ROOT)]
        command += ["-D", f"examples_cache={self.folder / 'runs'}", "-d", str(self.folder / "doctrees")]
        done = subprocess.run(
            [*command, str(self.folder / "docs"), str(site)],
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        return Built(done.returncode, done.stderr, site)
