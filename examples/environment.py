"""环境检查 · Environment check"""

# %% versions
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distributions, version

print("Python", platform.python_version(), platform.machine())
versions = {}
libraries = ("transformers", "huggingface_hub", "datasets", "accelerate", "peft", "trl")
for name in ("torch", "torch_npu", "numpy", "pandas", "pyarrow", "protobuf", *libraries):
    with suppress(PackageNotFoundError):
        versions[name] = version(name)
    print(f"{name:16} {versions.get(name, 'not installed')}")
nvidia = [found for found in distributions() if (found.metadata["Name"] or "").startswith("nvidia-")]
if nvidia:
    print(f"{len(nvidia)} nvidia packages: this torch is a CUDA build, import torch may abort beside torch_npu")

# %% device
import torch

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
print("device:", device)
cann = ""
if device.type == "npu":
    from torch_npu.npu.utils import get_cann_version

    cann = get_cann_version()
    print("CANN:", cann)
    for index in range(torch.npu.device_count()):
        properties = torch.npu.get_device_properties(index)
        print(f"npu:{index} {properties.name}, {properties.total_memory / 2**30:.1f} GiB")
    free, total = torch.npu.mem_get_info()
    print(f"free on npu:0: {free / 2**30:.1f} of {total / 2**30:.1f} GiB")

# %% set
import shlex
from packaging.requirements import Requirement

sets = {
    "8.5": ["torch==2.7.1", "torch_npu==2.7.1.post2", "numpy<2", "pandas<3", "pyarrow<26", "protobuf==3.20.*"],
    "9.0": ["torch==2.9.0", "torch_npu==2.9.0.post2", "protobuf==3.20.*"],
    "9.1": ["torch==2.12.0", "torch_npu==2.12.0.post2"],
}
wanted = [Requirement(line) for line in sets.get(".".join(cann.split(".")[:2]), [])]
amiss = [str(each) for each in wanted if not each.specifier.contains(versions.get(each.name, "0"))]
if not wanted:
    print(f"no set of versions for CANN {cann or '(not found)'}; there are sets for {', '.join(sets)}")
elif amiss:
    print(f"the set of versions for CANN {cann} has {', '.join(amiss)}; to change:")
    if amiss[0].startswith("torch=="):
        print(f"pip install {amiss.pop(0)} --index-url https://download.pytorch.org/whl/cpu")
    if amiss:
        print(shlex.join(["pip", "install", *amiss]))
else:
    print(f"these are the versions of the set for CANN {cann}")

# %% matmul
torch.manual_seed(0)
a, b = torch.randn(512, 512), torch.randn(512, 512)
expected = a @ b
result = (a.to(device) @ b.to(device)).cpu()
difference = ((result - expected).abs().max() / expected.abs().max()).item()
print(f"matmul on {device}: largest difference from the CPU's {difference:.1e} of the largest value")

# %% model
from transformers import LlamaConfig, LlamaForCausalLM

config = LlamaConfig(vocab_size=1000, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4)
model = LlamaForCausalLM(config).to(device, dtype=torch.bfloat16)
tokens = torch.randint(config.vocab_size, (2, 16), device=device)
loss = model(input_ids=tokens, labels=tokens).loss
loss.backward()
trained = all(parameter.grad.isfinite().all() for parameter in model.parameters())
print(f"Llama with {model.num_parameters():,} parameters on {model.device}: loss {loss.item():.3f}")

# %% verdict
release = {name: versions.get(name, "").partition("+")[0].partition(".post")[0] for name in ("torch", "torch_npu")}
problems = {
    "no NPU: the computation ran on the CPU": device.type != "npu",
    "torch and torch_npu are of different versions": release["torch"] != release["torch_npu"],
    "matmul differs from the CPU's": difference > 1e-2,
    "the model has no finite gradients": not trained,
}
found = [problem for problem, is_there in problems.items() if is_there]
print("NOT READY: " + "; ".join(found) if found else f"READY: {torch.accelerator.device_count()} NPU(s)")
