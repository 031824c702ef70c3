"""An example is a program of its own: in an empty folder, with nothing imported before it, and where there is no NPU.

Most show all of this in one run, ``python FILE`` on a plain CPU.  What has a cell for NPUs alone runs there cell by
cell, as a build of the site would have it.  Training is shortened: how far it gets is for the run of the build to show.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from benchmarks.run import plain_cpu
from engine.shards import recorded
from engine.values.example import discover

EXAMPLES = {example.name: example for example in discover(Path(__file__).parents[2] / "examples")}
SHORTENED = Path(__file__).with_name("shortened")
LONG = 15  # seconds
VERY_LONG = 50
ELSEWHERE = {  # tests that run it alone, and look at what it says
    "environment.py": "getting_ready/test_environment_check.py",
    "evaluation.py": "chapters/test_evaluation.py",
    "laptop.py": "hosts/test_laptop.py",
    "model_convert.py": "getting_ready/test_conversion.py",
    "model_convert_tokens.py": "getting_ready/test_conversion.py",
    "model_hf_errors.py": "getting_ready/test_hub_pages.py",
    "model_huggingface.py": "getting_ready/test_hub_pages.py",
    "model_meta.py": "getting_ready/test_meta_script.py",
    "model_modelscope.py": "getting_ready/test_hub_pages.py",
    "my_data.py": "chapters/test_my_data.py",
}


def started_by_a_shell(name: str) -> bool:
    """Whether a shell example runs it, as a plain program in an empty folder."""
    command = re.compile(rf"^ *(?:python|torchrun) (?:.* )?{re.escape(name)}\b", re.MULTILINE)
    return any(command.search(example.text) for example in EXAMPLES.values() if example.language == "bash")


def wants_npu(name: str) -> bool:
    """Whether a cell of it does."""
    return any(need.startswith("npu") for cell in EXAMPLES[name].cells for need in cell.needs)


# Not those that import nothing but Python's own, shells among them: nothing has been imported for their kernel either.
ALONE = [
    name
    for name, example in EXAMPLES.items()
    if example.needs_libraries and name not in ELSEWHERE and not started_by_a_shell(name)
]


@pytest.fixture(scope="session")
def without_npu() -> Iterator[Mapping[str, str]]:
    """The environment of a host that has none."""
    with plain_cpu() as environment:
        yield environment


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_runs_alone_elsewhere_does(name: str) -> None:
    assert name in EXAMPLES
    assert name in (Path(__file__).parents[1] / ELSEWHERE[name]).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [name for name in ALONE if wants_npu(name)])
def test_it_runs_alone_on_an_npu(name: str, tmp_path: Path) -> None:
    run_alone(name, tmp_path, os.environ)


@pytest.mark.parametrize("name", [name for name in ALONE if not wants_npu(name)])
def test_it_runs_alone_without_an_npu(name: str, tmp_path: Path, without_npu: Mapping[str, str]) -> None:
    assert "npu:0" not in run_alone(name, tmp_path, without_npu)


def run_alone(name: str, folder: Path, environment: Mapping[str, str]) -> str:
    """What it prints."""
    for path in (EXAMPLES[name].path, *EXAMPLES[name].companions):
        shutil.copy(path, folder)
    homes = {home: str(folder / home) for home in ("HF_HOME", "MODELSCOPE_CACHE")}
    path = [str(SHORTENED), *filter(None, [environment.get("PYTHONPATH")])]
    layers = {"FEW_LAYERS": "4"} if recorded().get(name, 0) > VERY_LONG else {}
    done = subprocess.run(
        [sys.executable, name],
        cwd=folder,
        env={**environment, **homes, **layers, "MPLBACKEND": "agg", "PYTHONPATH": os.pathsep.join(path)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_all_others_run_without_an_npu(tmp_path: Path, without_npu: Mapping[str, str]) -> None:
    """Cells that need one are skipped; the rest run.  Shells that take long only start others, again and again."""
    took = recorded()
    others = [example.path for name, example in EXAMPLES.items() if name not in ALONE or wants_npu(name)]
    long = [path for path in others if took.get(path.name, 0) > LONG]
    files = [path for path in others if path not in long]
    files += [shortened(path, tmp_path / "examples") for path in long if path.suffix == ".py"]
    command = [sys.executable, "-m", "engine", "run", *map(str, files)]
    command += ["--cache", str(tmp_path / "runs"), "--record", str(tmp_path / "records")]
    done = subprocess.run(
        command, env=dict(without_npu), cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False
    )
    failed = [line for line in done.stdout.splitlines() if " in cell " in line]
    assert (done.returncode, failed) == (0, []), done.stderr[-2000:]
    records = [json.loads(path.read_text(encoding="utf-8")) for path in (tmp_path / "records").glob("*.json")]
    assert [record["device"]["kind"] for record in records] == ["cpu"] * len(files)


def shortened(path: Path, folder: Path) -> Path:
    """A copy, under another name, for its numbers are not those that are recorded; its data beside it."""
    folder.mkdir(exist_ok=True)
    for data in path.parent.glob("*.jsonl"):
        shutil.copy(data, folder)
    code = f"exec(open({str(SHORTENED / 'sitecustomize.py')!r}).read())\n"
    copy = folder / f"short_{path.name}"
    copy.write_text(re.sub(r"^# %%.*\n", lambda marker: marker[0] + code, path.read_text(), count=1, flags=re.M))
    return copy
