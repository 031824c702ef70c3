"""数据集 · Data set"""

# %% load
from datasets import load_dataset

dataset = load_dataset("Yelp/yelp_review_full")
print(dataset)

# %% row
print(dataset["train"][100])

# %% features
print(dataset["train"].features)
print(dataset["train"].features["label"].int2str(0))

# %% balance
import matplotlib.pyplot as plt

names = dataset["train"].features["label"].names
counts = dataset["train"].to_pandas()["label"].value_counts().sort_index()
figure, axes = plt.subplots(figsize=(6, 3))
axes.bar(names, counts)
axes.bar_label(axes.containers[0])
axes.set_ylabel("rows")
figure.savefig("label_balance.png")

# %% tokenize
from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("meta-llama/Meta-Llama-3-8B-Instruct")
tokenizer.pad_token = tokenizer.eos_token


def tokenize_function(examples):
    return tokenizer(examples["text"], truncation=True, max_length=256)


tokenized_datasets = dataset.map(tokenize_function, batched=True, remove_columns=["text"])

# %% tokenized
print(tokenized_datasets["train"])
print(tokenized_datasets["train"][100])

# %% lengths
lengths = [len(ids) for ids in tokenized_datasets["train"]["input_ids"]]
print("longest:", max(lengths), " mean:", round(sum(lengths) / len(lengths), 1))

# %% collate
from transformers import DataCollatorWithPadding

collator = DataCollatorWithPadding(tokenizer, return_tensors="pt")
batch = collator([tokenized_datasets["train"][i] for i in range(4)])
print({name: tuple(tensor.shape) for name, tensor in batch.items()})

# %% small
small_train_dataset = tokenized_datasets["train"].shuffle(seed=42).select(range(1000))
small_eval_dataset = tokenized_datasets["test"].shuffle(seed=42).select(range(1000))
print(len(small_train_dataset), len(small_eval_dataset))
