"""三种微调并排 · Three ways of fine-tuning, side by side"""

# %% data
import evaluate
from datasets import load_dataset
from transformers import AutoTokenizer

model_id = "HuggingFaceTB/SmolLM2-135M-Instruct"
tokenizer = AutoTokenizer.from_pretrained(model_id)
if tokenizer.pad_token is None:
    tokenizer.pad_token = tokenizer.eos_token
accuracy = evaluate.load("accuracy")
dataset = load_dataset("Yelp/yelp_review_full").shuffle(seed=42)


def tokenize(rows):
    return tokenizer(rows["text"], truncation=True, max_length=256)


def compute_metrics(evaluated):
    return accuracy.compute(predictions=evaluated.predictions.argmax(-1), references=evaluated.label_ids)


train_dataset = dataset["train"].select(range(320)).map(tokenize, batched=True)
eval_dataset = dataset["test"].select(range(160)).map(tokenize, batched=True)

# %% ways
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForSequenceClassification, set_seed

LAYERS = 16  # of 30: those in the middle know most of a text, and the upper ones cost time
UPPER = [12, 13, 14, 15]
MODULES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def prepared(way):
    set_seed(42)  # the same new head for all
    model = AutoModelForSequenceClassification.from_pretrained(
        model_id,
        num_hidden_layers=LAYERS,
        num_labels=5,
        pad_token_id=tokenizer.pad_token_id,
        dtype="float32",
    )
    model.model.requires_grad_(False)
    if way == "four layers":
        for layer in UPPER:
            model.model.layers[layer].requires_grad_(True)
    if way == "LoRA":
        config = LoraConfig(task_type="SEQ_CLS", r=16, lora_alpha=32, target_modules=MODULES, layers_to_transform=UPPER)
        model = get_peft_model(model, config)
    return model


# %% train needs=["npu"]
import gc

import torch
from transformers import PrinterCallback, Trainer, TrainingArguments

results = {}
for way, learning_rate in {"four layers": 3e-4, "LoRA": 2e-3, "head alone": 5e-3}.items():
    arguments = TrainingArguments(
        output_dir="trainer",
        num_train_epochs=1,
        per_device_train_batch_size=16,
        per_device_eval_batch_size=64,
        learning_rate=learning_rate,
        bf16=True,
        logging_strategy="no",
        save_strategy="no",
        disable_tqdm=True,
    )
    trainer = Trainer(
        model=prepared(way),
        args=arguments,
        train_dataset=train_dataset,
        eval_dataset=eval_dataset,
        processing_class=tokenizer,
        compute_metrics=compute_metrics,
    )
    trainer.remove_callback(PrinterCallback)
    torch.npu.reset_peak_memory_stats()
    trainer.train()
    peak = torch.npu.max_memory_allocated() / 2**20
    results[way] = [trainer.get_num_trainable_parameters(), peak, float(trainer.evaluate()["eval_accuracy"])]
    del trainer
    gc.collect()  # or the next one's peak would count this model as well

# %% table needs=["npu"]
print(f"{'':11}    trained   peak MiB  accuracy")
for way, (trained, peak, right) in results.items():
    print(f"{way:11} {trained:10,} {peak:10.0f} {right:9.3f}")
