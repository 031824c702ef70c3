"""环境的常见错误 · What a broken environment prints"""

# %% child
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path


def run(code, **changes):
    """Print what this code prints in an environment with these changes, and of a traceback only the errors."""
    environment = {name: value for name, value in {**os.environ, **changes}.items() if value is not None}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    errors = [line for line in done.stderr.splitlines() if re.match(r"[\w.]*Error: ", line)]
    print(done.stdout + "\n".join(errors).replace(f"{Path.cwd()}/", ""))


# %% no_driver
try:
    subprocess.run(["npu-smi", "info"], env={"PATH": "/usr/bin:/bin"})
except FileNotFoundError as error:
    print(error)

# %% no_cann needs=["npu"]
run("import torch", LD_LIBRARY_PATH=None)

# %% shadowed
Path("torch_npu").mkdir()
Path("torch_npu/__init__.py").touch()
run("import torch")
shutil.rmtree("torch_npu")

# %% mismatch needs=["npu"]
install = [sys.executable, "-m", "pip", "install", "-qq", "--no-deps", "--target", "other", "torch_npu==2.12.0"]
subprocess.run(install, check=True)
run("import torch", PYTHONPATH="other")

# %% no_autoload
code = """
import torch
print("accelerator:", torch.accelerator.current_accelerator())
torch.zeros(2, device="npu")
"""
run(code, TORCH_DEVICE_BACKEND_AUTOLOAD="0")

# %% no_device needs=["npu"]
code = """
import torch
print("devices:", torch.npu.device_count())
torch.zeros(2, device="npu")
"""
run(code, ASCEND_RT_VISIBLE_DEVICES="99")

# %% descending needs=["npu"]
run("import torch; print('devices:', torch.npu.device_count())", ASCEND_RT_VISIBLE_DEVICES="1,0")

# %% bf16
code = """
from transformers import TrainingArguments
TrainingArguments("out", bf16=True)
"""
run(code, ASCEND_RT_VISIBLE_DEVICES="99")

# %% unreachable
code = """
from transformers import AutoConfig
AutoConfig.from_pretrained("meta-llama/Meta-Llama-3-8B-Instruct")
"""
run(code, HF_ENDPOINT="https://huggingface.invalid")
