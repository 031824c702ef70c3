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
from itertools import chain
from transformers import AutoTokenizer

model_id = "meta-llama/Meta-Llama-3-8B-Instruct"
tokenizer = AutoTokenizer.from_pretrained(model_id)
block_size = 64


def pack(rows):
    documents = tokenizer(rows["text"])["input_ids"]
    ids = list(chain.from_iterable([*ids, tokenizer.eos_token_id] for ids in documents))
    starts = range(0, len(ids) - block_size + 1, block_size)
    blocks = [ids[start : start + block_size] for start in starts]
    return {"input_ids": blocks, "labels": blocks}


def blocks_of(dataset, count):
    packed = dataset.map(pack, batched=True, remove_columns=dataset.column_names)
    return packed.shuffle(seed=42).select(range(count))


train_dataset = blocks_of(manual["train"], 256)
eval_datasets = {"manual": blocks_of(manual["test"], 32), "reviews": blocks_of(reviews, 32)}
print(train_dataset)

# %% collator
from transformers import DataCollatorForLanguageModeling

tokenizer.pad_token = tokenizer.eos_token
collator = DataCollatorForLanguageModeling(tokenizer, mlm=False)
block = eval_datasets["reviews"][0]
end = block["input_ids"].index(tokenizer.eos_token_id)
collated = collator([block])["labels"][0, end].item()
print("label of an end token:", block["labels"][end], "- after this collator:", collated)

# %% model
from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_pretrained(model_id, dtype="float32")

# %% metric
import evaluate

accuracy = evaluate.load("accuracy")


def most_likely_token(logits, labels):
    return logits.argmax(-1)


def compute_metrics(evaluated):
    predictions, labels = evaluated.predictions[:, :-1], evaluated.label_ids[:, 1:]
    return accuracy.compute(predictions=predictions.flatten(), references=labels.flatten())


# %% trainer
from transformers import Trainer, TrainingArguments, default_data_collator

trainer = Trainer(
    model=model,
    args=TrainingArguments(
        output_dir="trainer",
        num_train_epochs=1,
        per_device_train_batch_size=8,
        per_device_eval_batch_size=8,
        learning_rate=3e-3,
        lr_scheduler_type="cosine",
        logging_steps=4,
        save_strategy="no",
        disable_tqdm=True,
    ),
    train_dataset=train_dataset,
    eval_dataset=eval_datasets,
    data_collator=default_data_collator,
    preprocess_logits_for_metrics=most_likely_token,
    compute_metrics=compute_metrics,
)

# %% train
before = trainer.evaluate()
trainer.train()
after = trainer.evaluate()

# %% perplexity
import math
import pandas as pd

table = {
    f"{name}, {when}": {
        "perplexity": round(math.exp(metrics[f"eval_{name}_loss"])),
        "next token right": f"{metrics[f'eval_{name}_accuracy']:.1%}",
    }
    for name in eval_datasets
    for when, metrics in (("before", before), ("after", after))
}
print(pd.DataFrame(table).T.to_string())

# %% curve
import matplotlib.pyplot as plt

log = pd.DataFrame(trainer.state.log_history).dropna(subset="loss")
log.plot(x="step", y="loss", marker="o", figsize=(6, 3), legend=False, ylabel="training loss")
plt.tight_layout()
plt.savefig("loss.png")
