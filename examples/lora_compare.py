"""三种微调并排 · Three ways of fine-tuning, side by side"""

# %% data
from datasets import load_dataset
from transformers import AutoTokenizer

model_id = "meta-llama/Meta-Llama-3-8B-Instruct"
tokenizer = AutoTokenizer.from_pretrained(model_id)
tokenizer.pad_token = tokenizer.eos_token
dataset = load_dataset("Yelp/yelp_review_full")


def tokenize(rows):
    return tokenizer(rows["text"], truncation=True, max_length=128)


train_dataset = dataset["train"].shuffle(seed=42).select(range(1000)).map(tokenize, batched=True)
eval_dataset = dataset["test"].shuffle(seed=42).select(range(500)).map(tokenize, batched=True)

# %% base
from transformers import AutoModelForSequenceClassification

base = AutoModelForSequenceClassification.from_pretrained(
    model_id, num_labels=5, pad_token_id=tokenizer.pad_token_id, dtype="float32"
)

# %% ways
from peft import LoraConfig, get_peft_model


def lora(model):
    config = LoraConfig(task_type="SEQ_CLS", r=16, lora_alpha=32, target_modules="all-linear")
    return get_peft_model(model, config)


def everything(model):
    return model


def last_layer(model):
    model.requires_grad_(False)
    model.model.layers[-1].requires_grad_(True)
    model.score.requires_grad_(True)
    return model


# %% train
import copy
import evaluate
import torch
from transformers import Trainer, TrainingArguments

accuracy = evaluate.load("accuracy")


def compute_metrics(evaluated):
    predictions = evaluated.predictions.argmax(-1)
    return accuracy.compute(predictions=predictions, references=evaluated.label_ids)


results = {}
for way, learning_rate in ((everything, 3e-4), (last_layer, 1e-3), (lora, 2e-3)):
    arguments = TrainingArguments(
        output_dir="trainer",
        num_train_epochs=2,
        per_device_train_batch_size=16,
        per_device_eval_batch_size=64,
        learning_rate=learning_rate,
        logging_strategy="no",
        save_strategy="no",
        disable_tqdm=True,
    )
    trainer = Trainer(
        model=way(copy.deepcopy(base)),
        args=arguments,
        train_dataset=train_dataset,
        eval_dataset=eval_dataset,
        processing_class=tokenizer,
        compute_metrics=compute_metrics,
    )
    torch.accelerator.reset_peak_memory_stats()
    seconds = trainer.train().metrics["train_runtime"]
    results[way.__name__] = {
        "trained": trainer.get_num_trainable_parameters(),
        "peak MiB": torch.accelerator.max_memory_allocated() / 2**20,
        "seconds": seconds,
        "accuracy": trainer.evaluate()["eval_accuracy"],
    }

# %% table
import pandas as pd

table = pd.DataFrame(results).T
table["trained"] = table["trained"].map("{:,.0f}".format)
print(table.round(2).to_string())
