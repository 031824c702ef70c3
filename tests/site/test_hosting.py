"""The files by which hosts build the site call make, whose targets exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from built_site import ROOT

TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def commands() -> dict[str, list[str]]:
    read_the_docs = yaml.safe_load((ROOT / ".readthedocs.yaml").read_text(encoding="utf-8"))
    workflow = yaml.safe_load((ROOT / ".github/workflows/pages.yml").read_text(encoding="utf-8"))
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    return {
        "Read the Docs": read_the_docs["build"]["jobs"]["build"]["html"],
        "GitHub Pages": [step["run"] for step in steps if "run" in step],
    }


@pytest.mark.parametrize("host", ["Read the Docs", "GitHub Pages"])
def test_a_host_builds_by_make(host: str) -> None:
    called = {
        target
        for command in commands()[host]
        for call in re.findall(r"\bmake((?: [a-z]+)+)", command)
        for target in call.split()
    }
    assert "html" in called
    assert called <= TARGETS


def test_nothing_is_published_by_a_pull_request() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/pages.yml").read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["jobs"]["deploy"]["if"] == "github.event_name != 'pull_request'"


def test_only_what_passed_every_test_is_published_and_its_examples_ran_on_several_machines() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/pages.yml").read_text(encoding="utf-8"))["jobs"]
    assert set(jobs["deploy"]["needs"]) == {"build", "test"}
    assert jobs["build"]["needs"] == jobs["test"]["needs"] == "examples"
    assert len(jobs["examples"]["strategy"]["matrix"]["shard"]) > 1
    kept = next(step["with"] for step in jobs["examples"]["steps"] if "upload-artifact" in step.get("uses", ""))
    for job in ("build", "test"):
        put = next(step["with"] for step in jobs[job]["steps"] if "download-artifact" in step.get("uses", ""))
        assert (put["path"], put["merge-multiple"]) == (kept["path"], True)


@pytest.mark.parametrize(
    ("schema", "file"),
    [("readthedocs", ".readthedocs.yaml")]
    + [("github-workflows", f".github/workflows/{name}.yml") for name in ("pages", "sets", "ascend")],
)
def test_a_host_understands_the_file(schema: str, file: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(ROOT / file)]
    checked = subprocess.run(command, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def test_pull_requests_are_tested_and_no_stranger_reaches_a_runner_of_ours() -> None:
    events = {
        file.stem: yaml.safe_load(file.read_text(encoding="utf-8"))[True] for file in WORKFLOWS
    }  # YAML: on is True
    assert "pull_request" in events["pages"]
    assert [*events["ascend"]] == ["workflow_dispatch"]


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_actions_are_pinned(file: Path) -> None:
    used = re.findall(r"uses: (.*)", file.read_text(encoding="utf-8"))
    assert used and all(re.fullmatch(r"actions/[\w/-]+@[0-9a-f]{40} # v[\d.]+", each) for each in used), used
