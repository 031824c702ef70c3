"""填充与数据处理的速度 · The speed of padding and of preparing data"""

# %% map
import time

from datasets import load_dataset
from transformers import AutoTokenizer

model_id = "meta-llama/Meta-Llama-3-8B-Instruct"
tokenizer = AutoTokenizer.from_pretrained(model_id)
tokenizer.pad_token = tokenizer.eos_token
reviews = load_dataset("Yelp/yelp_review_full", split="train").shuffle(seed=42).select(range(4000))


def tokenize(row):
    return tokenizer(row["text"], truncation=True, max_length=128)


ways = {"one by one": {}, "batched": {"batched": True}, "batched, 2 processes": {"batched": True, "num_proc": 2}}
for name, options in ways.items():
    start = time.perf_counter()
    tokenized = reviews.map(tokenize, load_from_cache_file=False, **options)
    seconds = time.perf_counter() - start
    ways[name] = seconds
    print(f"{name:20}: {len(reviews) / seconds:6.0f} rows/s, {ways['one by one'] / seconds:.1f} times as fast")

# %% model
from transformers import AutoModelForSequenceClassification

model = AutoModelForSequenceClassification.from_pretrained(
    model_id, num_labels=5, pad_token_id=tokenizer.pad_token_id, dtype="float32"
)
model.model.embed_tokens.requires_grad_(False)

# %% padding
from transformers import DataCollatorWithPadding, Trainer, TrainingArguments

rows = tokenized.select(range(320))
text = sum(map(len, rows["input_ids"]))
collators = {
    "max_length": DataCollatorWithPadding(tokenizer, padding="max_length", max_length=128),
    "longest": DataCollatorWithPadding(tokenizer),
}
seconds = {}
for padding, order in (("max_length", "random"), ("longest", "random"), ("longest", "group_by_length")):
    arguments = TrainingArguments(
        output_dir="trainer",
        num_train_epochs=1,
        per_device_train_batch_size=16,
        train_sampling_strategy=order,
        include_num_input_tokens_seen="all",
        logging_strategy="no",
        save_strategy="no",
        disable_tqdm=True,
    )
    trainer = Trainer(model, arguments, train_dataset=rows, data_collator=collators[padding])
    seconds[padding, order] = trainer.train().metrics["train_runtime"]
    computed = trainer.state.num_input_tokens_seen
    share = seconds[padding, order] / seconds["max_length", "random"]
    print(f"{padding}, {order}: {computed} tokens, {text / computed:.0%} of them text; {share:.2f} of the time")
