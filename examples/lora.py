"""LoRA：只训练一小部分 · LoRA: training a small part"""

# %% data
from datasets import load_dataset
from transformers import AutoTokenizer

model_id = "meta-llama/Meta-Llama-3-8B-Instruct"
tokenizer = AutoTokenizer.from_pretrained(model_id)
tokenizer.pad_token = tokenizer.eos_token
dataset = load_dataset("Yelp/yelp_review_full").shuffle(seed=42)


def tokenize(rows):
    return tokenizer(rows["text"], truncation=True, max_length=128)


train_dataset = dataset["train"].select(range(1000)).map(tokenize, batched=True)
eval_dataset = dataset["test"].select(range(500)).map(tokenize, batched=True)

# %% base
from transformers import AutoModelForSequenceClassification, set_seed

set_seed(42)
base = AutoModelForSequenceClassification.from_pretrained(
    model_id, num_labels=5, pad_token_id=tokenizer.pad_token_id, dtype="float32"
)

# %% lora
import copy
from peft import LoraConfig, get_peft_model

config = LoraConfig(task_type="SEQ_CLS", r=16, lora_alpha=32, target_modules="all-linear")
model = get_peft_model(copy.deepcopy(base), config)
model.print_trainable_parameters()

# %% train
from transformers import Trainer, TrainingArguments

arguments = TrainingArguments(
    output_dir="trainer",
    num_train_epochs=2,
    per_device_train_batch_size=16,
    learning_rate=2e-3,
    logging_steps=21,
    save_strategy="no",
    disable_tqdm=True,
)
trainer = Trainer(model, arguments, train_dataset=train_dataset, eval_dataset=eval_dataset, processing_class=tokenizer)
trainer.train()
trainer.evaluate()

# %% adapter
from pathlib import Path

model.save_pretrained("adapter")
for path in sorted(Path("adapter").iterdir()):
    print(f"{path.name:28} {path.stat().st_size / 2**20:7.2f} MiB")

# %% merge
import torch

reviews = ["Great food and friendly people.", "Cold soup, rude waiter."]
model.eval()
inputs = tokenizer(reviews, padding=True, return_tensors="pt").to(model.device)
with torch.no_grad():
    adapted = model(**inputs).logits
    merged = model.merge_and_unload()
    difference = (merged(**inputs).logits - adapted).abs().max().item()
print(f"{type(merged).__name__}, largest difference of the logits {difference:.1e}")
merged.save_pretrained("merged")

# %% reload
from peft import PeftModel

for folder, model in (
    ("adapter", PeftModel.from_pretrained(base, "adapter")),
    ("merged", AutoModelForSequenceClassification.from_pretrained("merged")),
):
    with torch.no_grad():
        logits = model.to(inputs["input_ids"].device).eval()(**inputs).logits
    stars = (logits.argmax(-1) + 1).tolist()
    difference = (logits - adapted).abs().max().item()
    print(f"{folder}: stars {stars}, largest difference {difference:.1e}")
