"""填充与数据处理的速度 · The speed of padding and of preparing data"""

# %% map
import time

from datasets import load_dataset
from transformers import AutoTokenizer

model_id = "meta-llama/Meta-Llama-3-8B-Instruct"
tokenizer = AutoTokenizer.from_pretrained(model_id)
if tokenizer.pad_token is None:
    tokenizer.pad_token = tokenizer.eos_token
reviews = load_dataset("Yelp/yelp_review_full", split="train").shuffle(seed=42).select(range(4000))


def tokenize(row):
    return tokenizer(row["text"], truncation=True, max_length=256)


ways = {"one by one": {}, "batched": {"batched": True}, "batched, 2 processes": {"batched": True, "num_proc": 2}}
for name, options in ways.items():
    start = time.perf_counter()
    tokenized = reviews.map(tokenize, load_from_cache_file=False, **options)
    seconds = time.perf_counter() - start
    ways[name] = seconds
    print(f"{name:20}: {len(reviews) / seconds:6.0f} rows/s, {ways['one by one'] / seconds:.1f} times as fast")

# %% padding
from torch.utils.data import DataLoader, RandomSampler
from transformers import DataCollatorWithPadding
from transformers.trainer_pt_utils import LengthGroupedSampler

rows = tokenized.select(range(320)).select_columns(["input_ids", "attention_mask"])
lengths = [len(ids) for ids in rows["input_ids"]]
fixed = DataCollatorWithPadding(tokenizer, padding="max_length", max_length=256)
longest = DataCollatorWithPadding(tokenizer)
ways = {
    "to max_length": (fixed, RandomSampler(rows)),
    "to the longest of the batch": (longest, RandomSampler(rows)),
    "the same, like lengths together": (longest, LengthGroupedSampler(16, lengths=lengths)),
}
for name, (collator, order) in ways.items():
    batches = DataLoader(rows, batch_size=16, sampler=order, collate_fn=collator)
    computed = sum(batch["input_ids"].numel() for batch in batches)
    print(f"{name}: {computed} tokens, {sum(lengths) / computed:.0%} of them text")
