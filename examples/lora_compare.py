"""三种微调并排 · Three ways of fine-tuning, side by side"""

# %% data
import evaluate
from datasets import load_dataset
from transformers import AutoTokenizer

model_id = "meta-llama/Meta-Llama-3-8B-Instruct"
tokenizer = AutoTokenizer.from_pretrained(model_id)
tokenizer.pad_token = tokenizer.eos_token
accuracy = evaluate.load("accuracy")
dataset = load_dataset("Yelp/yelp_review_full").shuffle(seed=42)


def tokenize(rows):
    return tokenizer(rows["text"], truncation=True, max_length=128)


def compute_metrics(evaluated):
    return accuracy.compute(predictions=evaluated.predictions.argmax(-1), references=evaluated.label_ids)


train_dataset = dataset["train"].select(range(1000)).map(tokenize, batched=True)
eval_dataset = dataset["test"].select(range(500)).map(tokenize, batched=True)

# %% ways
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForSequenceClassification, set_seed


def prepared(way):
    set_seed(42)  # the same new head for all
    model = AutoModelForSequenceClassification.from_pretrained(
        model_id, num_labels=5, pad_token_id=tokenizer.pad_token_id, dtype="float32"
    )
    if way == "last layer":
        model.model.requires_grad_(False)
        model.model.layers[-1].requires_grad_(True)
    if way == "LoRA":
        config = LoraConfig(task_type="SEQ_CLS", r=16, lora_alpha=32, target_modules="all-linear")
        model = get_peft_model(model, config)
    return model


# %% train needs=["npu"]
import torch
from transformers import Trainer, TrainingArguments

results = {}
for way, learning_rate in {"everything": 3e-4, "last layer": 1e-3, "LoRA": 2e-3}.items():
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
        model=prepared(way),
        args=arguments,
        train_dataset=train_dataset,
        eval_dataset=eval_dataset,
        processing_class=tokenizer,
        compute_metrics=compute_metrics,
    )
    torch.accelerator.reset_peak_memory_stats()
    seconds = trainer.train().metrics["train_runtime"]
    peak = torch.accelerator.max_memory_allocated() / 2**20
    results[way] = [trainer.get_num_trainable_parameters(), peak, seconds, trainer.evaluate()["eval_accuracy"]]

# %% table needs=["npu"]
print(f"{'':10}    trained   peak MiB  seconds  accuracy")
for way, (trained, peak, seconds, right) in results.items():
    print(f"{way:10} {trained:10,} {peak:10.0f} {seconds:8.1f} {right:9.3f}")
