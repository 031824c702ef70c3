"""Where the examples run: this process's environment, and what is said to stand in there."""

from __future__ import annotations

import json
import os
import platform
import re
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

# Names a JSON file {"device": ..., "standins": [...], "content": digest, "fresh": [...],
# "rehearsal": {"command": [...], "content": digest} or null}.
REPORT = "STANDINS_REPORT"
HEADER = re.compile(r"^(Name|Version): *(\S+)", re.MULTILINE)
WORK = "work"  # below the folder of a run: where the example is
DEFAULT_CACHES = {"HF_HOME": "~/.cache/huggingface", "MODELSCOPE_CACHE": "~/.cache/modelscope"}
DEVICE_FILES = Path("/dev")
DEVICE = "npu:0"  # the stand-in of this name is the device itself
SHOWN_VERSIONS = (
    "torch",
    "torch_npu",
    "transformers",
    "datasets",
    "evaluate",
    "accelerate",
    "peft",
    "deepspeed",
    "trl",
    "huggingface_hub",
    "modelscope",
)


@dataclass(frozen=True)
class Surroundings:
    """All that an example's output depends on beside its own text."""

    environment: Mapping[str, str]
    report: Mapping[str, Any]
    """What the stand-ins say of themselves; empty where everything is real."""
    packages: Mapping[str, str]
    """Version of every installed distribution."""

    @classmethod
    def here(cls) -> Surroundings:
        """Those of this process, told without importing what the examples import."""
        path = os.environ.get(REPORT)
        report = json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
        # Not all of sys.path: setuptools, once imported, adds packages of its own there, which no example sees.
        folders = list({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
        packages = dict(_name_and_version(found) for found in distributions(path=folders))
        return cls(dict(os.environ), report, packages)

    @property
    def versions(self) -> dict[str, str]:
        """Of what a page names, Python first."""
        shown = {name: self.packages[name] for name in SHOWN_VERSIONS if name in self.packages}
        return {"Python": platform.python_version(), **shown}

    @property
    def npus(self) -> int:
        """How many Ascend devices examples find here, silicon or virtual."""
        told = self.report.get("device", {}).get("count")
        return told if told is not None else len(list(DEVICE_FILES.glob("davinci[0-9]*")))

    @property
    def rehearsal(self) -> Mapping[str, Any] | None:
        """By which command another runs where examples are rehearsed, and a digest of what that depends on."""
        return self.report.get("rehearsal")

    @property
    def identity(self) -> dict[str, Any]:
        """For the cache key: equal identities print equal outputs."""
        return {
            "packages": dict(sorted(self.packages.items())),
            "python": sys.version,
            "machine": platform.machine(),
            "content": self.report.get("content"),
            "device": self.report.get("device"),
        }

    def standins_of(self, text: str) -> tuple[Mapping[str, str], ...]:
        """Those that a run of this text meets: the device, and what it names (``"accuracy"`` is short for a Space)."""
        return tuple(
            standin
            for standin in self.report.get("standins", ())
            if standin["name"] == DEVICE or standin["name"] in text or f'"{standin["name"].rpartition("/")[2]}"' in text
        )

    def shown_paths(self, folder: Path) -> dict[str, str]:
        """Folders of this machine and of this run, and what a page calls them: what a reader would have there."""
        fresh = {str(folder / name.lower()): DEFAULT_CACHES.get(name, name) for name in self.report.get("fresh", ())}
        libraries = {sysconfig.get_path("purelib"): "site-packages", sysconfig.get_path("stdlib"): "python"}
        paths = {**fresh, str(folder / WORK): "~/work", **libraries, sys.prefix: "venv"}
        home = str(Path.home())
        # IPython abbreviates the home folder in tracebacks
        abbreviated = {path.replace(home, "~", 1): shown for path, shown in paths.items() if path.startswith(home)}
        return paths | abbreviated

    def fresh_environment(self, folder: Path) -> dict[str, str]:
        """The environment of one run: the caches that stand-ins give are its own, so that no run sees another's."""
        fresh = {name: str(folder / name.lower()) for name in self.report.get("fresh", ())}
        return {**self.environment, **fresh}


def _name_and_version(found: Distribution) -> tuple[str, str]:
    """From the head of its metadata, which hold a whole README: parsing hundreds of them takes a tenth of a second."""
    head, _, _ = (found.read_text("METADATA") or found.read_text("PKG-INFO") or "").partition("\n\n")
    fields = dict(HEADER.findall(head))
    return fields.get("Name", ""), fields.get("Version", "")
