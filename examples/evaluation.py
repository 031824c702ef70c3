"""评估微调后的模型 · Evaluating the fine-tuned model"""

# %% fine_tuned
import torch
from datasets import load_dataset
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from transformers import Trainer, TrainingArguments

model_id = "meta-llama/Meta-Llama-3-8B-Instruct"
tokenizer = AutoTokenizer.from_pretrained(model_id)
tokenizer.pad_token = tokenizer.eos_token
dataset = load_dataset("Yelp/yelp_review_full")
stars = dataset["train"].features["label"]
model = AutoModelForSequenceClassification.from_pretrained(
    model_id,
    num_labels=5,
    id2label=dict(enumerate(stars.names)),
    pad_token_id=tokenizer.pad_token_id,
    dtype="float32",
)
model.model.embed_tokens.requires_grad_(False)
arguments = TrainingArguments(
    output_dir="trainer",
    num_train_epochs=2,
    per_device_train_batch_size=16,
    learning_rate=5e-4,
    save_strategy="no",
    disable_tqdm=True,
)


def tokenize(rows):
    return tokenizer(rows["text"], truncation=True, max_length=128)


train = dataset["train"].shuffle(seed=42).select(range(2000)).map(tokenize, batched=True)
trainer = Trainer(model, arguments, train_dataset=train, processing_class=tokenizer)
trainer.train()
trainer.save_model("stars")

# %% load
from transformers import pipeline

device = torch.accelerator.current_accelerator() or torch.device("cpu")
classifier = pipeline("text-classification", model="stars", device=device)
print(classifier.device, classifier("Great food and friendly people. We will come back!"))

# %% predict
test = dataset["test"].shuffle(seed=42).select(range(1000))
answers = classifier(test["text"][:], batch_size=64, truncation=True, max_length=128)
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
