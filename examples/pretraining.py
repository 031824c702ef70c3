"""继续预训练：熟悉一个领域的文字 · Continued pretraining: the language of a domain"""

# %% text
from datasets import Dataset, load_dataset
from pydoc_data.topics import topics

manual = Dataset.from_dict({"text": [topics[name] for name in sorted(topics)]})
manual = manual.train_test_split(0.1, seed=42)
reviews = load_dataset("Yelp/yelp_review_full", split="test").select(range(1000))
print(manual)
print(manual["train"][0]["text"][:150])

# %% pack
from transformers import AutoTokenizer

model_id = "HuggingFaceTB/SmolLM2-135M-Instruct"
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


train_dataset = packed(manual["train"], 96)
eval_datasets = {"manual": packed(manual["test"], 24), "reviews": packed(reviews, 24)}
print(train_dataset)

# %% model
import torch
from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_pretrained(model_id, dtype=torch.float32)

# %% metric
import evaluate

accuracy = evaluate.load("accuracy")


def compute_metrics(evaluated):
    predictions, labels = evaluated.predictions[:, :-1], evaluated.label_ids[:, 1:]
    return accuracy.compute(predictions=predictions.flatten(), references=labels.flatten())


# %% trainer
from transformers import PrinterCallback, Trainer, TrainingArguments, default_data_collator

arguments = TrainingArguments(
    output_dir="trainer",
    num_train_epochs=1,
    per_device_train_batch_size=8,
    learning_rate=3e-4,
    bf16=True,
    use_cpu=not torch.accelerator.is_available(),
    logging_steps=2,
    save_strategy="no",
    disable_tqdm=True,
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
trainer.remove_callback(PrinterCallback)  # the curve below shows what it would print


# %% before
def goes_on(model, text):
    inputs = tokenizer(text, return_tensors="pt").to(model.device)
    output = model.eval().generate(**inputs, max_new_tokens=32, do_sample=False)
    return tokenizer.decode(output[0], skip_special_tokens=True)


before = trainer.evaluate()
print(goes_on(model, "The with statement is used to"))

# %% train
trainer.train()

# %% perplexity
import math

after = trainer.evaluate()
for name in eval_datasets:
    for when, metrics in (("before", before), ("after", after)):
        perplexity, right = math.exp(metrics[f"eval_{name}_loss"]), metrics[f"eval_{name}_accuracy"]
        print(f"{name}, {when}: perplexity {perplexity:.1f}, next token right {right:.1%}")

# %% curve
import pandas as pd

log = pd.DataFrame(trainer.state.log_history).dropna(subset="loss")
axes = log.plot(x="step", y="loss", marker="o", figsize=(6, 3), legend=False, ylabel="training loss")
axes.figure.savefig("loss.png", bbox_inches="tight")

# %% save
trainer.save_model("manual")

# %% load
loaded = AutoModelForCausalLM.from_pretrained("manual", dtype=torch.float32)
again = Trainer(loaded, arguments, eval_dataset=eval_datasets["manual"], data_collator=default_data_collator)
again.remove_callback(PrinterCallback)
print(f"manual, loaded: perplexity {math.exp(again.evaluate()['eval_loss']):.1f}")
print(goes_on(loaded, "The with statement is used to"))
