"""导出与部署 · Export and serving"""

# %% adapter
import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer

model_id = "HuggingFaceTB/SmolLM2-135M-Instruct"
device = torch.accelerator.current_accelerator() or torch.device("cpu")
question = [{"role": "user", "content": "Who are you?"}]
answer = [{"role": "assistant", "content": "I am a Llama, tuned on Ascend."}]
trainer = SFTTrainer(
    AutoModelForCausalLM.from_pretrained(model_id, dtype=torch.bfloat16),
    args=SFTConfig(
        output_dir="trainer",
        max_steps=8,
        learning_rate=3e-3,
        logging_steps=4,
        bf16=False,  # the weights are bfloat16 already
        save_strategy="no",
        disable_tqdm=True,
    ),
    train_dataset=Dataset.from_list([{"prompt": question, "completion": answer}]),
    peft_config=LoraConfig(r=8, lora_alpha=16, target_modules="all-linear"),
)
trainer.train()
trainer.save_model("adapter")

# %% merge
from peft import PeftModel

tokenizer = AutoTokenizer.from_pretrained(model_id)
base = AutoModelForCausalLM.from_pretrained(model_id, dtype=torch.bfloat16).to(device)
merged = PeftModel.from_pretrained(base, "adapter").merge_and_unload()
merged.save_pretrained("merged", max_shard_size="5GB")
tokenizer.save_pretrained("merged")

# %% files
from pathlib import Path

for path in sorted(Path("merged").iterdir()):
    print(f"{path.stat().st_size:>12,} {path.name}")


# %% reload
def ask(folder_or_id):
    tokenizer = AutoTokenizer.from_pretrained(folder_or_id)
    model = AutoModelForCausalLM.from_pretrained(folder_or_id, dtype="auto").to(device)
    inputs = tokenizer.apply_chat_template(question, add_generation_prompt=True, return_tensors="pt")
    output = model.generate(**inputs.to(device), max_new_tokens=24, do_sample=False)
    new_tokens = output[0, inputs["input_ids"].shape[1] :]
    return model.dtype, tokenizer.decode(new_tokens, skip_special_tokens=True)


print("before:", *ask(model_id))
print("merged:", *ask("merged"))

# %% weights
from safetensors import safe_open

with safe_open("merged/model.safetensors", framework="pt") as file:
    names = list(file.keys())
print(len(names), "tensors;", [name for name in names if "lora" in name] or "none of them LoRA's")

# %% push
from huggingface_hub import HfApi

repository = f"{HfApi().whoami()['name']}/llama-on-ascend"
merged.push_to_hub(repository, private=True)
tokenizer.push_to_hub(repository)
for file in HfApi().model_info(repository, files_metadata=True).siblings:
    print(f"{file.size:>12,} {file.rfilename}")

# %% pull
print("from the hub:", *ask(repository))
