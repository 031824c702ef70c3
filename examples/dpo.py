"""偏好训练：DPO · Preference training: DPO"""

# %% data
from datasets import load_dataset

data = load_dataset("json", data_files="preference.jsonl", split="train").train_test_split(test_size=8, seed=42)
print({name: len(part) for name, part in data.items()})
for name, turns in data["train"][0].items():
    print(f"{name:8}", turns)

# %% model
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

model_id = "HuggingFaceTB/SmolLM2-135M-Instruct"
device = torch.accelerator.current_accelerator() or torch.device("cpu")
tokenizer = AutoTokenizer.from_pretrained(model_id)
if tokenizer.pad_token is None:
    tokenizer.pad_token = tokenizer.eos_token
model = AutoModelForCausalLM.from_pretrained(model_id, dtype=torch.bfloat16).to(device)

# %% trainer
from peft import LoraConfig
from transformers import PrinterCallback
from trl import DPOConfig, DPOTrainer

arguments = DPOConfig(
    output_dir="trainer",
    beta=0.1,
    loss_type=["sigmoid", "sft"],  # DPO, and the loss on the good answers
    loss_weights=[1.0, 0.3],
    max_length=512,
    num_train_epochs=2,
    per_device_train_batch_size=4,
    per_device_eval_batch_size=4,
    learning_rate=5e-4,
    warmup_steps=2,
    use_cpu=device.type == "cpu",  # DPOConfig computes in bf16, which the Trainer does on a CPU only when asked to
    logging_steps=2,
    save_strategy="no",
    disable_tqdm=True,
)
trainer = DPOTrainer(
    model,
    args=arguments,
    train_dataset=data["train"],
    eval_dataset=data["test"],
    processing_class=tokenizer,
    peft_config=LoraConfig(task_type="CAUSAL_LM", r=16, lora_alpha=32, target_modules="all-linear"),
)
trainer.remove_callback(PrinterCallback)  # a line of our own is enough


# %% before
def show(log, prefix=""):
    names = {"loss": "loss", "accuracies": "rewards/accuracies", "margins": "rewards/margins"}
    names |= {"chosen": "logps/chosen", "rejected": "logps/rejected"}
    print(*(f"{name} {float(log[prefix + key]):.2f}" for name, key in names.items()), sep="  ")


def answers(model):
    found = []
    for question in ("What is the capital of France?", "What is the opposite of big?", "What do you call a young dog?"):
        chat = [{"role": "user", "content": question}]
        inputs = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)
        output = model.eval().generate(**inputs.to(device), max_new_tokens=20, do_sample=False)
        answer = tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        found.append(f"{question} -> {answer!r}")
    return found


show(trainer.evaluate(), "eval_")
print(*answers(trainer.model), sep="\n")

# %% train
trainer.train()
for log in trainer.state.log_history:
    if "loss" in log:
        print(f"step {log['step']:2}", end="  ")
        show(log)

# %% after
show(trainer.evaluate(), "eval_")
trained = answers(trainer.model)
print(*trained, sep="\n")

# %% reload
from peft import PeftModel

trainer.save_model("adapter")
fresh = AutoModelForCausalLM.from_pretrained(model_id, dtype=torch.bfloat16).to(device)
reloaded = PeftModel.from_pretrained(fresh, "adapter")
print("the same answers:", answers(reloaded) == trained)
