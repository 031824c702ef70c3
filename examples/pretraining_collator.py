"""结束词元的标签 · The label of the end token"""

# %% collator
from transformers import AutoTokenizer, DataCollatorForLanguageModeling

tokenizer = AutoTokenizer.from_pretrained("meta-llama/Meta-Llama-3-8B-Instruct")
tokenizer.pad_token = tokenizer.eos_token
collator = DataCollatorForLanguageModeling(tokenizer, mlm=False)
ids = [*tokenizer("The end.")["input_ids"], tokenizer.eos_token_id]
print("labels before:", ids)
print("labels after: ", collator([{"input_ids": ids, "labels": ids}])["labels"][0].tolist())
