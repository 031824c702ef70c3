"""可以续训的训练脚本 · A training script that resumes"""

# %% data
import torch
from datasets import load_dataset
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForSequenceClassification, AutoTokenizer, PrinterCallback
from transformers import Trainer, TrainingArguments, set_seed

model_id = "HuggingFaceTB/SmolLM2-135M-Instruct"
tokenizer = AutoTokenizer.from_pretrained(model_id)
if tokenizer.pad_token is None:
    tokenizer.pad_token = tokenizer.eos_token
rows = load_dataset("Yelp/yelp_review_full", split="train").shuffle(seed=42).select(range(240))
rows = rows.map(lambda batch: tokenizer(batch["text"], truncation=True, max_length=64), batched=True)

set_seed(42)
model = AutoModelForSequenceClassification.from_pretrained(
    model_id, num_labels=5, num_hidden_layers=4, pad_token_id=tokenizer.pad_token_id, dtype=torch.bfloat16
)
model = get_peft_model(model, LoraConfig(task_type="SEQ_CLS", r=8, target_modules="all-linear"))

# %% arguments
arguments = TrainingArguments(
    output_dir="checkpoints",
    save_strategy="steps",
    save_steps=10,
    save_total_limit=2,
    max_steps=30,
    per_device_train_batch_size=8,
    learning_rate=2e-4,
    bf16=True,
    use_cpu=not torch.accelerator.is_available(),
    logging_steps=10,
    disable_tqdm=True,
)

# %% train
from pathlib import Path

from transformers.trainer_utils import get_last_checkpoint

trainer = Trainer(model=model, args=arguments, train_dataset=rows, processing_class=tokenizer)
trainer.remove_callback(PrinterCallback)  # the losses are printed below
last = get_last_checkpoint("checkpoints") if Path("checkpoints").exists() else None
print("starting from", last)
trainer.train(resume_from_checkpoint=last)

# %% losses
for entry in trainer.state.log_history:
    if "loss" in entry:
        print(f"step {entry['step']}: loss {entry['loss']:.6f}")
trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
print(f"sum of all trained weights: {sum(weight.cpu().double().sum().item() for weight in trained):.6f}")
