"""微调：给评论打星 · Fine-tuning: stars for reviews"""

# %% data
from datasets import load_dataset
from transformers import AutoTokenizer

model_id = "meta-llama/Meta-Llama-3-8B-Instruct"
tokenizer = AutoTokenizer.from_pretrained(model_id)
tokenizer.pad_token = tokenizer.eos_token
dataset = load_dataset("Yelp/yelp_review_full")
small_train_dataset = dataset["train"].shuffle(seed=42).select(range(2000))
small_eval_dataset = dataset["test"].shuffle(seed=42).select(range(1000))


def tokenize_function(examples):
    return tokenizer(examples["text"], truncation=True, max_length=128)


small_train_dataset = small_train_dataset.map(tokenize_function, batched=True)
small_eval_dataset = small_eval_dataset.map(tokenize_function, batched=True)

# %% causal
import torch
from transformers import AutoModelForCausalLM, DataCollatorWithPadding

device = torch.accelerator.current_accelerator() or torch.device("cpu")
collator = DataCollatorWithPadding(tokenizer)
eight = small_train_dataset.remove_columns("text").select(range(8))
batch = collator(list(eight)).to(device)
causal_model = AutoModelForCausalLM.from_pretrained(model_id).to(device)
print({name: tuple(tensor.shape) for name, tensor in batch.items()})
try:
    causal_model(**batch)
except ValueError as error:
    print(error)

# %% model
from transformers import AutoModelForSequenceClassification, set_seed

set_seed(42)
model = AutoModelForSequenceClassification.from_pretrained(model_id, num_labels=5, dtype="float32")
model.config.pad_token_id = tokenizer.pad_token_id

# %% metric
import evaluate
import numpy as np

metric = evaluate.load("accuracy")


def compute_metrics(eval_pred):
    logits, labels = eval_pred
    predictions = np.argmax(logits, axis=-1)
    return metric.compute(predictions=predictions, references=labels)


# %% arguments
from transformers import TrainingArguments

training_args = TrainingArguments(
    output_dir="test_trainer",
    eval_strategy="epoch",
    logging_strategy="epoch",
    save_strategy="no",
    num_train_epochs=3,
    per_device_train_batch_size=16,
    per_device_eval_batch_size=64,
    learning_rate=4e-4,
    seed=42,
    disable_tqdm=True,
)
print(training_args.device)

# %% trainer
from transformers import Trainer

trainer = Trainer(
    model=model,
    args=training_args,
    train_dataset=small_train_dataset,
    eval_dataset=small_eval_dataset,
    processing_class=tokenizer,
    data_collator=collator,
    compute_metrics=compute_metrics,
)

# %% before
before = trainer.evaluate()
majority = max(np.bincount(small_eval_dataset["label"])) / len(small_eval_dataset)
print(f"accuracy before: {before['eval_accuracy']:.3f}, of always saying the commonest star: {majority:.3f}")

# %% train
trainer.train()

# %% table
import pandas as pd

log = pd.DataFrame(trainer.state.log_history)
epochs = pd.DataFrame(
    {
        "loss": log.dropna(subset="loss").set_index("epoch")["loss"],
        "eval_loss": log.dropna(subset="eval_loss").groupby("epoch")["eval_loss"].last(),
        "eval_accuracy": log.dropna(subset="eval_accuracy").groupby("epoch")["eval_accuracy"].last(),
    }
)
print(epochs.round(3).to_string())

# %% curve
import matplotlib.pyplot as plt

figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
epochs[["loss", "eval_loss"]].plot(ax=left, marker="o", title="loss")
epochs["eval_accuracy"].plot(ax=right, marker="o", title="accuracy")
right.axhline(majority, linestyle="--", color="grey", label="commonest star")
right.legend()
figure.savefig("learning_curve.png")

# %% predict
sentence = "Great food and friendly people. We will come back!"
inputs = tokenizer(sentence, return_tensors="pt").to(model.device)
logits = model(**inputs).logits
stars = dataset["train"].features["label"].int2str(logits.argmax(-1).item())
print(f"{stars} on {model.device}: {sentence}")
