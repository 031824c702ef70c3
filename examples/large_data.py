"""很大的数据集 · Large data sets"""

# %% once
from pathlib import Path

from datasets import load_dataset, load_from_disk
from transformers import AutoTokenizer

model_id = "HuggingFaceTB/SmolLM2-135M-Instruct"
tokenizer = AutoTokenizer.from_pretrained(model_id)
if tokenizer.pad_token is None:
    tokenizer.pad_token = tokenizer.eos_token


def tokenize(batch):
    return tokenizer(batch["text"], truncation=True, max_length=64)


if not Path("tokenized").exists():
    reviews = load_dataset("Yelp/yelp_review_full", split="train")
    reviews.map(tokenize, batched=True, num_proc=2, remove_columns="text").save_to_disk("tokenized")
rows = load_from_disk("tokenized")
print(rows)

# %% stream
stream = load_dataset("Yelp/yelp_review_full", split="train", streaming=True)
stream = stream.shuffle(seed=42, buffer_size=1000).map(tokenize, batched=True, remove_columns="text")
print(type(stream).__name__, [len(row["input_ids"]) for row in stream.take(8)])

# %% train
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForSequenceClassification, PrinterCallback, Trainer, TrainingArguments, set_seed


def pretrained():
    return AutoModelForSequenceClassification.from_pretrained(
        model_id, num_labels=5, num_hidden_layers=4, pad_token_id=tokenizer.pad_token_id, dtype=torch.bfloat16
    )


set_seed(42)
model = get_peft_model(pretrained(), LoraConfig(task_type="SEQ_CLS", r=8, target_modules="all-linear"))
arguments = TrainingArguments(
    output_dir="trainer",
    max_steps=4,
    per_device_train_batch_size=8,
    learning_rate=2e-4,
    bf16=True,
    use_cpu=not torch.accelerator.is_available(),
    save_strategy="no",
    logging_steps=2,
    disable_tqdm=True,
)
trainer = Trainer(model, arguments, train_dataset=stream, processing_class=tokenizer)
trainer.remove_callback(PrinterCallback)
trainer.train()
print(f"{trainer.state.global_step} steps, loss {trainer.state.log_history[-1]['train_loss']:.2f} on {model.device}")

# %% load
from peft import PeftModel

trainer.save_model("adapter")
loaded = Trainer(PeftModel.from_pretrained(pretrained(), "adapter"), arguments, processing_class=tokenizer)
scores, again = (each.predict(rows.select(range(8))).predictions for each in (trainer, loaded))
print("loaded again, the same scores:", (scores == again).all())
