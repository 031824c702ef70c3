"""A small tokenizer is trained and mapped over a data set"""

# %% corpus
from datasets import Dataset

seed = 0
words = ["llama", "fine", "tuning", "runs", "on", "the", "npu", "every", "output", "was", "printed", "by", "a", "run"]
texts = [" ".join(words[(seed + row * 5 + i * 3) % len(words)] for i in range(40)) for row in range(4000)]
dataset = Dataset.from_dict({"text": texts})
print(dataset)

# %% tokenizer
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

backend = Tokenizer(models.BPE(unk_token="<unk>"))
backend.pre_tokenizer = pre_tokenizers.Whitespace()
backend.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=200, special_tokens=["<unk>"]))
tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>")
print(len(tokenizer), tokenizer.tokenize("every llama runs"))

# %% map
encoded = dataset.map(lambda batch: tokenizer(batch["text"]), batched=True, remove_columns=["text"])
print(sum(map(len, encoded["input_ids"])), "tokens")
