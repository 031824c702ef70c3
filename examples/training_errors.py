"""训练的常见错误 · Errors of training"""

# %% shown
import traceback
from contextlib import contextmanager


@contextmanager
def shown():
    """Print an error as the end of its traceback does, and go on."""
    try:
        yield
    except Exception as error:
        print("".join(traceback.format_exception_only(error)).splitlines()[0])


# %% namespace
from datasets import Dataset, load_dataset

with shown():
    load_dataset("yelp_review_full")

# %% pad
from transformers import AutoTokenizer

model_id = "meta-llama/Meta-Llama-3-8B-Instruct"
tokenizer = AutoTokenizer.from_pretrained(model_id)
with shown():
    tokenizer(["one", "two and three"], padding=True)

# %% ragged
import torch

rows = tokenizer(["one", "two and three"])["input_ids"]
with shown():
    torch.tensor(rows)

# %% labels
from transformers import AutoModelForCausalLM, LlamaConfig

size = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
config = LlamaConfig(vocab_size=len(tokenizer), **size)  # a small one: these errors do not depend on the weights
device = torch.accelerator.current_accelerator() or torch.device("cpu")
model = AutoModelForCausalLM.from_config(config).to(device)
eight = torch.tensor([rows[1]] * 8, device=device)
with shown():
    model(input_ids=eight, labels=torch.zeros(8, dtype=torch.long, device=device))

# %% no_labels
from transformers import Trainer, TrainingArguments

with shown():
    Trainer(model, TrainingArguments("out"), train_dataset=Dataset.from_dict({"input_ids": rows[1:]})).train()

# %% pad_id
from transformers import AutoModelForSequenceClassification

config.num_labels = 5
classifier = AutoModelForSequenceClassification.from_config(config).to(device)
with shown():
    classifier(input_ids=eight)

# %% vocabulary
with shown():
    model.cpu()(input_ids=torch.tensor([[200_000]]))

# %% float16 needs=["npu"]
half = AutoModelForCausalLM.from_config(config, dtype="float16")
labelled = Dataset.from_dict({"input_ids": rows[1:], "labels": rows[1:]})
with shown():
    Trainer(half, TrainingArguments("out", fp16=True), train_dataset=labelled).train()

# %% four_bit
from transformers import BitsAndBytesConfig

with shown():
    AutoModelForCausalLM.from_pretrained(model_id, quantization_config=BitsAndBytesConfig(load_in_4bit=True))

# %% renamed
for old in ("evaluation_strategy", "no_cuda", "overwrite_output_dir"):
    with shown():
        TrainingArguments("out", **{old: "epoch"})

# %% template
prompt = tokenizer.apply_chat_template([{"role": "user", "content": "Hello"}], return_tensors="pt", return_dict=True)
with shown():
    model.generate(prompt)
model.generate(**prompt, max_new_tokens=1)
