"""分词器 · Tokenizer"""

# %% load
from transformers import AutoTokenizer

model_id = "meta-llama/Meta-Llama-3-8B-Instruct"  # or the folder you downloaded it to
tokenizer = AutoTokenizer.from_pretrained(model_id)
print(len(tokenizer), "tokens")

# %% encode
encoded_input = tokenizer("Do not meddle in the affairs of wizards, for they are subtle and quick to anger.")
print(encoded_input)

# %% tokens
print(tokenizer.convert_ids_to_tokens(encoded_input["input_ids"]))
print(tokenizer.decode(encoded_input["input_ids"], skip_special_tokens=True))

# %% chinese
english = "Do not meddle in the affairs of wizards, for they are subtle and quick to anger."
chinese = "不要插手巫师的事务，他们心思难测，又容易动怒。"
for text in (english, chinese):
    ids = tokenizer(text)["input_ids"]
    print(f"{len(text)} characters, {len(ids)} tokens:", tokenizer.decode(ids))

# %% special
print("begin:", tokenizer.bos_token, tokenizer.bos_token_id)
print("end:  ", tokenizer.eos_token, tokenizer.eos_token_id)
print("pad:  ", tokenizer.pad_token)

# %% no_pad
sentences = ["Great food.", "The waiter was rude, the soup was cold, and we waited an hour for both."]
try:
    tokenizer(sentences, padding=True)
except ValueError as error:
    print(error)

# %% no_length
ragged = tokenizer(sentences, padding="max_length", truncation=True)
print([len(ids) for ids in ragged["input_ids"]])

# %% batch
tokenizer.pad_token = tokenizer.eos_token
batch = tokenizer(sentences, padding=True, truncation=True, max_length=16, return_tensors="pt")
print(batch["input_ids"].shape)
print(batch["input_ids"])
print(batch["attention_mask"])

# %% sides
tokenizer.padding_side = "left"
prompts = tokenizer(sentences, padding=True, truncation=True, max_length=16, return_tensors="pt")
print(prompts["attention_mask"])

# %% device
import torch

device = torch.accelerator.current_accelerator() or torch.device("cpu")
batch = batch.to(device)
print(batch["input_ids"].device)
