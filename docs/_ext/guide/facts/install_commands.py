"""``.. install-commands::`` shows, behind tabs, what installs each set of ``sets/`` that a CANN release lists.

Which wheels of torch are CPU builds is a fact of ``data/wheels.toml``; a test reads the wheels' own metadata.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from docutils import nodes
from docutils.nodes import Node
from packaging.version import Version
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from sets import VersionSet, every_set

from ..runs.device_tabs import tab, tab_set
from ..runs.your_host import HOSTS, Host

DATA = "data/wheels.toml"


@dataclass(frozen=True)
class Wheels:
    """What is known of the wheels, and where they are fetched."""

    cpu_index: str
    cpu_mirror: str
    pypi_mirror: str
    cuda_on_aarch64_from: str
    """From this torch on PyPI's wheel for aarch64 is a CUDA build, as that for x86_64 always was."""
    python: str
    """Runs every set; the oldest torch_npu has no wheels for newer ones."""
    needed_by_cann: tuple[str, ...]
    asked_by_cann: Mapping[str, tuple[str, ...]]
    """By release, the versions that its list of dependencies asks for."""

    @classmethod
    def read(cls, path: Path) -> Wheels:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        asked = {release: tuple(lines) for release, lines in data["asked_by_cann"].items()}
        return cls(**{**data, "needed_by_cann": tuple(data["needed_by_cann"]), "asked_by_cann": asked})

    def needs_cpu_index(self, torch: str, machine: str) -> bool:
        """Whether PyPI's wheel is one beside which torch_npu can not be imported."""
        return machine == "x86_64" or Version(torch) >= Version(self.cuda_on_aarch64_from)


def commands(chosen: VersionSet, host: Host, wheels: Wheels) -> str:
    """From nothing to exactly this set, torch first: pip then finds it there and looks for no other build."""
    torch = f"pip install torch=={chosen.pins['torch']}"
    if wheels.needs_cpu_index(chosen.pins["torch"], host.machine):
        # beside a mirror pip looks at the registry too, where without "+cpu" it would find the CUDA build
        torch += f"+cpu --find-links {wheels.cpu_mirror}" if host.mirrored else f" --index-url {wheels.cpu_index}"
    others = [f"{name}=={version}" for name, version in chosen.pins.items() if name != "torch"]
    lines = [
        f"python{wheels.python} -m venv llama-npu",
        "source llama-npu/bin/activate",
        *([f"export PIP_INDEX_URL={wheels.pypi_mirror}"] if host.mirrored else []),
        torch,
        "pip install \\",
        *(f"    {' '.join(others[start : start + 4])} \\" for start in range(0, len(others), 4)),
        f"    {' '.join(name for name in wheels.needed_by_cann if name not in chosen.pins)}",
    ]
    return "\n".join(lines)


class InstallCommands(SphinxDirective):
    """Takes no arguments."""

    def run(self) -> list[Node]:
        path = Path(self.env.srcdir) / DATA
        self.env.note_dependency(str(path))
        wheels = Wheels.read(path)
        tabs = tab_set()
        for chosen in every_set().values():
            if chosen.cann and chosen.name.startswith("cann-"):
                self.env.note_dependency(str(chosen.file))
                tabs += tab(f"CANN {chosen.cann}", [self._hosts(chosen, wheels)], sync=("cann", chosen.name))
        return [tabs]

    def _hosts(self, chosen: VersionSet, wheels: Wheels) -> Node:
        tabs = tab_set()
        for host in HOSTS:
            text = commands(chosen, host, wheels)
            block = nodes.literal_block(text, text, language="bash", not_run=True)
            self.set_source_info(block)
            tabs += tab(host.label, [nodes.container("", block, classes=["not-run"])], sync=("host", host.key))
        return tabs


def connect(app: Sphinx) -> None:
    app.add_directive("install-commands", InstallCommands)
