"""转换 Meta 的权重 · Converting Meta's weights"""

# %% original
import json
from pathlib import Path

import torch
from huggingface_hub import snapshot_download

folder = Path("Meta-Llama-3-8B-Instruct")
if not (folder / "original").exists():  # Meta's files are also in the Hugging Face repository
    snapshot_download("meta-llama/Meta-Llama-3-8B-Instruct", allow_patterns="original/*", local_dir=folder)

params = json.loads((folder / "original/params.json").read_text())
weights = torch.load(f"{folder}/original/consolidated.00.pth", map_location="cpu", mmap=True, weights_only=True)
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
    rope_theta=params["rope_theta"],
    max_position_embeddings=8192,
    bos_token_id=128000,
    eos_token_id=128009,
    dtype="bfloat16",
)

# %% weights
from transformers import LlamaForCausalLM

names = {
    "tok_embeddings": "model.embed_tokens",
    "attention_norm": "model.layers.{}.input_layernorm",
    "wq": "model.layers.{}.self_attn.q_proj",
    "wk": "model.layers.{}.self_attn.k_proj",
    "wv": "model.layers.{}.self_attn.v_proj",
    "wo": "model.layers.{}.self_attn.o_proj",
    "ffn_norm": "model.layers.{}.post_attention_layernorm",
    "w1": "model.layers.{}.mlp.gate_proj",
    "w2": "model.layers.{}.mlp.down_proj",
    "w3": "model.layers.{}.mlp.up_proj",
    "norm": "model.norm",
    "output": "lm_head",
}
renamed = {}
for name, weight in weights.items():  # such as layers.0.attention.wq.weight
    layer, part = name.split(".")[1], name.split(".")[-2]
    if part in ("wq", "wk"):  # Meta rotates neighbouring rows of a head, transformers its two halves
        pairs = weight.view(-1, config.head_dim // 2, 2, config.hidden_size)
        weight = pairs.transpose(1, 2).reshape(weight.shape)
    renamed[f"{names[part].format(layer)}.weight"] = weight
renamed["lm_head.weight"] = renamed["lm_head.weight"].clone()  # a small model may share it with the embedding

with torch.device("meta"):
    model = LlamaForCausalLM(config)
print(model.load_state_dict(renamed, assign=True))
model.save_pretrained(folder)

# %% result
from transformers import AutoModelForCausalLM

print(*sorted(path.name for path in folder.iterdir()))
device = torch.accelerator.current_accelerator() or torch.device("cpu")
model = AutoModelForCausalLM.from_pretrained(folder).to(device)
prompt = torch.tensor([[128000, 5519, 539]], device=device)  # "Do not"
print(f"{model.num_parameters():,} parameters in {model.dtype}; next token: {model(prompt).logits[0, -1].argmax()}")
