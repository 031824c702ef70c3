"""Evaluating may begin with a folder of one's own: nothing is trained then."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from transformers import AutoTokenizer, LlamaConfig, LlamaForSequenceClassification

EXAMPLE = Path(__file__).parents[2] / "examples/evaluation.py"
NAMES = ["1 star", "2 star", "3 stars", "4 stars", "5 stars"]


def test_it_begins_with_the_folder_that_is_there(tmp_path: Path) -> None:
    shutil.copy(EXAMPLE, tmp_path)
    tokenizer = AutoTokenizer.from_pretrained("HuggingFaceTB/SmolLM2-135M-Instruct")
    small = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        pad_token_id=tokenizer.pad_token_id,
        id2label=dict(enumerate(NAMES)),
    )
    LlamaForSequenceClassification(small).save_pretrained(tmp_path / "stars")
    tokenizer.save_pretrained(tmp_path / "stars")
    before = (tmp_path / "stars/model.safetensors").stat().st_mtime_ns
    done = subprocess.run(
        [sys.executable, EXAMPLE.name],
        cwd=tmp_path,
        env={**os.environ, "HF_HOME": str(tmp_path / "home"), "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "accuracy:" in done.stdout and (tmp_path / "stars/model.safetensors").stat().st_mtime_ns == before
