"""快速开始 · Quick start"""

# %% model
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

model_id = "HuggingFaceTB/SmolLM2-135M-Instruct"
device = torch.accelerator.current_accelerator() or torch.device("cpu")
tokenizer = AutoTokenizer.from_pretrained(model_id)
model = AutoModelForCausalLM.from_pretrained(model_id, dtype=torch.bfloat16).to(device)
print(f"{model.num_parameters():,} parameters on {model.device}")

# %% prompt
chat = [{"role": "user", "content": "What is the capital of France?"}]
inputs = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)
print(tokenizer.decode(inputs["input_ids"][0]))

# %% answer
output = model.generate(**inputs.to(device), max_new_tokens=64, do_sample=False)
answer = output[0, inputs["input_ids"].shape[1] :]
print(tokenizer.decode(answer, skip_special_tokens=True))
