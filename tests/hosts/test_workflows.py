"""Workflows run on hosts that we do not have: what each step runs is read, and carried out where it can be."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from tests.build.small_site import Project
from tests.hosts.conftest import ROOT
from tests.hosts.test_ascend_host import Host, X, environment_of_a_reader, small_repository

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
MADE = re.compile(r"_build/|records\b|\$|~/")  # by an earlier step, or of the runner


def jobs() -> dict[str, dict[str, dict]]:
    files = sorted((ROOT / ".github/workflows").glob("*.yml"))
    return {file.stem: yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"] for file in files}


def scripts() -> Iterator[tuple[str, str]]:
    """What each step runs, by workflow, job and number."""
    for workflow, found in jobs().items():
        for name, job in found.items():
            for number, step in enumerate(job["steps"], 1):
                if "run" in step:
                    yield f"{workflow}-{name}-{number}", step["run"]


SCRIPTS = dict(scripts())


def step(workflow: str, job: str, words: str) -> str:
    """The script of a step that has these words in it."""
    (script,) = (text for name, text in SCRIPTS.items() if name.startswith(f"{workflow}-{job}-") and words in text)
    return script


@pytest.mark.parametrize("name", SCRIPTS)
def test_what_a_step_names_is_there(name: str) -> None:
    script = re.sub(r"\$\{\{.*?\}\}", "VALUE", SCRIPTS[name])
    assert subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True).stderr == ""
    for line in re.split(r"\n|&&", script):
        words = shlex.split(line, comments=True)
        if "make" in words:
            called = words[words.index("make") + 1 :]
            assert {word for word in called if "=" not in word} <= TARGETS
            assert all(f"$({word.partition('=')[0]})" in MAKEFILE for word in called if "=" in word)
        if "-m" in words:
            assert find_spec(words[words.index("-m") + 1])
        for word in words:
            if "/" in word and "=" not in word and not MADE.search(word) and not word.startswith("http"):
                assert (ROOT / word.replace(".venv/", "")).exists() or word.startswith(".venv/bin/"), word
            if word.startswith(".ci/"):
                assert os.access(ROOT / word, os.X_OK)


def test_caches_are_kept_for_files_that_are_there() -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in (ROOT / ".github/workflows").glob("*.yml"))
    patterns = {pattern for call in re.findall(r"hashFiles\((.*?)\)", text) for pattern in re.findall(r"'(.*?)'", call)}
    assert patterns and all(any(ROOT.glob(pattern)) for pattern in patterns)


def test_records_of_a_card_are_pushed_to_a_branch_of_their_own(tmp_path: Path) -> None:
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.com"]
    subprocess.run(["git", "init", "--quiet", "--initial-branch", "main", str(origin)], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", "x"], cwd=origin, check=True)
    subprocess.run(["git", "clone", "--quiet", str(origin), str(clone)], check=True)
    record = clone / "records/Atlas 800T A2/x.py.json"
    record.parent.mkdir(parents=True)
    record.write_text("{}")
    own = {**os.environ, "GITHUB_ACTOR": "somebody", "GITHUB_RUN_ID": "7"}
    script = step("ascend", "hand-in", "git push")
    subprocess.run(["bash", "-e", "-c", script], cwd=clone, env=own, check=True, capture_output=True)
    shown = ["git", "show", "--name-only", "--format=%an", "records-7"]
    assert subprocess.check_output(shown, cwd=origin, text=True).split("\n")[::2] == [
        "somebody",
        "records/Atlas 800T A2/x.py.json",
    ]


def test_the_steps_on_a_card_record_and_build(host: Host, tmp_path: Path) -> None:
    repository = small_repository(tmp_path / "guide")
    Project(repository).write(index="Site\n====\n\n.. cells:: x.py train many\n\n.. verification::\n", x_py=X)
    one = host(2)
    (one.cann / "set_env.sh").touch()
    given = environment_of_a_reader(tmp_path / "venv")
    own = {"CANN": str(one.cann), "VENV": str(given), "HOST": "Atlas 800T A2", "EXAMPLES": "examples/*.py"}
    for words in ("engine run", "make html"):
        done = one.run("bash", "-e", "-c", step("ascend", "run", words), cwd=repository, **own)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (repository / "records/Atlas 800T A2/x.py.json").exists()
    page = (repository / "_build/html/index.html").read_text(encoding="utf-8")
    assert "Atlas 800T A2: 昇腾 NPU Ascend910B3" in page and "虚拟" not in page
