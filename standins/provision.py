"""What one room contributes to the world an example runs in."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
REHEARSED = "rehearsed.py"  # serves to rehearsals alone, whose digest has it
REPORT = "STANDINS_REPORT"  # names the file that tells what stands in, for records and pages


@dataclass(frozen=True)
class StandIn:
    """One thing that is not what its name says, and what it is instead."""

    name: str
    """The id or command an example uses, as in ``Yelp/yelp_review_full``."""
    zh: str
    """What answers instead, in a Chinese sentence for the page."""
    en: str
    """The same sentence in English."""
    source: str
    """Where its content comes from: package and version."""
    licence: str


@dataclass(frozen=True)
class Device:
    """What the examples compute on."""

    kind: str
    """``npu`` (silicon), ``virtual-npu`` or ``cpu``."""
    name: str
    """As the device names itself, ``Ascend910B3`` for one."""
    count: int = 0
    """How many of them a program sees."""
    reason: str = ""
    """Why it is not a better one, empty for silicon."""


@dataclass(frozen=True)
class Provision:
    """Environment variables for the example, and an honest list of what they lead to."""

    environment: Mapping[str, str] = field(default_factory=dict)
    standins: tuple[StandIn, ...] = ()
    device: Device | None = None
    content: str = ""
    """A digest of all content served or computed with: a cached output is stale when it changes."""
    fresh: tuple[str, ...] = ()
    """Variables that name a cache folder, of which every run of an example shall get one of its own."""
    without: frozenset[str] = frozenset()
    """Variables that shall not reach a program: meant for another device or job than what stands in."""
    rehearsal: Mapping[str, object] | None = None
    """The command that runs another where examples are rehearsed, and a digest of what that depends on."""
    before: Mapping[str, str] = field(default_factory=dict)
    """Folders by the variable (``PATH`` for one) in whose list they come before those of the user."""

    def applied(self, user: Mapping[str, str]) -> dict[str, str]:
        """The environment of a program that meets what stands in."""
        lists = {name: _joined(folder, user.get(name)) for name, folder in self.before.items()}
        return {name: value for name, value in user.items() if name not in self.without} | lists | {**self.environment}


def join(provisions: list[Provision]) -> Provision:
    """Put the rooms' contributions together; a variable set by two rooms is a mistake of ours."""
    environment: dict[str, str] = {}
    for provision in provisions:
        if doubled := environment.keys() & provision.environment.keys():
            raise ValueError(f"two stand-ins set {', '.join(sorted(doubled))}")
        environment.update(provision.environment)
    return Provision(
        environment=environment,
        standins=tuple(standin for provision in provisions for standin in provision.standins),
        device=next((provision.device for provision in provisions if provision.device), None),
        content=hashlib.sha256("\n".join([code(), *(each.content for each in provisions)]).encode()).hexdigest(),
        fresh=tuple(name for provision in provisions for name in provision.fresh),
        without=frozenset().union(*(provision.without for provision in provisions)),
        before={name: folder for provision in provisions for name, folder in provision.before.items()},
    )


def code() -> str:
    """A digest of what serves and provides; what prepares the assets shows in these, the device's in its library."""
    files = [*HERE.glob("*.py"), *HERE.glob("hub/**/*.py"), *HERE.glob("npu/*.py"), *HERE.glob("npu/without_*/*.py")]
    digests = (hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(files) if file.name != REHEARSED)
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def write_report(provision: Provision, path: Path) -> None:
    """Tell what stands in, in JSON.

    ``{"device": {...}, "standins": [{...}], "content": sha256, "environment": {...}, "before": {...}, "fresh": [...],
    "rehearsal": {"command": [...], "content": sha256}}``
    """
    report = asdict(provision)
    del report["without"]
    path.write_text(json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8")


def _joined(folder: str, rest: str | None) -> str:
    return f"{folder}{os.pathsep}{rest}" if rest else folder


def home() -> Path:
    """The cache outside git: ``STANDINS_HOME``, else a folder of the user's cache."""
    if chosen := os.environ.get("STANDINS_HOME"):
        return Path(chosen).expanduser().resolve()
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "llama-on-ascend"
