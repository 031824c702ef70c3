"""What a run is given is what its key digests: nothing of the user's shell or of this repository reaches an example."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.place import silicon
from engine.place.packages import installed, path_of_python
from engine.place.surroundings import Surroundings, given
from engine.values.run import Run
from standins import provision

Write = Callable[..., Path]
Execute = Callable[..., dict[str, Run]]

ROOT = Path(__file__).parents[2]
USERS = {
    "LANG": "de_DE.UTF-8",
    "LC_ALL": "C",
    "TZ": "Asia/Shanghai",
    "OMP_NUM_THREADS": "7",
    "HF_HUB_CACHE": "/own",
    "HF_HUB_OFFLINE": "1",
    "MODELSCOPE_API_TOKEN": "own",
    "RANK": "0",
    "WORLD_SIZE": "2",
    "MASTER_ADDR": "other",
    "ASCEND_RT_VISIBLE_DEVICES": "0",
    "CUDA_VISIBLE_DEVICES": "0",
    "PYTHONPATH": "/own",
    "PYTHONHASHSEED": "1",
    "LD_LIBRARY_PATH": "/own",
    "CI": "true",
    "ANYTHING": "else",
}


@pytest.fixture
def report() -> dict[str, Any]:
    """Of the stand-ins of this test run."""
    told: dict[str, Any] = json.loads(Path(os.environ["STANDINS_REPORT"]).read_text(encoding="utf-8"))
    return told


@pytest.mark.parametrize("name", USERS)
@pytest.mark.trial("LC_ALL=C, TZ, HF_*, OMP_NUM_THREADS and a proxy set in the shell")
def test_a_variable_of_the_users_shell_changes_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """None of them changes what an example meets, or makes it run again."""
    before = Surroundings.here()
    monkeypatch.setenv(name, USERS[name])
    assert Surroundings.here() == before


def test_what_the_user_has_before_the_stand_ins_changes_nothing() -> None:
    ask = "import json; from engine.place.surroundings import Surroundings as S; print(json.dumps(S.here().identity))"
    told = [
        subprocess.run(
            [sys.executable, "-m", "standins", sys.executable, "-c", ask],
            env={name: value for name, value in os.environ.items() if name != "STANDINS_REPORT"} | own,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for own in ({}, {**USERS, "PATH": f"/own:{os.environ['PATH']}"})
    ]
    assert told[0] == told[1]


def test_a_way_to_the_network_is_given_and_keyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://someone:opensesame@proxy")
    here = Surroundings.here()
    assert here.environment["HTTPS_PROXY"] == "http://someone:opensesame@proxy"
    assert "HTTPS_PROXY" in here.identity["environment"] and "opensesame" not in json.dumps(here.identity)


@pytest.mark.trial(
    "Silicon: a limit of 300 s, numbers of the virtual device as judges, an example off the card called CPU"
)
def test_on_silicon_what_chooses_the_chips_is_given_and_keyed() -> None:
    """What chooses the chips there reaches the example, and a run is kept for that choice."""
    told = {"device": {"kind": "npu"}}
    cann = {"ASCEND_HOME_PATH": "/cann", "LD_LIBRARY_PATH": "/cann/lib64", "PYTHONPATH": "/cann/python"}
    one, two = (given({**cann, "ASCEND_RT_VISIBLE_DEVICES": number, "RANK": "0"}, told) for number in "01")
    assert one.items() >= {**cann, "ASCEND_RT_VISIBLE_DEVICES": "0"}.items() and "RANK" not in one
    here = Surroundings.here()
    assert replace(here, environment=one).identity != replace(here, environment=two).identity


def test_cann_driver_and_chips_are_told_by_their_files(tmp_path: Path) -> None:
    cann, driver = tmp_path / "cann", tmp_path / "usr/local/Ascend/driver"
    chip = tmp_path / "sys/bus/pci/devices/0000:01:00.0"
    for folder in (cann / "opp", driver, chip):
        folder.mkdir(parents=True)
    (cann / "opp/version.info").write_text("Version=8.5.0\n", encoding="utf-8")
    (driver / "version.info").write_text("Version=24.1\n", encoding="utf-8")
    (chip / "vendor").write_text("0x19e5\n", encoding="ascii")
    (chip / "device").write_text("0xd802\n", encoding="ascii")
    facts = silicon.facts({"ASCEND_HOME_PATH": str(cann)}, tmp_path)
    assert len(facts) == 3 and facts["chip 0xd802"] == "1"
    for file in (cann / "opp/version.info", driver / "version.info"):
        file.write_text("Version=other\n", encoding="utf-8")
        assert silicon.facts({"ASCEND_HOME_PATH": str(cann)}, tmp_path) != facts


def test_the_path_is_that_of_python_file(project: Write, run: Execute, tmp_path: Path) -> None:
    """Nothing of this repository is on it: an ``import`` of an example, or of a library, never finds ours."""
    look = "import json, sys\nprint(json.dumps(sys.path[1:]))\n"
    look += "for name in ('guide', 'conf', 'standins', 'bootstrap', 'engine'):\n"
    look += "    try:\n        __import__(name)\n        print(name)\n    except ImportError:\n        pass\n"
    folder = project(x_py=f"# %% look\n{look}")
    kernel = run(folder)["x.py"].notebook.cells[1].outputs[0].text
    here = Surroundings.here()
    alone = subprocess.run(
        [sys.executable, "x.py"], cwd=folder, env=dict(here.environment), capture_output=True, text=True, check=True
    ).stdout
    for path, shown in here.shown_paths(tmp_path).items():
        alone = alone.replace(path, shown)
    assert kernel == alone


def test_a_shell_gets_only_what_is_known(
    project: Write, run: Execute, monkeypatch: pytest.MonkeyPatch, report: dict[str, Any]
) -> None:
    for name, value in USERS.items():
        monkeypatch.setenv(name, value)
    text = (
        run(project(x_sh="# %% look\nenv -0 | cut -z -d= -f1 | tr '\\0' '\\n'\n"))["x.sh"]
        .notebook.cells[1]
        .outputs[0]
        .text
    )
    assert not {*text.split()} & {*USERS} - {"LANG", "TZ", "PYTHONPATH", *report["environment"], *report["before"]}


def test_packages_of_the_system_count_where_the_environment_sees_them(tmp_path: Path) -> None:
    ask = "import sys; sys.path.append(sys.argv[1]); from engine.place import packages as p\n"
    ask += "print(*p.installed(p.path_of_python('')))"
    for system in (True, False):
        venv.create(tmp_path / "venv", system_site_packages=system, clear=True)
        command = [tmp_path / "venv/bin/python", "-I", "-c", ask, ROOT]
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        assert ("pip" in found) == system


def test_tools_that_only_check_or_build_the_site_do_not_count(tmp_path: Path) -> None:
    needs = {"torch": ["sympy"], "sympy": [], "pytest": ["pluggy", "sympy"], "pluggy": [], "ipykernel": [], "own": []}
    needs["myst-nb"] = ["ipykernel"]
    for name, required in needs.items():
        folder = tmp_path / f"{name}-1.dist-info"
        folder.mkdir()
        lines = [f"Name: {name}", "Version: 1", *(f"Requires-Dist: {each}>=1" for each in required), "", "README"]
        (folder / "METADATA").write_text("\n".join(lines), encoding="utf-8")
    assert installed([str(tmp_path)]) == dict.fromkeys(["ipykernel", "own", "sympy", "torch"], "1")


def test_what_this_process_adds_to_its_path_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    before = path_of_python("")
    monkeypatch.syspath_prepend(str(ROOT / "docs/_ext"))
    assert path_of_python("") == before
    assert path_of_python("/own") == ("/own", *before)


def test_the_code_of_stand_ins_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = provision.join([]).content
    assert provision.join([]).content == before
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub/catalogue.py").write_text("other = 1\n", encoding="utf-8")
    monkeypatch.setattr(provision, "HERE", tmp_path)
    assert provision.join([]).content != before


def test_a_variable_that_one_run_is_given_beside_the_others_is_keyed() -> None:
    here = Surroundings.here()
    for name, value in {"OMP_NUM_THREADS": "2", "ASCEND_RT_VISIBLE_DEVICES": "0,1"}.items():
        assert replace(here, environment={**here.environment, name: value}).identity != here.identity
