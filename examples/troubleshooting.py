"""常见问题 · Troubleshooting"""

# %% setup
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

model_id = "meta-llama/Meta-Llama-3-8B-Instruct"
device = torch.device("npu")
tokenizer = AutoTokenizer.from_pretrained(model_id)
model = AutoModelForSequenceClassification.from_pretrained(model_id, num_labels=5, dtype="float32").to(device)

# %% device_number
try:
    torch.ones(1, device="npu:99")
except RuntimeError as error:
    print(str(error).splitlines()[0])

# %% two_devices
try:
    torch.ones(2, device=device) + torch.ones(2)
except RuntimeError as error:
    print(error)

# %% numpy
try:
    torch.ones(2, device=device).numpy()
except TypeError as error:
    print(error)

# %% memory
try:
    torch.empty(1 << 40, dtype=torch.uint8, device=device)
except torch.OutOfMemoryError as error:
    print(str(error).splitlines()[0])

# %% pad
try:
    tokenizer(["one", "two and three"], padding=True)
except ValueError as error:
    print(error)

# %% ragged
ragged = tokenizer(["one", "two and three"])
try:
    torch.tensor(ragged["input_ids"])
except ValueError as error:
    print(error)

# %% namespace
from datasets import load_dataset

try:
    load_dataset("yelp_review_full")
except Exception as error:
    print(f"{type(error).__name__}: {error}")

# %% batch
two = torch.ones(2, 3, dtype=torch.long, device=device)
model.config.pad_token_id = None
try:
    model(input_ids=two)
except ValueError as error:
    print(error)

# %% vocabulary
model.config.pad_token_id = tokenizer.eos_token_id
try:
    model.cpu()(input_ids=two.cpu() * 200_000)
except IndexError as error:
    print(error)

# %% renamed
from transformers import TrainingArguments

for old in ("evaluation_strategy", "no_cuda", "overwrite_output_dir"):
    try:
        TrainingArguments("out", **{old: "epoch"})
    except TypeError as error:
        print(error)

# %% template
messages = [{"role": "user", "content": "Hello"}]
inputs = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt")
print(type(inputs).__name__, {name: tuple(tensor.shape) for name, tensor in inputs.items()})
