"""Where the examples run: one object of all that a run is given, and that its key digests.

An example gets these environment variables, this ``sys.path``, these packages and this device, and nothing else of the
process that executes it: what is given is what is keyed.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from engine.observing import CHILDREN
from engine.observing.children.hand_over import ADDRESS
from engine.observing.observer import REPORTS
from engine.place import packages, silicon

# Names a JSON file {"device": ..., "standins": [...], "content": digest, "environment": {...}, "before": {...},
# "fresh": [...], "rehearsal": {"command": [...], "content": digest} or null}; the digest covers all that the
# environment leads to, and the code that chose it.
REPORT = "STANDINS_REPORT"
OBSERVED = "observed"  # below the folder of a run: what was seen in the processes that it started
WORK = "work"  # below the folder of a run: where the example is
DEFAULT_CACHES = {"HF_HOME": "~/.cache/huggingface", "MODELSCOPE_CACHE": "~/.cache/modelscope"}
DEVICE = "npu:0"  # the stand-in of this name is the device itself
SILICON = "npu"  # the kind of device that is not one of ours

# What a run is given of the environment of whoever starts it; everything else is dropped.
FIXED = {"LANG": "C.UTF-8", "TZ": "UTC", "TERM": "xterm"}
SYSTEM = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
WHERE = re.compile("HOME|USER|LOGNAME|TMPDIR")  # where it runs, not what: no part of the key
NETWORK = re.compile(r"(?i:\w+_proxy)|PIP_\w+|UV_\w+|SSL_CERT_\w+|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE")
HUBS = re.compile(r"(HF|HUGGINGFACE|MODELSCOPE|TRANSFORMERS|LLAMA)_\w+")  # where no hub stands in
CHIPS = re.compile(  # where no device stands in
    r"(ASCEND|HCCL|ACL|ACLNN|NPU|VIRTUAL_NPU|CPU_AFFINITY)_\w+|TASK_QUEUE_ENABLE|PYTORCH_NPU_ALLOC_CONF|TOOLCHAIN_HOME"
    r"|OMP_NUM_THREADS|LD_PRELOAD|TORCH_DEVICE_BACKEND_AUTOLOAD"
)
LISTS = ("PATH", "LD_LIBRARY_PATH", "PYTHONPATH")
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
    """All variables of a run, but for the caches, of which each has its own."""
    report: Mapping[str, Any]
    """What the stand-ins say of themselves; empty where everything is real."""
    packages: Mapping[str, str]
    """Version of every installed distribution that an example can import."""
    path: tuple[str, ...] = ()
    """``sys.path`` behind the folder of the example."""
    silicon: Mapping[str, str] = field(default_factory=dict)
    """Of CANN, the driver and the chips, what could change; empty where a device stands in."""

    @classmethod
    def here(cls) -> Surroundings:
        """Those of this process, told without importing what the examples import."""
        report = told_by_standins()
        environment = given(os.environ, report)
        path = packages.path_of_python(environment.get("PYTHONPATH", ""))
        chips = silicon.facts(environment) if has_silicon(report) else {}
        return cls(environment, report, packages.installed(path), path, chips)

    @property
    def versions(self) -> dict[str, str]:
        """Of what a page names, Python first."""
        shown = {name: self.packages[name] for name in SHOWN_VERSIONS if name in self.packages}
        return {"Python": platform.python_version(), **shown}

    @property
    def npus(self) -> int:
        """How many Ascend devices examples find here, silicon or virtual."""
        told = self.report.get("device", {}).get("count")
        return told if told is not None else silicon.count()

    @property
    def device_kind(self) -> str:
        """``npu`` (silicon), ``virtual-npu`` or ``cpu``."""
        told = (self.report.get("device") or {}).get("kind")
        if told is None and silicon.posing(self.environment):
            return "virtual-npu"
        return told or (SILICON if self.npus and "torch_npu" in self.packages else "cpu")

    @property
    def rehearsal(self) -> Mapping[str, Any] | None:
        """By which command another runs where examples are rehearsed, and a digest of what that depends on."""
        return self.report.get("rehearsal")

    @property
    def identity(self) -> dict[str, Any]:
        """For the cache key: equal identities print equal outputs."""
        told = self.report.get("environment", {})  # the digest of the content covers these
        keyed = {
            name: value
            for name, value in self.environment.items()
            if value != told.get(name) and not WHERE.fullmatch(name)
        }
        return {
            "environment": {name: self._keyed(name, value) for name, value in sorted(keyed.items())},
            "path": [self._renamed(folder) for folder in self.path],
            "packages": dict(sorted(self.packages.items())),
            "python": sys.version,
            "machine": platform.machine(),
            "content": self.report.get("content"),
            "device": self.report.get("device"),
            "silicon": dict(self.silicon),
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
        paths = {**fresh, str(folder / WORK): "~/work", **_libraries()}
        home = str(Path.home())
        # IPython abbreviates the home folder in tracebacks
        abbreviated = {path.replace(home, "~", 1): shown for path, shown in paths.items() if path.startswith(home)}
        return paths | abbreviated

    def fresh_environment(self, folder: Path) -> dict[str, str]:
        """The environment of one run: the caches that stand-ins give are its own, so that no run sees another's.

        What it starts is observed, see :mod:`engine.observing.observer`.
        """
        fresh = {name: str(folder / name.lower()) for name in self.report.get("fresh", ())}
        path = [str(CHILDREN), *filter(None, [self.environment.get("PYTHONPATH")])]
        started = {
            REPORTS: str(folder / OBSERVED),
            ADDRESS: str(folder / "zygote"),
            "PYTHONPATH": os.pathsep.join(path),
        }
        return {**self.environment, **fresh, **started}

    def _keyed(self, name: str, value: str) -> str:
        """A value without this machine's folders; of what may hold a password or a token, a digest."""
        if name in FIXED or name in LISTS:
            return self._renamed(value)
        return hashlib.sha256(value.encode()).hexdigest()[:16]

    def _renamed(self, text: str) -> str:
        folders = {folder: f"<{name}>" for name, folder in self.report.get("before", {}).items()}
        for path, shown in {**folders, **_libraries()}.items():
            text = text.replace(path, shown)
        return text


def has_silicon(report: Mapping[str, Any]) -> bool:
    """Whether the device is the machine's own; where nothing stands in, it is."""
    return bool((report.get("device") or {}).get("kind", SILICON) == SILICON)


def on_silicon() -> bool:
    """Whether the examples of this process compute on Ascend chips."""
    return has_silicon(told_by_standins()) and silicon.count() > 0


def told_by_standins() -> dict[str, Any]:
    """What the stand-ins say of themselves; empty where nothing stands in."""
    file = os.environ.get(REPORT)
    return dict(json.loads(Path(file).read_text(encoding="utf-8"))) if file else {}


def given(user: Mapping[str, str], report: Mapping[str, Any]) -> dict[str, str]:
    """What a run is given of the environment of whoever starts it, and of what the stand-ins say."""
    told: Mapping[str, str] = report.get("environment", {})
    before: Mapping[str, str] = report.get("before", {})
    allowed = [WHERE, NETWORK]
    allowed += [] if "HF_ENDPOINT" in told else [HUBS]
    allowed += [CHIPS] if has_silicon(report) else []
    environment = {name: value for name, value in user.items() if any(each.fullmatch(name) for each in allowed)}
    for name in LISTS:
        # On silicon CANN's set_env.sh has put its folders into these lists; elsewhere nothing of the user's is needed.
        rest = user.get(name, "").split(os.pathsep) if has_silicon(report) else SYSTEM if name == "PATH" else ()
        first = [str(Path(sys.executable).parent)] if name == "PATH" else []
        if found := _unique([*first, before.get(name, ""), *rest]):
            environment[name] = os.pathsep.join(found)
    return {**environment, **FIXED, **{name: value for name, value in told.items() if name != REPORT}}


def _unique(folders: Iterable[str]) -> list[str]:
    return [folder for folder in dict.fromkeys(folders) if folder]


@cache
def _libraries() -> dict[str, str]:
    """Folders of this Python, and what a page calls them."""
    libraries = {sysconfig.get_path("purelib"): "site-packages", sysconfig.get_path("stdlib"): "python"}
    return {**libraries, sys.prefix: "venv"}
