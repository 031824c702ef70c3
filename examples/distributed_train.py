"""单卡多卡同一个脚本 · One script for one card or several"""

# %% data
from datasets import load_dataset
from transformers import AutoModelForSequenceClassification, AutoTokenizer, DataCollatorWithPadding
from transformers import Trainer, TrainingArguments, set_seed

model_id = "meta-llama/Meta-Llama-3-8B-Instruct"
tokenizer = AutoTokenizer.from_pretrained(model_id)
tokenizer.pad_token = tokenizer.eos_token
rows = load_dataset("Yelp/yelp_review_full", split="train").shuffle(seed=42).select(range(160))
rows = rows.map(lambda batch: tokenizer(batch["text"], truncation=True, max_length=64), batched=True)

set_seed(42)
model = AutoModelForSequenceClassification.from_pretrained(model_id, num_labels=5, dtype="float32")
model.config.pad_token_id = tokenizer.pad_token_id

# %% arguments
import os

from accelerate.utils import gather_object

cards = int(os.environ.get("WORLD_SIZE", 1))
arguments = TrainingArguments(
    output_dir="distributed",
    max_steps=10,
    per_device_train_batch_size=16 // cards,
    learning_rate=3e-4,
    logging_steps=5,
    save_strategy="no",
    average_tokens_across_devices=False,
    disable_tqdm=True,
)
places = gather_object([f"process {arguments.process_index} on {arguments.device}"])
if arguments.process_index == 0:
    print(*places, sep="\n")

# %% train
trainer = Trainer(
    model=model,
    args=arguments,
    train_dataset=rows,
    processing_class=tokenizer,
    data_collator=DataCollatorWithPadding(tokenizer),
)
result = trainer.train()

# %% result
if trainer.is_world_process_zero():
    for entry in trainer.state.log_history:
        if "loss" in entry:
            print(f"step {entry['step']}: loss {entry['loss']:.4f}")
    print(f"throughput {result.metrics['train_samples_per_second']:.1f} reviews per second")

# %% memory needs=["npu"]
import torch

kept = gather_object([round(torch.accelerator.memory_allocated() / 2**20)])
if trainer.is_world_process_zero():
    print("kept between steps, MiB on each card:", kept)
