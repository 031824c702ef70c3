"""单卡多卡同一个脚本 · One script for one card or several"""

# %% arguments
import os

from accelerate.utils import gather_object
from transformers import TrainingArguments

cards = int(os.environ.get("WORLD_SIZE", 1))
arguments = TrainingArguments(
    output_dir="distributed",
    max_steps=4,
    per_device_train_batch_size=16 // cards,
    learning_rate=3e-4,
    logging_steps=2,
    save_strategy="no",
    average_tokens_across_devices=False,
    ddp_timeout=7200,
    disable_tqdm=True,
)
places = gather_object([f"process {arguments.process_index} on {arguments.device}"])
if arguments.process_index == 0:
    print(*places, sep="\n")

# %% data
from datasets import load_dataset
from transformers import AutoTokenizer, DataCollatorWithPadding

model_id = "HuggingFaceTB/SmolLM2-135M-Instruct"
tokenizer = AutoTokenizer.from_pretrained(model_id)
if tokenizer.pad_token is None:
    tokenizer.pad_token = tokenizer.eos_token
with arguments.main_process_first():
    rows = load_dataset("Yelp/yelp_review_full", split="train").shuffle(seed=42).select(range(160))
    rows = rows.map(lambda batch: tokenizer(batch["text"], truncation=True, max_length=64), batched=True)

# %% model
from transformers import AutoModelForSequenceClassification, set_seed

set_seed(42)
model = AutoModelForSequenceClassification.from_pretrained(
    model_id, num_hidden_layers=4, num_labels=5, pad_token_id=tokenizer.pad_token_id, dtype="float32"
)
model.get_input_embeddings().requires_grad_(False)

# %% train
from transformers import PrinterCallback, Trainer

trainer = Trainer(
    model=model,
    args=arguments,
    train_dataset=rows,
    processing_class=tokenizer,
    data_collator=DataCollatorWithPadding(tokenizer),
)
trainer.remove_callback(PrinterCallback)  # two lines of our own are enough
trainer.train()
if trainer.is_world_process_zero():
    for entry in trainer.state.log_history:
        if "loss" in entry:
            print(f"step {entry['step']}: loss {float(entry['loss']):.4f}")

# %% memory needs=["npu"]
import torch

kept = gather_object([round(torch.npu.memory_allocated() / 2**20)])
if trainer.is_world_process_zero():
    print("kept between steps, MiB on each card:", kept)

# %% save
predicted = trainer.predict(rows.select(range(8))).predictions
trainer.save_model("trained")
if trainer.is_world_process_zero():
    print("stars:", (predicted.argmax(-1) + 1).tolist())
