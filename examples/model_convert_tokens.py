"""转换 Meta 的分词器 · Converting Meta's tokenizer"""

# %% original
from pathlib import Path

from huggingface_hub import snapshot_download

folder = Path("Meta-Llama-3-8B-Instruct")
if not (folder / "original").exists():  # Meta's file is also in the Hugging Face repository
    snapshot_download(
        "meta-llama/Meta-Llama-3-8B-Instruct", allow_patterns="original/tokenizer.model", local_dir=folder
    )

# %% tokenizer
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import TikTokenConverter

begin, end_of_turn = "<|begin_of_text|>", "<|eot_id|>"
named = {0: begin, 1: "<|end_of_text|>", 6: "<|start_header_id|>", 7: "<|end_header_id|>", 9: end_of_turn}
reserved = (f"<|reserved_special_token_{number}|>" for number in range(256))
special = [named.get(place) or next(reserved) for place in range(256)]
names = {"extra_special_tokens": special, "additional_special_tokens": special}  # the second as in transformers 4
backend = TikTokenConverter(str(folder / "original/tokenizer.model"), **names).converted()
backend.post_processor = TemplateProcessing(single=f"{begin} $A", special_tokens=[(begin, 128000)])
tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, bos_token=begin, eos_token=end_of_turn)
tokenizer.chat_template = (
    "{{ bos_token }}{% for message in messages %}<|start_header_id|>{{ message['role'] }}<|end_header_id|>\n\n"
    "{{ message['content'] | trim }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
tokenizer.save_pretrained(folder)

# %% result
from transformers import AutoTokenizer

converted = AutoTokenizer.from_pretrained(folder)
print(len(converted), "tokens")
print(converted("Do not meddle in the affairs of wizards")["input_ids"])
print(converted.apply_chat_template([{"role": "user", "content": "Hello"}], tokenize=False, add_generation_prompt=True))
