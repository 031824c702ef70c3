"""ModelScope：Python · ModelScope: Python"""

# %% download
from pathlib import Path

from modelscope import snapshot_download

model_dir = snapshot_download(
    "LLM-Research/Meta-Llama-3-8B-Instruct",
    cache_dir="models",
    revision="master",
    ignore_patterns=["original/*"],
)
print(model_dir)
for path in sorted(Path(model_dir).iterdir()):
    print(f"{path.stat().st_size:>12,} {path.name}")

# %% load
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(model_dir)
model = AutoModelForCausalLM.from_pretrained(model_dir, dtype="bfloat16")
print(f"{model.num_parameters():,} parameters in {model.dtype}")
print(tokenizer("昇腾 NPU")["input_ids"])

# %% again
again = snapshot_download("LLM-Research/Meta-Llama-3-8B-Instruct", cache_dir="models", local_files_only=True)
print("without the network, the same folder:", again == model_dir)

# %% wrong
try:
    snapshot_download("LLM-Research/Meta-Llama-3-9B-Instruct", cache_dir="models")
except Exception as error:
    print(type(error).__name__ + ":", error)
