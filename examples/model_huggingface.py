"""Hugging Face：Python · Hugging Face: Python"""

# %% download
from pathlib import Path

from huggingface_hub import snapshot_download

folder = snapshot_download(
    "meta-llama/Meta-Llama-3-8B-Instruct",
    revision="8afb486c1db24fe5011ec46dfbe5b5dccdb575c2",
    ignore_patterns=["original/*"],
)
for path in sorted(Path(folder).iterdir()):
    print(f"{path.stat().st_size:>12,} {path.name}")

# %% load
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder, dtype="bfloat16")
print(f"{model.num_parameters():,} parameters in {model.dtype}")

# %% original
original = snapshot_download("meta-llama/Meta-Llama-3-8B-Instruct", allow_patterns="original/*") + "/original"
print(*sorted(path.name for path in Path(original).iterdir()))
try:
    AutoModelForCausalLM.from_pretrained(original)
except (OSError, ValueError) as error:
    print(type(error).__name__ + ":", str(error).replace(original, "original").splitlines()[0])

# %% offline
import os
import subprocess
import sys

code = """
from transformers import AutoTokenizer
print(len(AutoTokenizer.from_pretrained("meta-llama/Meta-Llama-3-8B-Instruct")), "tokens without the network")
"""
subprocess.run([sys.executable, "-c", code], env={**os.environ, "HF_HUB_OFFLINE": "1"}, check=True)

# %% offline_missing
code = """
from huggingface_hub import snapshot_download
try:
    snapshot_download("HuggingFaceTB/SmolLM2-135M-Instruct")
except Exception as error:
    print(type(error).__name__ + ":", error)
"""
subprocess.run([sys.executable, "-c", code], env={**os.environ, "HF_HUB_OFFLINE": "1"}, check=True)
