"""Meta's Llama 3 ``tokenizer.model`` in the two forms the Instruct repository has it in.

The order of the 256 special tokens and the chat format are those of the Llama 3 release (``llama_models`` numbers
some of them as later releases do).
"""

from __future__ import annotations

import json
import shutil

from standins.assets.recipes import Bench

SPECIAL_TOKENS = 256
NAMED = {
    0: "<|begin_of_text|>",
    1: "<|end_of_text|>",
    6: "<|start_header_id|>",
    7: "<|end_header_id|>",
    9: "<|eot_id|>",
}
BEGIN = NAMED[0]
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ bos_token if loop.first else '' }}"
    "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' }}"
    "{{ message['content'] | trim + '<|eot_id|>' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
CONFIG = {
    "bos_token": BEGIN,
    "chat_template": CHAT_TEMPLATE,
    "clean_up_tokenization_spaces": True,
    "eos_token": "<|eot_id|>",
    "model_input_names": ["input_ids", "attention_mask"],
    "model_max_length": 1000000000000000019884624838656,  # the repository's own way to say "no limit"
    "tokenizer_class": "PreTrainedTokenizerFast",
}


def build(bench: Bench) -> None:
    from tokenizers.processors import ByteLevel, Sequence, TemplateProcessing
    from transformers.convert_slow_tokenizer import TikTokenConverter

    model = bench.taken["llama-models"]
    tokenizer = TikTokenConverter(vocab_file=str(model), extra_special_tokens=special_tokens()).converted()
    tokenizer.post_processor = Sequence(
        [
            ByteLevel(trim_offsets=False),
            TemplateProcessing(
                single=f"{BEGIN} $A",
                pair=f"{BEGIN} $A {BEGIN} $B:1",
                special_tokens=[(BEGIN, tokenizer.token_to_id(BEGIN))],
            ),
        ]
    )
    tokenizer.save(str(bench.files / "tokenizer.json"))
    write_json(bench, "tokenizer_config.json", CONFIG)
    write_json(bench, "special_tokens_map.json", {name: CONFIG[name] for name in ("bos_token", "eos_token")})
    original = bench.files / "original"
    original.mkdir()
    shutil.copyfile(model, original / "tokenizer.model")


def special_tokens() -> list[str]:
    """The special tokens in the order of their ids, those without a name numbered from zero."""
    reserved = (f"<|reserved_special_token_{number}|>" for number in range(SPECIAL_TOKENS))
    return [NAMED.get(place) or next(reserved) for place in range(SPECIAL_TOKENS)]


def write_json(bench: Bench, name: str, content: object) -> None:
    (bench.files / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
