"""最好的模型与磁盘 · The best model, and the disk"""

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
dataset = load_dataset("Yelp/yelp_review_full").shuffle(seed=42)


def tokenize(rows):
    return tokenizer(rows["text"], truncation=True, max_length=64)


train_dataset = dataset["train"].select(range(128)).map(tokenize, batched=True)
eval_dataset = dataset["test"].select(range(200)).map(tokenize, batched=True)

set_seed(42)
model = AutoModelForSequenceClassification.from_pretrained(
    model_id, num_labels=5, num_hidden_layers=16, pad_token_id=tokenizer.pad_token_id, dtype=torch.bfloat16
)
linear = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
lora = LoraConfig(task_type="SEQ_CLS", r=16, target_modules=linear, layers_to_transform=[12, 13, 14, 15])
model = get_peft_model(model, lora)

# %% train
import evaluate

accuracy = evaluate.load("accuracy")


def compute_metrics(evaluated):
    return accuracy.compute(predictions=evaluated.predictions.argmax(-1), references=evaluated.label_ids)


arguments = TrainingArguments(
    output_dir="checkpoints",
    eval_strategy="epoch",
    save_strategy="epoch",
    save_total_limit=2,
    load_best_model_at_end=True,
    metric_for_best_model="loss",
    num_train_epochs=6,
    per_device_train_batch_size=16,
    per_device_eval_batch_size=50,
    learning_rate=2e-3,
    bf16=True,
    use_cpu=not torch.accelerator.is_available(),
    disable_tqdm=True,
)
trainer = Trainer(
    model=model,
    args=arguments,
    train_dataset=train_dataset,
    eval_dataset=eval_dataset,
    processing_class=tokenizer,
    compute_metrics=compute_metrics,
)
trainer.remove_callback(PrinterCallback)  # what the log holds is printed below
trainer.train()

# %% best
for entry in trainer.state.log_history:
    if "eval_loss" in entry:
        print(f"step {entry['step']:3}: loss {entry['eval_loss']:.4f}, accuracy {entry['eval_accuracy']:.4f}")
print("best:", trainer.state.best_model_checkpoint)
print(f"the model in memory: loss {trainer.evaluate()['eval_loss']:.4f}")

# %% disk
from pathlib import Path

for checkpoint in sorted(Path("checkpoints").glob("checkpoint-*")):
    megabytes = sum(path.stat().st_size for path in checkpoint.iterdir()) / 2**20
    print(f"{checkpoint}: {megabytes:.1f} MiB")
    print("   ", *sorted(path.name for path in checkpoint.iterdir()))

# %% load
from peft import PeftModel

base = AutoModelForSequenceClassification.from_pretrained(
    model_id, num_labels=5, num_hidden_layers=16, pad_token_id=tokenizer.pad_token_id, dtype=torch.bfloat16
)
loaded = PeftModel.from_pretrained(base, trainer.state.best_model_checkpoint)
again = Trainer(loaded, arguments, eval_dataset=eval_dataset, processing_class=tokenizer)
again.remove_callback(PrinterCallback)
print(f"the loaded model: loss {again.evaluate()['eval_loss']:.4f}")
