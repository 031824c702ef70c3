"""可以续训的训练脚本 · A training script that resumes"""

# %% data
from datasets import load_dataset
from transformers import AutoModelForSequenceClassification, AutoTokenizer, DataCollatorWithPadding
from transformers import Trainer, TrainingArguments, set_seed

model_id = "meta-llama/Meta-Llama-3-8B-Instruct"
tokenizer = AutoTokenizer.from_pretrained(model_id)
tokenizer.pad_token = tokenizer.eos_token
rows = load_dataset("Yelp/yelp_review_full", split="train").shuffle(seed=42).select(range(480))
rows = rows.map(lambda batch: tokenizer(batch["text"], truncation=True, max_length=64), batched=True)

set_seed(42)
model = AutoModelForSequenceClassification.from_pretrained(model_id, num_labels=5, dtype="float32")
model.config.pad_token_id = tokenizer.pad_token_id

# %% arguments
arguments = TrainingArguments(
    output_dir="checkpoints",
    save_strategy="steps",
    save_steps=20,
    save_total_limit=2,
    max_steps=60,
    per_device_train_batch_size=8,
    learning_rate=3e-4,
    logging_steps=20,
    disable_tqdm=True,
)

# %% train
from pathlib import Path

from transformers.trainer_utils import get_last_checkpoint

trainer = Trainer(
    model=model,
    args=arguments,
    train_dataset=rows,
    processing_class=tokenizer,
    data_collator=DataCollatorWithPadding(tokenizer),
)
last = get_last_checkpoint("checkpoints") if Path("checkpoints").exists() else None
print("starting from", last)
trainer.train(resume_from_checkpoint=last)

# %% losses
for entry in trainer.state.log_history:
    if "loss" in entry:
        print(f"step {entry['step']}: loss {entry['loss']:.6f}")
weights = sum(parameter.double().cpu().sum().item() for parameter in model.parameters())
print(f"sum of all weights: {weights:.6f}")
