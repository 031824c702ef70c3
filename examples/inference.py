"""推理 · Inference"""

# %% load
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

model_id = "HuggingFaceTB/SmolLM2-135M-Instruct"
device = torch.accelerator.current_accelerator() or torch.device("cpu")
tokenizer = AutoTokenizer.from_pretrained(model_id, padding_side="left")
if tokenizer.pad_token is None:
    tokenizer.pad_token = tokenizer.eos_token
for dtype in (torch.float32, torch.bfloat16):
    model = AutoModelForCausalLM.from_pretrained(model_id, dtype=dtype).to(device)
    print(f"{dtype}: {model.get_memory_footprint() / 2**20:.0f} MiB on {model.device}")

# %% template
messages = [
    {"role": "system", "content": "You answer in one short sentence."},
    {"role": "user", "content": "What is a computer?"},
]
print(tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False))

# %% generate
inputs = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True).to(
    device
)
prompt_length = inputs["input_ids"].shape[1]
output = model.generate(**inputs, max_new_tokens=32, do_sample=False)
new_tokens = output[0, prompt_length:]
print(tokenizer.decode(new_tokens, skip_special_tokens=True))
print(len(new_tokens), "new tokens, the last one:", tokenizer.decode(new_tokens[-1]))

# %% sample
for seed in (0, 0, 1):
    torch.manual_seed(seed)
    output = model.generate(**inputs, max_new_tokens=16, do_sample=True, top_p=0.9, temperature=0.8)
    print(seed, repr(tokenizer.decode(output[0, prompt_length:])))

# %% stream
from transformers import TextStreamer

streamer = TextStreamer(tokenizer, skip_prompt=True, skip_special_tokens=True)
model.generate(**inputs, max_new_tokens=32, do_sample=False, streamer=streamer)

# %% batch
questions = ["What is the capital of France?", "What is 2 + 2?", "What is the opposite of hot?"]
chats = [[{"role": "user", "content": question}] for question in questions]
for side in ("left", "right"):
    tokenizer.padding_side = side
    batch = tokenizer.apply_chat_template(
        chats, add_generation_prompt=True, padding=True, return_tensors="pt", return_dict=True
    )
    output = model.generate(**batch.to(device), max_new_tokens=12, do_sample=False)
    answers = output[:, batch["input_ids"].shape[1] :]
    print(side, tokenizer.batch_decode(answers, skip_special_tokens=True))
tokenizer.padding_side = "left"

# %% pipeline
from transformers import pipeline

chat = pipeline("text-generation", model=model, tokenizer=tokenizer)
for reply in chat(chats, batch_size=3, max_new_tokens=12, do_sample=False):
    print(reply[0]["generated_text"][-1])
print("pipeline on", chat.device)

# %% cache
from transformers import LlamaConfig


def cache_bytes_per_token(config, dtype):
    numbers = config.num_hidden_layers * config.num_key_value_heads * config.head_dim
    return 2 * numbers * dtype.itemsize  # a key and a value


cache = model(**inputs).past_key_values
measured = sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers)
computed = cache_bytes_per_token(model.config, model.dtype) * inputs["input_ids"].shape[1]
print(f"cache of this prompt: {measured} bytes measured, {computed} computed")
llama_8b = LlamaConfig(hidden_size=4096, num_hidden_layers=32, num_attention_heads=32, num_key_value_heads=8)
gib = cache_bytes_per_token(llama_8b, torch.bfloat16) * 8192 / 2**30
print(f"Llama 3 8B, 8192 tokens of context: {gib:.1f} GiB for each conversation")
