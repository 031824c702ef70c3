"""把 original/ 转换成 transformers 的目录 · From original/ to a folder for transformers"""

# %% original
import json
from pathlib import Path

import torch
from huggingface_hub import snapshot_download

folder = Path("Meta-Llama-3-8B-Instruct")
if not (folder / "original").exists():  # Meta's files are also in the Hugging Face repository
    snapshot_download("meta-llama/Meta-Llama-3-8B-Instruct", allow_patterns="original/*", local_dir=folder)

params = json.loads((folder / "original/params.json").read_text())
weights = torch.load(folder / "original/consolidated.00.pth", map_location="cpu", mmap=True, weights_only=True)
print(params)
print(len(weights), "tensors, among them:", *list(weights)[3:6])

# %% config
from transformers import LlamaConfig

config = LlamaConfig(
    vocab_size=params["vocab_size"],
    hidden_size=params["dim"],
    intermediate_size=weights["layers.0.feed_forward.w1.weight"].shape[0],
    num_hidden_layers=params["n_layers"],
    num_attention_heads=params["n_heads"],
    num_key_value_heads=params["n_kv_heads"],
    rms_norm_eps=params["norm_eps"],
    rope_parameters={"rope_type": "default", "rope_theta": params["rope_theta"]},
    max_position_embeddings=8192,
    bos_token_id=128000,
    eos_token_id=128009,
    dtype="bfloat16",
)

# %% weights
from transformers import LlamaForCausalLM

names = {
    "attention_norm": "input_layernorm",
    "attention.wq": "self_attn.q_proj",
    "attention.wk": "self_attn.k_proj",
    "attention.wv": "self_attn.v_proj",
    "attention.wo": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "feed_forward.w1": "mlp.gate_proj",
    "feed_forward.w2": "mlp.down_proj",
    "feed_forward.w3": "mlp.up_proj",
}
heads = {"attention.wq": config.num_attention_heads, "attention.wk": config.num_key_value_heads}
renamed = {
    "model.embed_tokens.weight": weights["tok_embeddings.weight"],
    "model.norm.weight": weights["norm.weight"],
    "lm_head.weight": weights["output.weight"].clone(),
}
for layer in range(config.num_hidden_layers):
    for theirs, ours in names.items():
        weight = weights[f"layers.{layer}.{theirs}.weight"]
        if theirs in heads:  # Meta rotates neighbouring rows of a head, transformers its two halves
            pairs = weight.view(heads[theirs], -1, 2, weight.shape[1])
            weight = pairs.transpose(1, 2).reshape(weight.shape)
        renamed[f"model.layers.{layer}.{ours}.weight"] = weight

with torch.device("meta"):
    model = LlamaForCausalLM(config)
print(model.load_state_dict(renamed, assign=True))
model.save_pretrained(folder)

# %% tokenizer
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import TikTokenConverter

begin, end_of_turn = "<|begin_of_text|>", "<|eot_id|>"
named = {0: begin, 1: "<|end_of_text|>", 6: "<|start_header_id|>", 7: "<|end_header_id|>", 9: end_of_turn}
reserved = (f"<|reserved_special_token_{number}|>" for number in range(256))
special = [named.get(place) or next(reserved) for place in range(256)]
backend = TikTokenConverter(str(folder / "original/tokenizer.model"), extra_special_tokens=special).converted()
backend.post_processor = TemplateProcessing(single=f"{begin} $A", special_tokens=[(begin, 128000)])
tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, bos_token=begin, eos_token=end_of_turn)
tokenizer.chat_template = (
    "{{ bos_token }}{% for message in messages %}<|start_header_id|>{{ message['role'] }}<|end_header_id|>\n\n"
    "{{ message['content'] | trim }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
tokenizer.save_pretrained(folder)

# %% result
from transformers import AutoModelForCausalLM, AutoTokenizer

print(*sorted(path.name for path in folder.iterdir()))
tokenizer = AutoTokenizer.from_pretrained(folder)
device = torch.accelerator.current_accelerator() or torch.device("cpu")
model = AutoModelForCausalLM.from_pretrained(folder).to(device)
encoded = tokenizer("Do not meddle in the affairs of wizards", return_tensors="pt").to(device)
print(encoded["input_ids"])
print("next token:", repr(tokenizer.decode(model(**encoded).logits[0, -1].argmax())))
