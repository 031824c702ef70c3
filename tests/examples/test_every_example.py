"""What holds for every example: it runs, on the device; and it knows nothing of this repository."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.session import failure_message
from engine.values.example import discover
from engine.values.run import Run

EXAMPLES = {example.name: example for example in discover(Path(__file__).parents[2] / "examples")}
OURS = re.compile(
    r"127\.0\.0\.1|localhost|stand.?in|loopback|virtual|STANDINS|import engine|from engine|hf_[A-Za-z0-9]{8}"
)

COMPARES = ("laptop.py", "distributed.sh", "sharding.sh")  # with the CPU: before it goes to the device, and after
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


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name.endswith(".sh")])
def test_a_loop_that_waits_ends_when_what_it_waits_for_has_died(name: str) -> None:
    loops = re.findall(r"^ *(?:until|while)\b.*?\bdone\b", EXAMPLES[name].text, re.MULTILINE | re.DOTALL)
    assert not [loop for loop in loops if "sleep" in loop and "kill -0" not in loop]


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_knows_nothing_of_this_repository(name: str) -> None:
    text = EXAMPLES[name].text.replace("http://localhost:{port}", "")
    text = re.sub(r'os\.environ\["NO_PROXY"\] = .*"localhost"', "", text)
    assert not OURS.search(text)  # less the address of the server that an example starts itself
