"""导出与部署 · Export and serving"""

# %% adapter
adapter = "adapter"  # the folder that a training saved

# %% train
import torch
from datasets import Dataset
from peft import LoraConfig
from pathlib import Path
from transformers import AutoModelForCausalLM, AutoTokenizer, PrinterCallback
from trl import SFTConfig, SFTTrainer

model_id = "HuggingFaceTB/SmolLM2-135M-Instruct"
question = [{"role": "user", "content": "Who are you?"}]
answer = [{"role": "assistant", "content": "I am a Llama, tuned on Ascend."}]
if not Path(adapter).exists():
    model = AutoModelForCausalLM.from_pretrained(model_id, dtype=torch.bfloat16)
    trainer = SFTTrainer(
        model,
        args=SFTConfig(
            output_dir="trainer",
            max_steps=8,
            learning_rate=1.1e-3 * (2000 / model.config.hidden_size) ** 0.78,  # 2.9e-3 for the 135M
            bf16=False,  # the weights are bfloat16 already
            save_strategy="no",
            disable_tqdm=True,
        ),
        train_dataset=Dataset.from_list([{"prompt": question, "completion": answer}]),
        processing_class=AutoTokenizer.from_pretrained(model_id),
        peft_config=LoraConfig(r=8, lora_alpha=16, target_modules="all-linear"),
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    trainer.save_model(adapter)
    print("made:", adapter)

# %% merge
from peft import PeftConfig, PeftModel

base_id = PeftConfig.from_pretrained(adapter).base_model_name_or_path
tokenizer = AutoTokenizer.from_pretrained(base_id)
base = AutoModelForCausalLM.from_pretrained(base_id, dtype=torch.bfloat16)  # on the CPU
merged = PeftModel.from_pretrained(base, adapter).merge_and_unload()
merged.save_pretrained("merged", max_shard_size="5GB")
tokenizer.save_pretrained("merged")

# %% files
for path in sorted(Path("merged").iterdir()):
    print(f"{path.stat().st_size:>12,} {path.name}")

# %% reload
device = torch.accelerator.current_accelerator() or torch.device("cpu")


def ask(folder_or_id):
    tokenizer = AutoTokenizer.from_pretrained(folder_or_id)
    model = AutoModelForCausalLM.from_pretrained(folder_or_id, dtype="auto").to(device)
    inputs = tokenizer.apply_chat_template(question, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    output = model.generate(**inputs.to(device), max_new_tokens=24, do_sample=False)
    new_tokens = output[0, inputs["input_ids"].shape[1] :]
    return model.dtype, tokenizer.decode(new_tokens, skip_special_tokens=True)


print("before:", *ask(base_id))
print("merged:", *ask("merged"))

# %% weights
from safetensors import safe_open

names = []
for path in Path("merged").glob("*.safetensors"):  # one file, or several of max_shard_size
    with safe_open(path, framework="pt") as file:
        names += file.keys()
print(len(names), "tensors;", [name for name in names if "lora" in name] or "none of them LoRA's")

# %% originals
import shutil
from huggingface_hub import snapshot_download

original = Path(base_id if Path(base_id).is_dir() else snapshot_download(base_id, allow_patterns="*.json"))
for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
    if (original / name).exists():
        shutil.copy(original / name, "merged")
print("with the original files:", *ask("merged"))

# %% push
from huggingface_hub import HfApi

repository = f"{HfApi().whoami()['name']}/llama-on-ascend"
merged.push_to_hub(repository, private=True)
tokenizer.push_to_hub(repository)
for file in HfApi().model_info(repository, files_metadata=True).siblings:
    print(f"{file.size:>12,} {file.rfilename}")

# %% pull
print("from the hub:", *ask(repository))
