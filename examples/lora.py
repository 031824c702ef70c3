"""LoRA：只训练一小部分 · LoRA: training a small part"""

# %% data
import json

from datasets import load_dataset
from transformers import AutoTokenizer

model_id = "HuggingFaceTB/SmolLM2-135M-Instruct"
tokenizer = AutoTokenizer.from_pretrained(model_id, padding_side="left")
if tokenizer.pad_token is None:
    tokenizer.pad_token = tokenizer.eos_token


def to_chat(review):
    sentiment = "positive" if review["label"] > 2 else "negative"
    question = {"role": "user", "content": "Sentiment of this review, as JSON:\n" + review["text"][:2000]}
    return [question, {"role": "assistant", "content": json.dumps({"sentiment": sentiment})}]


def tokenize(review):
    chat = to_chat(review)
    prompt = tokenizer.apply_chat_template(chat[:1], add_generation_prompt=True, return_dict=True)["input_ids"]
    whole = tokenizer.apply_chat_template(chat, return_dict=True)["input_ids"]
    return {"input_ids": whole, "labels": [-100] * len(prompt) + whole[len(prompt) :]}


reviews = load_dataset("Yelp/yelp_review_full").filter(lambda review: review["label"] != 2).shuffle(seed=42)
train_dataset = reviews["train"].select(range(48)).map(tokenize, remove_columns=["label", "text"])
held_out = [to_chat(review) for review in reviews["test"].select(range(8))]

# %% base
import torch
from transformers import AutoModelForCausalLM, set_seed

set_seed(42)
device = torch.accelerator.current_accelerator() or torch.device("cpu")
base = AutoModelForCausalLM.from_pretrained(model_id, dtype=torch.bfloat16).to(device)


# %% before
def answers(model):
    prompts = [chat[:1] for chat in held_out]
    batch = tokenizer.apply_chat_template(
        prompts, add_generation_prompt=True, padding=True, return_tensors="pt", return_dict=True
    )
    output = model.eval().generate(**batch.to(device), max_new_tokens=12, do_sample=False)
    return tokenizer.batch_decode(output[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)


def show(given):
    for chat, answer in list(zip(held_out, given, strict=True))[:4]:
        print(f"{chat[0]['content'].splitlines()[1][:90]} -> {answer!r}")


show(answers(base))

# %% lora
from peft import LoraConfig, get_peft_model

base.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
config = LoraConfig(task_type="CAUSAL_LM", r=16, lora_alpha=32, target_modules="all-linear")
model = get_peft_model(base, config)
model.print_trainable_parameters()

# %% train
from transformers import DataCollatorForSeq2Seq, PrinterCallback, Trainer, TrainingArguments

arguments = TrainingArguments(
    output_dir="trainer",
    num_train_epochs=1,
    per_device_train_batch_size=2,
    gradient_accumulation_steps=2,
    learning_rate=5e-4 * (2000 / base.config.hidden_size) ** 0.78,
    logging_steps=2,
    save_strategy="no",
    disable_tqdm=True,
)
trainer = Trainer(model, arguments, train_dataset=train_dataset, data_collator=DataCollatorForSeq2Seq(tokenizer))
trainer.remove_callback(PrinterCallback)
trainer.train()
for entry in trainer.state.log_history[:-1]:
    print(f"step {entry['step']}: loss {float(entry['loss']):.3f}")

# %% after
adapted = answers(model)
show(adapted)
right = sum(answer == chat[1]["content"] for answer, chat in zip(adapted, held_out, strict=True))
print(f"right to the letter: {right} of {len(held_out)}")

# %% adapter
from pathlib import Path

trainer.save_model("adapter")
for path in sorted(Path("adapter").iterdir()):
    print(f"{path.name:28} {path.stat().st_size / 2**20:7.2f} MiB")

# %% reload
from peft import PeftModel

fresh = AutoModelForCausalLM.from_pretrained(model_id, dtype=torch.bfloat16).to(device)
reloaded = PeftModel.from_pretrained(fresh, "adapter")
print("the same answers:", answers(reloaded) == adapted)

# %% merge
merged = reloaded.merge_and_unload()
print(type(merged).__name__, "the same answers:", answers(merged) == adapted)
