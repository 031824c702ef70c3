"""A tiny Llama learns random labels"""

# %% data
from datasets import Dataset

seed = 0
rows = [
    {"input_ids": [(seed + row * 31 + i * 7) % 1000 + 1 for i in range(32)], "labels": row % 5} for row in range(64)
]
dataset = Dataset.from_list(rows)
print(dataset)

# %% model
from transformers import LlamaConfig, LlamaForSequenceClassification, set_seed

set_seed(seed)
config = LlamaConfig(
    vocab_size=1024,
    hidden_size=64,
    intermediate_size=128,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    num_labels=5,
    pad_token_id=0,
)
model = LlamaForSequenceClassification(config)
print(f"{model.num_parameters():,} parameters")

# %% train
from transformers import Trainer, TrainingArguments

arguments = TrainingArguments(
    output_dir="out",
    max_steps=24,
    per_device_train_batch_size=8,
    learning_rate=1e-3,
    logging_steps=8,
    save_strategy="no",
    report_to="none",
    seed=seed,
    disable_tqdm=True,
)
result = Trainer(model=model, args=arguments, train_dataset=dataset).train()
print(f"training loss {result.training_loss:.4f}")
