"""最好的模型与磁盘 · The best model, and the disk"""

# %% data
from datasets import load_dataset
from transformers import AutoModelForSequenceClassification, AutoTokenizer, DataCollatorWithPadding
from transformers import Trainer, TrainingArguments, set_seed

model_id = "meta-llama/Meta-Llama-3-8B-Instruct"
tokenizer = AutoTokenizer.from_pretrained(model_id)
tokenizer.pad_token = tokenizer.eos_token
dataset = load_dataset("Yelp/yelp_review_full").shuffle(seed=42)


def tokenize(rows):
    return tokenizer(rows["text"], truncation=True, max_length=64)


train_dataset = dataset["train"].select(range(480)).map(tokenize, batched=True)
eval_dataset = dataset["test"].select(range(400)).map(tokenize, batched=True)

set_seed(42)
model = AutoModelForSequenceClassification.from_pretrained(
    model_id, num_labels=5, pad_token_id=tokenizer.pad_token_id, dtype="float32"
)
model.model.embed_tokens.requires_grad_(False)

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
    metric_for_best_model="accuracy",
    num_train_epochs=6,
    per_device_train_batch_size=16,
    learning_rate=2e-3,
    disable_tqdm=True,
)
trainer = Trainer(
    model=model,
    args=arguments,
    train_dataset=train_dataset,
    eval_dataset=eval_dataset,
    processing_class=tokenizer,
    data_collator=DataCollatorWithPadding(tokenizer),
    compute_metrics=compute_metrics,
)
trainer.train()

# %% best
for entry in trainer.state.log_history:
    if "eval_accuracy" in entry:
        print(f"step {entry['step']:3}: accuracy {entry['eval_accuracy']:.4f}, loss {entry['eval_loss']:.4f}")
print("best:", trainer.state.best_model_checkpoint)
print(f"the model in memory: {trainer.evaluate()['eval_accuracy']:.4f}")

# %% disk
from pathlib import Path

for checkpoint in sorted(Path("checkpoints").glob("checkpoint-*")):
    megabytes = sum(path.stat().st_size for path in checkpoint.iterdir()) / 2**20
    print(f"{checkpoint}: {megabytes:.1f} MiB")
    print("   ", *sorted(path.name for path in checkpoint.iterdir()))
