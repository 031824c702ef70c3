"""微调：给评论打星 · Fine-tuning: stars for reviews"""

# %% data
from datasets import load_dataset
from transformers import AutoTokenizer

model_id = "HuggingFaceTB/SmolLM2-135M-Instruct"
tokenizer = AutoTokenizer.from_pretrained(model_id)
if tokenizer.pad_token is None:
    tokenizer.pad_token = tokenizer.eos_token
dataset = load_dataset("Yelp/yelp_review_full")


def tokenize_function(examples):
    return tokenizer(examples["text"], truncation=True, max_length=256)


small_train_dataset = dataset["train"].shuffle(seed=42).select(range(1536)).map(tokenize_function, batched=True)
small_eval_dataset = dataset["test"].shuffle(seed=42).select(range(500)).map(tokenize_function, batched=True)

# %% model
import torch
from transformers import AutoModelForSequenceClassification, set_seed

set_seed(42)  # the new head starts with random numbers
names = dataset["train"].features["label"].names
model = AutoModelForSequenceClassification.from_pretrained(
    model_id,
    num_hidden_layers=16,
    id2label=dict(enumerate(names)),
    pad_token_id=tokenizer.pad_token_id,
    dtype=torch.bfloat16,
)

# %% freeze
model.requires_grad_(False)
for part in (*model.model.layers[-4:], model.model.norm, model.score):
    part.float().requires_grad_(True)
trained = model.num_parameters(only_trainable=True)
print(f"{trained:,} of {model.num_parameters():,} parameters are trained")

# %% metric
import evaluate
import numpy as np

metric = evaluate.load("accuracy")


def compute_metrics(eval_pred):
    logits, labels = eval_pred
    return metric.compute(predictions=np.argmax(logits, axis=-1), references=labels)


# %% trainer
from transformers import PrinterCallback, Trainer, TrainingArguments

training_args = TrainingArguments(
    output_dir="test_trainer",
    num_train_epochs=1,
    per_device_train_batch_size=16,
    per_device_eval_batch_size=64,
    learning_rate=3e-4,
    warmup_steps=10,
    bf16=True,
    use_cpu=not torch.accelerator.is_available(),
    eval_strategy="steps",
    eval_steps=32,
    logging_steps=8,
    save_strategy="no",
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
trainer.remove_callback(PrinterCallback)  # the table below shows what it would print
print("training on", training_args.device)

# %% before
before = trainer.evaluate()
majority = np.bincount(small_eval_dataset["label"]).max() / len(small_eval_dataset)
print(f"accuracy before: {before['eval_accuracy']:.3f}, of always saying the commonest star: {majority:.3f}")

# %% train
trainer.train()

# %% table
import pandas as pd

log = pd.DataFrame(trainer.state.log_history)
evaluations = log.dropna(subset="eval_loss")[["step", "eval_loss", "eval_accuracy"]]
print(evaluations.round(3).to_string(index=False))

# %% curve
import matplotlib.pyplot as plt

figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
log.dropna(subset="loss").plot(x="step", y="loss", ax=left, title="loss")
evaluations.plot(x="step", y="eval_loss", ax=left, marker="o")
evaluations.plot(x="step", y="eval_accuracy", ax=right, marker="o", title="accuracy")
right.axhline(majority, linestyle="--", color="grey", label="commonest star")
right.legend()
figure.savefig("learning_curve.png")

# %% save
model.to(torch.bfloat16)
trainer.save_model("stars")


# %% predict
def stars(classifier, sentences):
    inputs = tokenizer(sentences, padding=True, return_tensors="pt").to(classifier.device)
    labels = classifier.eval()(**inputs).logits.argmax(-1).tolist()
    return [classifier.config.id2label[label] for label in labels]


sentences = ["Great food, friendly people!", "It was all right, nothing more.", "Bad service, and the soup was cold."]
for sentence, answer in zip(sentences, stars(model, sentences), strict=True):
    print(f"{answer} on {model.device}: {sentence}")

# %% load
loaded = AutoModelForSequenceClassification.from_pretrained("stars").to(model.device)
print("the saved model says the same:", stars(loaded, sentences) == stars(model, sentences))
