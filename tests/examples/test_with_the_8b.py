"""What the examples promise of the real 8B: each is rehearsed, loads again what it saved, and none in full float32."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.values.example import discover
from engine.values.rehearsal import discover as rehearsed

ROOT = Path(__file__).parents[2]
EXAMPLES = {example.name: example for example in discover(ROOT / "examples")}
REHEARSALS = rehearsed(EXAMPLES.values())
COMPUTES = re.compile(r"\.train\(|\.backward\(|\.generate\(")
SAVES = re.compile(r"\.save_(?:model|pretrained)\(|\bsave_strategy=\"(?:steps|epoch)\"")
LOADS = re.compile(r"from_pretrained\((?!model_id)\S|resume_from_checkpoint=|\bask\(\"merged\"|\bpipeline\(")
OF_A_SMALL_MODEL = {
    "lora_compare.py": "which way is how accurate, and holds how much, beside the others",
    "pretraining_memory.py": "bytes of a parameter, counted; for the 8B the page multiplies them",
    "training_errors.py": "what goes wrong, and is told",
}
"""Examples of a model_id that are not for the 8B, and what they show instead."""


def with_a_model(pattern: re.Pattern[str]) -> list[str]:
    texts = {name: example.text for name, example in EXAMPLES.items() if name not in OF_A_SMALL_MODEL}
    return [name for name, text in texts.items() if "\nmodel_id = " in text and pattern.search(text)]


@pytest.mark.parametrize("name", with_a_model(COMPUTES))
def test_what_trains_or_generates_is_rehearsed(name: str) -> None:
    assert name in REHEARSALS


@pytest.mark.parametrize("name", with_a_model(re.compile(r"\.train\(|optimizer\.step\(")))
def test_what_trains_saves_and_loads_again(name: str) -> None:
    """In itself, or in the shell that starts it."""
    shells = "".join(each.text for each in EXAMPLES.values() if name in each.text and each.language == "bash")
    assert SAVES.search(EXAMPLES[name].text)
    assert LOADS.search(EXAMPLES[name].text + shells)


@pytest.mark.parametrize("name", REHEARSALS)
def test_the_8b_is_in_float32_only_where_it_is_divided(name: str) -> None:
    text = REHEARSALS[name].text
    assert "fully_shard(" in text or not re.search(r"dtype=\S*float32", text)


def test_what_did_not_run_has_a_reason_of_its_own() -> None:
    """Not of the machine that happens to build: other readers' builds, and those of their hosts, have what it lacks."""
    pages = sorted((ROOT / "docs").glob("*.rst"))
    reasons = [reason for page in pages for reason in re.findall(r":reason: (.*)", page.read_text(encoding="utf-8"))]
    assert len(reasons) > 10
    assert [reason for reason in reasons if re.search("本机|这台机器|构建本站的(机器|环境)", reason)] == []
