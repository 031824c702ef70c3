"""What was converted from Meta's files is the model that the hub has in transformers' format."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.getting_ready.conftest import Run

COMPARE = """
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

ours, theirs = "Meta-Llama-3-8B-Instruct", "meta-llama/Meta-Llama-3-8B-Instruct"
texts = ["Do not meddle in the affairs of wizards.", "昇腾 NPU 上的微调"]
chat = [{"role": "user", "content": " Hello "}, {"role": "assistant", "content": "Hi"}]
results = []
for name in (ours, theirs):
    tokenizer = AutoTokenizer.from_pretrained(name)
    model = AutoModelForCausalLM.from_pretrained(name, dtype="bfloat16")
    encoded = tokenizer(texts[0], return_tensors="pt")
    prompt = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    results.append((model(**encoded).logits, tokenizer(texts)["input_ids"], prompt, len(tokenizer)))
(logits, *tokens), (expected, *expected_tokens) = results
assert tokens == expected_tokens, (tokens, expected_tokens)
torch.testing.assert_close(logits, expected)
print("equal")
"""


def test_it_computes_and_tokenizes_the_same(run: Run, tmp_path: Path) -> None:
    for script in ("model_convert.py", "model_convert_tokens.py"):
        done = run(script)
        assert done.returncode == 0, done.stderr
    environment = {**os.environ, "HF_HOME": str(tmp_path / "huggingface")}
    compared = subprocess.run(
        [sys.executable, "-c", COMPARE], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert compared.stdout.strip() == "equal", compared.stderr
