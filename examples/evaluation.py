"""评估微调后的模型 · Evaluating the fine-tuned model"""

# %% fine_tuned
from pathlib import Path

import torch
from datasets import load_dataset
from transformers import AutoModelForSequenceClassification, AutoTokenizer, PrinterCallback
from transformers import Trainer, TrainingArguments, set_seed

model_id = "HuggingFaceTB/SmolLM2-135M-Instruct"
dataset = load_dataset("Yelp/yelp_review_full")
stars = dataset["train"].features["label"]


def fine_tune():
    """The fine-tuning chapter, shortened."""
    tokenizer = AutoTokenizer.from_pretrained(model_id)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    train = dataset["train"].shuffle(seed=42).select(range(800))
    train = train.map(lambda rows: tokenizer(rows["text"], truncation=True, max_length=256), batched=True)
    set_seed(42)
    model = AutoModelForSequenceClassification.from_pretrained(
        model_id,
        num_hidden_layers=16,
        id2label=dict(enumerate(stars.names)),
        pad_token_id=tokenizer.pad_token_id,
        dtype=torch.bfloat16,
    )
    model.requires_grad_(False)
    for part in (*model.model.layers[-4:], model.model.norm, model.score):
        part.float().requires_grad_(True)
    arguments = TrainingArguments(
        output_dir="trainer",
        num_train_epochs=1,
        per_device_train_batch_size=16,
        learning_rate=3e-4,
        warmup_steps=5,
        bf16=True,
        use_cpu=not torch.accelerator.is_available(),
        save_strategy="no",
        disable_tqdm=True,
    )
    trainer = Trainer(model, arguments, train_dataset=train, processing_class=tokenizer)
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    model.to(torch.bfloat16)
    trainer.save_model("stars")


if not Path("stars").exists():  # there is one where fine_tuning.py has run
    fine_tune()

# %% load
from transformers import pipeline

device = torch.accelerator.current_accelerator() or torch.device("cpu")
classifier = pipeline("text-classification", model="stars", device=device)
print(classifier.device, classifier("Great food and friendly people. We will come back!"))

# %% predict
test = dataset["test"].shuffle(seed=42).select(range(500))
answers = classifier(test["text"][:], batch_size=25, truncation=True, max_length=256)
predictions = [stars.str2int(answer["label"]) for answer in answers]

# %% scores
from sklearn.metrics import accuracy_score, classification_report

print("accuracy:", accuracy_score(test["label"], predictions))
print(classification_report(test["label"], predictions, target_names=stars.names))

# %% confusion
import matplotlib.pyplot as plt
from sklearn.metrics import ConfusionMatrixDisplay

ConfusionMatrixDisplay.from_predictions(
    test["label"],
    predictions,
    display_labels=stars.names,
    normalize="true",
    values_format=".2f",
    cmap="Blues",
)
plt.savefig("confusion_matrix.png")

# %% near
import numpy as np

distance = np.abs(np.array(test["label"][:]) - np.array(predictions))
print(f"right: {(distance == 0).mean():.2f}, at most one star off: {(distance <= 1).mean():.2f}")

# %% worst
wrong = max(range(len(test)), key=lambda i: (distance[i], answers[i]["score"]))
said, label = answers[wrong], stars.int2str(test[wrong]["label"])
print(f"said {said['label']} ({said['score']:.2f}), is {label}:")
print(test[wrong]["text"])
