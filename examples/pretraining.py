"""继续预训练：熟悉一个领域的文字 · Continued pretraining: the language of a domain"""

# %% text
from datasets import Dataset, load_dataset
from pydoc_data.topics import topics

manual = Dataset.from_dict({"text": [topics[name] for name in sorted(topics)]})
manual = manual.train_test_split(0.1, seed=42)
reviews = load_dataset("Yelp/yelp_review_full", split="test").select(range(200))
print(manual)
print(manual["train"][0]["text"][:150])

# %% pack
from transformers import AutoTokenizer

model_id = "meta-llama/Meta-Llama-3-8B-Instruct"
tokenizer = AutoTokenizer.from_pretrained(model_id)
block_size = 64


def pack(rows):
    ids = []
    for document in tokenizer(rows["text"])["input_ids"]:
        ids += [*document, tokenizer.eos_token_id]
    blocks = [ids[start : start + block_size] for start in range(0, len(ids) - block_size + 1, block_size)]
    return {"input_ids": blocks, "labels": blocks}


def packed(dataset, blocks):
    dataset = dataset.map(pack, batched=True, remove_columns=dataset.column_names)
    return dataset.shuffle(seed=42).select(range(blocks))


train_dataset = packed(manual["train"], 256)
eval_datasets = {"manual": packed(manual["test"], 32), "reviews": packed(reviews, 32)}
print(train_dataset)

# %% model
from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_pretrained(model_id, dtype="float32")

# %% metric
import evaluate

accuracy = evaluate.load("accuracy")


def compute_metrics(evaluated):
    predictions, labels = evaluated.predictions[:, :-1], evaluated.label_ids[:, 1:]
    return accuracy.compute(predictions=predictions.flatten(), references=labels.flatten())


# %% trainer
from transformers import Trainer, TrainingArguments, default_data_collator

arguments = TrainingArguments(
    output_dir="trainer", num_train_epochs=1, learning_rate=3e-3, logging_steps=4, save_strategy="no", disable_tqdm=True
)
trainer = Trainer(
    model,
    arguments,
    train_dataset=train_dataset,
    eval_dataset=eval_datasets,
    data_collator=default_data_collator,
    preprocess_logits_for_metrics=lambda logits, labels: logits.argmax(-1),
    compute_metrics=compute_metrics,
)

# %% train
before = trainer.evaluate()
trainer.train()
after = trainer.evaluate()

# %% perplexity
import math

for name in eval_datasets:
    for when, metrics in (("before", before), ("after", after)):
        perplexity, right = math.exp(metrics[f"eval_{name}_loss"]), metrics[f"eval_{name}_accuracy"]
        print(f"{name}, {when}: perplexity {perplexity:.0f}, next token right {right:.1%}")

# %% curve
import pandas as pd

log = pd.DataFrame(trainer.state.log_history).dropna(subset="loss")
axes = log.plot(x="step", y="loss", marker="o", figsize=(6, 3), legend=False, ylabel="training loss")
axes.figure.savefig("loss.png", bbox_inches="tight")
