"""微调：给评论打星 · Fine-tuning: stars for reviews"""

# %% data
from datasets import load_dataset
from transformers import AutoTokenizer

model_id = "meta-llama/Meta-Llama-3-8B-Instruct"
tokenizer = AutoTokenizer.from_pretrained(model_id)
tokenizer.pad_token = tokenizer.eos_token
dataset = load_dataset("Yelp/yelp_review_full")


def tokenize_function(examples):
    return tokenizer(examples["text"], truncation=True, max_length=128)


small_train_dataset = dataset["train"].shuffle(seed=42).select(range(2000)).map(tokenize_function, batched=True)
small_eval_dataset = dataset["test"].shuffle(seed=42).select(range(1000)).map(tokenize_function, batched=True)

# %% model
from transformers import AutoModelForSequenceClassification, set_seed

set_seed(42)  # the new head starts with random numbers
model = AutoModelForSequenceClassification.from_pretrained(
    model_id, num_labels=5, pad_token_id=tokenizer.pad_token_id, dtype="float32"
)

# %% metric
import evaluate
import numpy as np

metric = evaluate.load("accuracy")


def compute_metrics(eval_pred):
    logits, labels = eval_pred
    return metric.compute(predictions=np.argmax(logits, axis=-1), references=labels)


# %% trainer
from transformers import Trainer, TrainingArguments

training_args = TrainingArguments(
    output_dir="test_trainer",
    eval_strategy="epoch",
    logging_strategy="epoch",
    save_strategy="no",
    num_train_epochs=3,
    per_device_train_batch_size=16,
    per_device_eval_batch_size=64,
    learning_rate=4e-4,
    disable_tqdm=True,
)
trainer = Trainer(
    model=model,
    args=training_args,
    train_dataset=small_train_dataset,
    eval_dataset=small_eval_dataset,
    processing_class=tokenizer,
    compute_metrics=compute_metrics,
)
print("training on", training_args.device)

# %% before
before = trainer.evaluate()["eval_accuracy"]
majority = np.bincount(small_eval_dataset["label"]).max() / len(small_eval_dataset)
print(f"accuracy before: {before:.3f}, of always saying the commonest star: {majority:.3f}")

# %% train
trainer.train()

# %% table
import pandas as pd

log = pd.DataFrame(trainer.state.log_history)
epochs = log.groupby("epoch")[["loss", "eval_loss", "eval_accuracy"]].last()
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
sentences = ["Great food, friendly people!", "Bad service, and the soup was cold."]
inputs = tokenizer(sentences, padding=True, return_tensors="pt").to(model.device)
labels = model(**inputs).logits.argmax(-1).tolist()
for sentence, label in zip(sentences, labels, strict=True):
    stars = dataset["train"].features["label"].int2str(label)
    print(f"{stars} on {model.device}: {sentence}")
