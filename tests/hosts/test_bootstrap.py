"""The environment: ours is made, resumed and brought up to date; nothing that is not ours is changed or deleted."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable
from importlib.metadata import distributions
from pathlib import Path
from sysconfig import get_path

import pytest
from packaging.utils import canonicalize_name

import bootstrap

ROOT = Path(__file__).parents[2]
CUDA_BUILD, CPU_BUILD = "2.13.0", "2.13.0+cpu"


def wheel(folder: Path, name: str, version: str, record: str = "") -> None:
    """A package with nothing in it."""
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as file:
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", record)


@pytest.fixture
def lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Requirements as tiny as can be, and a registry that has them."""
    registry, folder = tmp_path / "registry", tmp_path / "requirements"
    registry.mkdir()
    folder.mkdir()
    for name, version in (
        ("torch", CUDA_BUILD),
        ("torch", CPU_BUILD),
        ("tool", "1.0"),
        ("tool", "2.0"),
        ("other", "1.0"),
    ):
        wheel(registry, name, version)
    write(folder, "torch==2.13.0\ntool==1.0  # a comment\nother==1.0; sys_platform == 'linux'\n")
    for name, value in {"PIP_FIND_LINKS": registry, "PIP_NO_INDEX": 1, "PIP_CONFIG_FILE": "/dev/null"}.items():
        monkeypatch.setenv(name, str(value))
    return folder


def write(folder: Path, examples: str) -> None:
    (folder / "examples.txt").write_text(examples)
    (folder / "site.txt").write_text("-r examples.txt\n")
    (folder / "checks.txt").write_text("-r site.txt\n")
    (folder / "given.txt").write_text("torch>=2.7.1\ntool>=0.9\n")
    lock(folder, [line.partition("#")[0].strip() for line in examples.splitlines()])


def lock(folder: Path, lines: list[str]) -> None:
    """What ``make lock`` would write."""
    locked = []
    for line in filter(None, lines):
        name, version = line.partition(";")[0].split("==")
        file = folder.parent / f"registry/{name}-{version}-py3-none-any.whl"
        if name != "torch" and file.exists():
            locked.append(f"{line} --hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}")
    (folder / bootstrap.LOCK).write_text("\n".join(locked) + "\n")


def installed(folder: Path) -> dict[str, str]:
    code = "from importlib.metadata import distributions as d; [print(x.name, x.version) for x in d()]"
    printed = subprocess.run([folder / "bin/python", "-c", code], capture_output=True, text=True, check=True).stdout
    return dict(line.split() for line in printed.splitlines())


def said(call: Callable[[], None]) -> str:
    with pytest.raises(SystemExit) as stopped:
        call()
    return str(stopped.value)


@pytest.mark.trial("VENV with a space")
def test_it_is_made_kept_and_brought_up_to_date(tmp_path: Path, lists: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made, kept, and brought up to date; what is no longer wanted goes."""
    folder = tmp_path / "with a space"
    bootstrap.main(folder, "site", lists)
    assert installed(folder) | {"pip": "", "setuptools": ""} == {
        "torch": CPU_BUILD, "tool": "1.0", "other": "1.0", "pip": "", "setuptools": "",
    }  # fmt: skip
    mine = folder / "mine"
    mine.touch()

    write(lists, "torch==2.13.0\ntool==2.0\nother==1.0; sys_platform == 'linux'\n")
    bootstrap.main(folder, "site", lists)
    assert installed(folder)["tool"] == "2.0" and mine.exists(), "what changed is installed, the rest stays"

    write(lists, "torch==2.13.0\ntool==2.0 # said otherwise\n\nother==1.0; sys_platform == 'linux'\n")
    with monkeypatch.context() as unchanged:
        unchanged.setattr(bootstrap, "install", lambda *_: pytest.fail("a comment installs nothing"))
        bootstrap.main(folder, "site", lists)

    monkeypatch.setattr(bootstrap, "install", lambda *_: None)
    write(lists, "torch==2.13.0\ntool==2.0\n")
    bootstrap.main(folder, "site", lists)
    assert not mine.exists() and "other" not in installed(folder), "what is no longer wanted is not left lying there"


@pytest.mark.trial("Ctrl-C while the environment is made: it was taken for the reader's ever after")
def test_an_interrupted_one_is_known_as_ours_and_resumed(
    tmp_path: Path, lists: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It bears our mark from the first moment on, and the next call goes on."""
    folder = tmp_path / "environment"

    def half(folder: Path, with_pip: bool) -> None:
        venv.EnvBuilder().create(folder)
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupted, pytest.raises(KeyboardInterrupt):
        interrupted.setattr(bootstrap.venv, "create", half)
        bootstrap.main(folder, "site", lists)
    assert (folder / "bin/python").exists()
    bootstrap.main(folder, "site", lists)
    assert installed(folder)["tool"] == "1.0"


@pytest.mark.parametrize("content", ["thesis.tex", "bin/notes", "pyvenv.cfg"])
@pytest.mark.trial("make html VENV=FOLDER without bin/python in it: its content was deleted")
def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path, lists: Path, content: str) -> None:
    """It is refused in a sentence, and nothing in it is changed."""
    file = tmp_path / "folder" / content
    file.parent.mkdir(parents=True)
    file.write_text("years of work")
    assert "left alone" in said(lambda: bootstrap.main(tmp_path / "folder", "site", lists))
    assert file.read_text() == "years of work" and [*file.parent.iterdir()] == [file]


def test_a_file_is_no_folder(tmp_path: Path, lists: Path) -> None:
    file = tmp_path / "file"
    file.write_text("years of work")
    assert "Choose another folder" in said(lambda: bootstrap.main(file, "site", lists))
    assert file.read_text() == "years of work"


@pytest.mark.trial("4 GiB of disk")
def test_a_disk_that_is_too_small_is_a_sentence(tmp_path: Path, lists: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sentence says how much is needed and how much is free, and nothing is made."""
    usage = shutil.disk_usage(tmp_path)._replace(free=4 << 30)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert said(lambda: bootstrap.main(tmp_path / "new" / "one", "site", lists)) == (
        f"6 GiB of disk are needed for the environment, 4 GiB are free at {tmp_path}"
    )
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("version", [(3, 10), (3, 15)])
@pytest.mark.trial("Python 3.10, as this one or in VENV: No module named 'tomllib'")
def test_a_python_that_is_too_old_or_too_new_is_a_sentence(
    tmp_path: Path, lists: Path, monkeypatch: pytest.MonkeyPatch, version: tuple[int, int]
) -> None:
    """A sentence says which versions do, and nothing is made; 3.15 is refused alike."""
    monkeypatch.setattr(sys, "version_info", (*version, 0, "final", 0))
    told = said(lambda: bootstrap.main(tmp_path / "new", "site", lists))
    assert told.startswith(f"Python 3.11 to 3.14 is needed, this is {version[0]}.{version[1]}: install one of them")
    assert not (tmp_path / "new").exists()


@pytest.mark.trial("A Debian without python3-venv: the environment was left without pip")
def test_a_debian_without_its_package_hears_its_name(
    tmp_path: Path, lists: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sentence names the package, and nothing is made."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "-venv" in said(lambda: bootstrap.main(tmp_path / "new", "site", lists))
    assert not (tmp_path / "new").exists()


@pytest.mark.trial("PyPI's torch, a CUDA build since 2.11, beside torch_npu: import torch aborted")
def test_where_there_is_no_cpu_build_a_sentence_says_so(
    tmp_path: Path, lists: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Where the CPU index is not reached pip takes the registry's, and a sentence says what follows."""
    (tmp_path / f"registry/torch-{CPU_BUILD}-py3-none-any.whl").unlink()
    bootstrap.main(tmp_path / "environment", "site", lists)
    assert installed(tmp_path / "environment")["torch"] == CUDA_BUILD
    assert "No CPU build of torch==2.13.0" in capfd.readouterr().err


def test_a_set_of_versions_needs_no_lock(tmp_path: Path, lists: Path) -> None:
    (lists / bootstrap.LOCK).unlink()
    bootstrap.main(tmp_path / "environment", "site", lists)
    assert "tool" in installed(tmp_path / "environment")


def test_another_file_than_the_locked_one_is_refused(
    tmp_path: Path, lists: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    wheel(tmp_path / "registry", "tool", "1.0", "something else")
    assert "If a hash differs, that registry has other files than PyPI" in said(
        lambda: bootstrap.main(tmp_path / "environment", "site", lists)
    )
    assert "tool" not in installed(tmp_path / "environment") and "DO NOT MATCH THE HASHES" in capfd.readouterr().err


@pytest.fixture
def given(tmp_path: Path, lists: Path) -> Path:
    """A reader's environment, with an older torch and tool than ours."""
    folder = tmp_path / "given"
    venv.create(folder, with_pip=True)
    registry = tmp_path / "registry"
    wheel(registry, "torch", "2.9.0+cpu")
    wheel(registry, "tool", "0.9")
    pip(folder, "torch==2.9.0", "tool==0.9", "other==1.0")
    return folder


def pip(folder: Path, *words: str) -> None:
    subprocess.run([folder / "bin/python", "-m", "pip", "install", "--quiet", *words], check=True)


@pytest.mark.trial("VENV that lacks packages: names were compared, and pip install without versions was proposed")
def test_a_given_one_is_judged_by_versions_and_never_changed(tmp_path: Path, lists: Path, given: Path) -> None:
    """Versions are compared, pinned lines that keep torch are proposed, and nothing is changed."""
    before = installed(given)
    bootstrap.main(given, "site", lists)

    write(lists, "torch==2.13.0\ntool==1.0\nother==2.0\nabsent==1.0\nmac==1.0; sys_platform == 'darwin'\n")
    assert said(lambda: bootstrap.main(given, "site", lists)).endswith(
        f"{given}/bin/python -m pip install torch==2.9.0+cpu other==2.0 absent==1.0"
    )
    wheel(tmp_path / "registry", "torch", "2.6.0")
    pip(given, "torch==2.6.0")
    assert "lacks torch==2.13.0 or an older one that fits its CANN" in said(
        lambda: bootstrap.main(given, "site", lists)
    )
    assert installed(given) == before | {"torch": "2.6.0"}


@pytest.mark.trial("Python 3.10, as this one or in VENV: No module named 'tomllib'")
def test_a_given_one_has_a_python_of_its_own(tmp_path: Path, lists: Path) -> None:
    """The Python of the given environment is judged by the same sentence."""
    (tmp_path / "given/bin").mkdir(parents=True)
    python = tmp_path / "given/bin/python"
    for version, accepted in {"3 10": False, "3 11": True, "3 14": True, "3 15": False}.items():
        python.write_text(
            f"""#!/bin/sh\ncase "$1" in -c) echo {version};; *) echo '{{"unmet": [], "kept": []}}';; esac\n"""
        )
        python.chmod(0o755)
        if accepted:
            bootstrap.main(tmp_path / "given", "site", lists)
        else:
            assert "Python 3.11 to 3.14 is needed" in said(lambda: bootstrap.main(tmp_path / "given", "site", lists))
    python.write_text("#!/bin/sh\necho broken >&2; exit 1\n")
    assert "does not run: broken" in said(lambda: bootstrap.main(tmp_path / "given", "site", lists))


def test_everything_that_is_required_is_locked_as_it_is_installed() -> None:
    """The lock is not older than the lists, and this environment is what it makes."""
    text = (bootstrap.LISTS / bootstrap.LOCK).read_text(encoding="utf-8")
    locked = {
        canonicalize_name(name): version for name, version in re.findall(r"^([\w.-]+)==([^ ;]+)", text, re.MULTILINE)
    }
    for line in bootstrap.pinned(bootstrap.LISTS):
        name, version = line.partition(";")[0].split("==")
        assert name == "torch" or locked[canonicalize_name(name)] == version
    installed = distributions(path=[get_path("purelib")])  # not what setuptools brings for itself
    here = {canonicalize_name(each.metadata["Name"]): each.version for each in installed}
    assert {name: version for name, version in here.items() if locked.get(name, version) != version} == {}
    assert here.keys() - locked.keys() <= {"torch", "pip", "setuptools"}
    assert text.count("--hash=sha256:") >= len(locked)


@pytest.mark.trial("macOS arm64: only torch_npu had no wheel")
def test_the_lists_are_three_steps_of_one() -> None:
    """A site needs what examples need, checks need the site; a mac gets all but torch_npu."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "-r", str(ROOT / "requirements.txt")]
    assert subprocess.run(command, capture_output=True).returncode == 0
    assert [line for line in bootstrap.pinned(bootstrap.LISTS) if ";" in line] == [
        'torch_npu==2.13.0; sys_platform == "linux"'
    ]
