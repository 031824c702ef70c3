"""一个模型放在几张卡上推理 · One model over several cards, for inference"""

# %% whole needs=["npu>=2"]
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

model_id = "HuggingFaceTB/SmolLM2-135M-Instruct"
tokenizer = AutoTokenizer.from_pretrained(model_id)
question = [{"role": "user", "content": "What is the capital of France?"}]
inputs = tokenizer.apply_chat_template(question, add_generation_prompt=True, return_tensors="pt", return_dict=True)


def answer(model):
    output = model.generate(**inputs.to(model.device), max_new_tokens=12, do_sample=False)
    return tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)


whole = AutoModelForCausalLM.from_pretrained(model_id, dtype=torch.bfloat16).to("npu:0")
print(answer(whole))

# %% split needs=["npu>=2"]
size = whole.get_memory_footprint()
limits = {0: int(0.6 * size), 1: size}  # bytes for weights; for 70 GiB of them {0: "30GiB", 1: "50GiB"}
split = AutoModelForCausalLM.from_pretrained(model_id, dtype=torch.bfloat16, device_map="auto", max_memory=limits)
print(answer(split))

# %% map needs=["npu>=2"]
from itertools import groupby

for device, modules in groupby(split.hf_device_map.items(), key=lambda item: item[1]):
    names = [name for name, _ in modules]
    print(f"npu:{device}: {names[0]} ... {names[-1]}, {len(names)} modules")
