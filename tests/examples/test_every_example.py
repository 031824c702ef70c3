"""What holds for every example: it runs, on the device, and alone; and it knows nothing of this repository."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.session import failure_message
from engine.values.example import discover
from engine.values.run import Run

EXAMPLES = {example.name: example for example in discover(Path(__file__).parents[2] / "examples")}
OURS = re.compile(
    r"127\.0\.0\.1|localhost|stand.?in|loopback|virtual|STANDINS|import engine|from engine|hf_[A-Za-z0-9]{8}"
)

SHORTENED = Path(__file__).with_name("shortened")
COMPARES = ("laptop.py",)  # with the CPU, before it goes to the device
ELSEWHERE = {  # tests that run it alone, and look at what it says
    "environment.py": "getting_ready/test_environment_check.py",
    "environment_errors.py": "getting_ready/test_environment_check.py",
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
COMPUTES = re.compile(r"\.train\(|\.generate\(")  # with a model, in its own process or in one it starts


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_runs_as_the_build_runs_it(name: str, runs: dict[str, Run]) -> None:
    run = runs[name]
    assert run.record.succeeded, failure_message(run, Path("examples") / name)


@pytest.mark.parametrize("name", EXAMPLES)
def test_its_models_and_batches_were_on_the_device(name: str, runs: dict[str, Run]) -> None:
    device = runs[name].record.device
    if device.kind == "cpu":
        pytest.skip("this machine has neither an NPU nor a compiler for the virtual one")
    seen = {where.partition(":")[0] for where in (*device.models, *device.batches)} - {"meta"}  # shapes, no numbers
    if name in COMPARES:
        assert seen == {"npu", "cpu"}
        return
    texts = [EXAMPLES[name].text, *(path.read_text(encoding="utf-8") for path in EXAMPLES[name].companions)]
    assert seen == {"npu"} if any(COMPUTES.search(text) for text in texts) else seen <= {"npu"}


def started_by_a_shell(name: str) -> bool:
    """Whether a shell example runs it, as a plain program in an empty folder."""
    command = re.compile(rf"^ *(?:python|torchrun) (?:.* )?{re.escape(name)}\b", re.MULTILINE)
    return any(command.search(example.text) for example in EXAMPLES.values() if example.language == "bash")


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_runs_alone_elsewhere_does(name: str) -> None:
    assert name in EXAMPLES
    assert name in (Path(__file__).parents[1] / ELSEWHERE[name]).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name",
    [name for name in EXAMPLES if name.endswith(".py") and not started_by_a_shell(name) and name not in ELSEWHERE],
)
def test_it_runs_alone_in_an_empty_folder(name: str, tmp_path: Path) -> None:
    """All of it, but for the length of training: that is what the run of the build is for.

    Shells run there in a bash of their own, in an empty folder and with nothing imported before: that is the same.
    """
    example = EXAMPLES[name]
    for path in (example.path, *example.companions):
        shutil.copy(path, tmp_path)
    homes = {home: str(tmp_path / home) for home in ("HF_HOME", "MODELSCOPE_CACHE")}
    path = [str(SHORTENED), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [sys.executable, name],
        cwd=tmp_path,
        env={**os.environ, **homes, "MPLBACKEND": "agg", "PYTHONPATH": os.pathsep.join(path)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name.endswith(".sh")])
def test_a_loop_that_waits_ends_when_what_it_waits_for_has_died(name: str) -> None:
    loops = re.findall(r"^ *(?:until|while)\b.*?\bdone\b", EXAMPLES[name].text, re.MULTILINE | re.DOTALL)
    assert not [loop for loop in loops if "sleep" in loop and "kill -0" not in loop]


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_knows_nothing_of_this_repository(name: str) -> None:
    text = EXAMPLES[name].text.replace("http://localhost:{port}", "").replace('"NO_PROXY"] = "localhost"', "")
    assert not OURS.search(text)  # less the address of the server that an example starts itself
