"""What the installation page says of wheels, asked of the wheels' own metadata; and its commands, carried out."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import venv
import zipfile
from functools import cache
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import parse_wheel_filename

from guide.facts.compatibility import Facts
from guide.facts.install_commands import Wheels, commands
from guide.runs.your_host import HOSTS, Host
from sets import FOLDER, VersionSet, every_set

ROOT = FOLDER.parent
WHEELS = Wheels.read(ROOT / "docs/data/wheels.toml")
OF_CANN = [each for each in every_set().values() if each.cann]
AARCH64 = {**default_environment(), "platform_machine": "aarch64", "extra": ""}
PIP_ON_AARCH64 = (
    "import platform, runpy; platform.machine = lambda: 'aarch64'; runpy.run_module('pip', None, '__main__')"
)
names = pytest.mark.parametrize("chosen", OF_CANN, ids=lambda each: each.name)


@cache
def wheel(requirement: str, machine: str) -> dict[str, Any]:
    """What pip would install, told by its metadata alone; the test is skipped where no registry answers."""
    platform = ["--platform", f"manylinux_2_28_{machine}", "--python-version", WHEELS.python, "--only-binary", ":all:"]
    pip = [sys.executable, "-m", "pip", "install", "--isolated", "--quiet", "--dry-run", "--no-deps"]
    command = [*pip, "--ignore-installed", "--target", "x", *platform, "--report", "-", requirement]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode and "No matching distribution" not in done.stderr:
        pytest.skip("no package registry answers")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout)["install"][0])


def empty_wheel(name: str, version: str, folder: Path) -> None:
    """A package of this name and version that holds and requires nothing."""
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as file:
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", "")


def needed(found: dict[str, Any], environment: dict[str, str]) -> set[str]:
    """Names of what this wheel requires on such a machine."""
    requirements = map(Requirement, found["metadata"].get("requires_dist", ()))
    return {each.name for each in requirements if not each.marker or each.marker.evaluate(environment)}


def is_cuda(found: dict[str, Any], environment: dict[str, str]) -> bool:
    return any(name.startswith(("nvidia-", "cuda-", "triton")) for name in needed(found, environment))


@names
def test_on_aarch64_the_commands_bring_no_nvidia_package(chosen: VersionSet) -> None:
    """Where PyPI's torch is a CUDA build the command goes to the CPU index; where it is not, PyPI's needs no nvidia."""
    torch = chosen.pins["torch"]
    cuda = is_cuda(wheel(f"torch=={torch}", "aarch64"), AARCH64)
    assert cuda == WHEELS.needs_cpu_index(torch, "aarch64")
    assert ("whl/cpu" in commands(chosen, Host("aarch64", mirrored=False), WHEELS)) == cuda


@pytest.mark.parametrize("name", ["cann-8.5", "cann-9.1"])
def test_on_aarch64_the_whole_set_resolves_without_nvidia(name: str, tmp_path: Path) -> None:
    """pip's own dry run of the second command, torch being there: PyPI's, or an empty one where that is for CUDA."""
    pins, host = every_set()[name].pins, Host("aarch64", mirrored=False)
    wheel(f"torch_npu=={pins['torch_npu']}", host.machine)  # skips without a registry
    text = commands(every_set()[name], host, WHEELS)
    wanted = text[text.rindex("pip install") :].replace("\\\n", "").split()[2:]
    wanted.remove(f"deepspeed=={pins['deepspeed']}")  # the one without a wheel: its requirements take its place
    wanted += [line for line in requires("deepspeed") or () if "extra ==" not in line and not line.startswith("torch")]
    torch = pins["torch"]
    if WHEELS.needs_cpu_index(torch, host.machine):
        torch += "+cpu"
        empty_wheel("torch", torch, tmp_path)
    found = resolved_for_aarch64([f"torch=={torch}", *wanted], tmp_path)
    assert {"torch", "torch_npu", "transformers"} <= found
    assert not [each for each in found if each.startswith(("nvidia", "cuda", "triton"))]


def resolved_for_aarch64(requirements: list[str], folder: Path) -> set[str]:
    """Names of all that pip would install there of wheels, those in ``folder`` included."""
    tags = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_26", "manylinux_2_24", "manylinux_2_17", "manylinux2014")
    platforms = [word for tag in tags for word in ("--platform", f"{tag}_aarch64")]
    options = ["--python-version", WHEELS.python, "--only-binary", ":all:", "--find-links", str(folder)]
    pip = ["install", "--isolated", "--quiet", "--dry-run", "--ignore-installed", "--target", "x"]
    command = [*pip, *platforms, *options, "--report", str(folder / "report.json"), *requirements]
    done = subprocess.run([sys.executable, "-c", PIP_ON_AARCH64, *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return {found["metadata"]["name"] for found in report["install"]}


@names
@pytest.mark.parametrize("machine", ["aarch64", "x86_64"])
def test_torch_npu_has_a_wheel_for_this_python_and_glibc(chosen: VersionSet, machine: str) -> None:
    found = wheel(f"torch_npu=={chosen.pins['torch_npu']}", machine)
    tags = parse_wheel_filename(found["download_info"]["url"].rpartition("/")[2])[3]
    assert any("manylinux_2_28" in tag.platform for tag in tags)
    assert f"{WHEELS.python}.0" in SpecifierSet(found["metadata"].get("requires_python", ""))


def test_pypis_torch_for_x86_64_is_a_cuda_build() -> None:
    here = {**AARCH64, "platform_machine": "x86_64"}
    assert all(is_cuda(wheel(f"torch=={each.pins['torch']}", "x86_64"), here) for each in OF_CANN)


@names
def test_a_set_has_the_versions_of_a_row_of_the_table(chosen: VersionSet) -> None:
    rows = {(row.torch_npu, row.torch, row.cann) for row in Facts.read(ROOT / "docs/data/compatibility.toml").releases}
    assert (chosen.pins["torch_npu"], chosen.pins["torch"], chosen.cann) in rows
    assert chosen.source and chosen.date


def test_the_sites_own_set_is_what_it_is_built_with() -> None:
    pins = (ROOT / "requirements/examples.txt").read_text(encoding="utf-8")
    ours = dict(re.findall(r"^([\w-]+)==([\w.]+)", pins, re.M))
    site = every_set()["site"].pins
    assert site == {name: ours[name] for name in site}


@names
def test_a_set_has_the_versions_that_its_cann_asks_for(chosen: VersionSet) -> None:
    for asked in map(Requirement, WHEELS.asked_by_cann.get(chosen.cann, ())):
        assert asked.specifier.contains(chosen.pins[asked.name]), f"CANN {chosen.cann} asks for {asked}"


def test_the_environment_check_knows_the_sets() -> None:
    text = (ROOT / "examples/environment.py").read_text(encoding="utf-8")
    table = ast.literal_eval(re.search(r"^sets = (\{.*?^\})$", text, re.M | re.S).group(1))  # type: ignore[union-attr]
    of_cann = {each.name[5:]: each for each in OF_CANN if each.name.startswith("cann-")}
    assert table.keys() == of_cann.keys()
    for release, chosen in of_cann.items():
        exactly = {f"{name}=={chosen.pins[name]}" for name in ("torch", "torch_npu")}
        assert {*exactly, *WHEELS.asked_by_cann.get(chosen.cann, ())} <= set(table[release])
        for told in map(Requirement, table[release]):
            assert told.specifier.contains(chosen.pins[told.name])


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.label)
def test_commands_install_exactly_the_set(host: Host) -> None:
    for chosen in OF_CANN:
        installed = dict(re.findall(r"([\w-]+)==([\w.]+)", commands(chosen, host, WHEELS)))
        assert installed == dict(chosen.pins)


def test_the_command_installs(tmp_path: Path) -> None:
    """The one for CANN 8.5, less torch and what others pull in: a gigabyte that tells nothing more."""
    wheel("torch_npu==2.7.1.post2", "x86_64")  # skips without a registry
    if sys.version_info[:2] != (3, 11):
        pytest.skip("the set is for Python 3.11")
    venv.create(tmp_path / "llama-npu", with_pip=True)
    text = commands(every_set()["cann-8.5"], Host("x86_64", mirrored=False), WHEELS)
    install = text[text.rindex("pip install") :].replace("pip install", "pip install --quiet --no-deps")
    unpacked = {**os.environ, "PIP_NO_COMPILE": "1"}  # which is what takes the time
    subprocess.run(["bash", "-ec", f"source llama-npu/bin/activate\n{install}"], check=True, cwd=tmp_path, env=unpacked)
    pip = tmp_path / "llama-npu/bin/pip"
    listed = subprocess.run([pip, "list", "--format=freeze"], capture_output=True, text=True, check=True).stdout
    have = {name.lower().replace("-", "_"): version for name, version in re.findall(r"^(\S+)==(\S+)", listed, re.M)}
    for name, version in every_set()["cann-8.5"].pins.items():
        assert name == "torch" or have[name.lower().replace("-", "_")] == version
