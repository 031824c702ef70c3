"""A small site with examples of its own, to break."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
    settings: Mapping[str, object] = field(default_factory=dict)
    """Of Sphinx, beside those of conf.py."""
    repository: Path = ROOT
    """Where conf.py and the extensions are."""
    builder: str = "html"

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

    def start(
        self, environment: dict[str, str] | None = None, site: str = "site", within: Sequence[str] = ()
    ) -> subprocess.Popen[str]:
        """Begin to build into a folder of this name, as a command of the command ``within``."""
        command = [*within, sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-c", str(self.repository)]
        command += ["-b", self.builder]
        settings = {"examples_cache": self.folder / "runs", "records_folder": self.folder / "records", **self.settings}
        command += [word for name, value in settings.items() for word in ("-D", f"{name}={value}")]
        command += ["-d", str(self.folder / site / "doctrees")]
        return subprocess.Popen(
            [*command, str(self.folder / "docs"), str(self.folder / site / "html")],
            env={**os.environ, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Ctrl-C reaches it even where the tests themselves were started in the background, which ignores it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )

    def finished(self, building: subprocess.Popen[str], site: str = "site") -> Built:
        """Wait for a build that was started."""
        _, errors = building.communicate(timeout=300)
        return Built(building.returncode, errors, self.folder / site / "html")

    def build(self, environment: dict[str, str] | None = None, site: str = "site") -> Built:
        return self.finished(self.start(environment, site), site)
