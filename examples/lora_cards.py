"""几张卡上的 LoRA：续训与最好的模型 · LoRA on several cards: resuming, and the best model"""

# %% arguments
from accelerate.utils import gather_object
from transformers import AutoConfig, TrainingArguments

model_id = "HuggingFaceTB/SmolLM2-135M-Instruct"
arguments = TrainingArguments(
    output_dir="checkpoints",
    max_steps=4,
    per_device_train_batch_size=2,
    learning_rate=5e-4 * (2000 / AutoConfig.from_pretrained(model_id).hidden_size) ** 0.78,
    logging_steps=1,
    eval_strategy="steps",
    eval_steps=2,
    save_steps=2,
    load_best_model_at_end=True,
    ddp_find_unused_parameters=False,
    ddp_timeout=7200,
    disable_tqdm=True,
)

# %% data
from datasets import load_dataset
from transformers import AutoTokenizer, DataCollatorForSeq2Seq

tokenizer = AutoTokenizer.from_pretrained(model_id)
if tokenizer.pad_token is None:
    tokenizer.pad_token = tokenizer.eos_token


def tokenize(review):
    question = {"role": "user", "content": "Stars, 1 to 5?\n" + review["text"][:2000]}
    chat = [question, {"role": "assistant", "content": str(review["label"] + 1)}]
    prompt = tokenizer.apply_chat_template(chat[:1], add_generation_prompt=True, return_dict=True)["input_ids"]
    whole = tokenizer.apply_chat_template(chat, return_dict=True)["input_ids"]
    return {"input_ids": whole, "labels": [-100] * len(prompt) + whole[len(prompt) :]}


with arguments.main_process_first():
    reviews = load_dataset("Yelp/yelp_review_full", split="train").shuffle(seed=42).select(range(24))
    rows = reviews.map(tokenize, remove_columns=["label", "text"])

# %% model
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, set_seed

set_seed(42)
base = AutoModelForCausalLM.from_pretrained(model_id, dtype=torch.bfloat16)
base.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
config = LoraConfig(task_type="CAUSAL_LM", r=16, lora_alpha=32, target_modules="all-linear")
model = get_peft_model(base, config)

# %% train
from pathlib import Path

from transformers import PrinterCallback, Trainer
from transformers.trainer_utils import get_last_checkpoint

trainer = Trainer(
    model=model,
    args=arguments,
    train_dataset=rows.select(range(16)),
    eval_dataset=rows.select(range(16, 24)),
    data_collator=DataCollatorForSeq2Seq(tokenizer),
)
trainer.remove_callback(PrinterCallback)
last = get_last_checkpoint("checkpoints") if Path("checkpoints").exists() else None
trainer.train(resume_from_checkpoint=last)

# %% report
places = gather_object([sorted({str(parameter.device) for parameter in model.parameters()})])
if trainer.is_world_process_zero():
    print(f"from {last or 'the beginning'}, the weights of each process on {places}")
    for entry in trainer.state.log_history:
        if "loss" in entry or "eval_loss" in entry:
            name = "loss" if "loss" in entry else "eval_loss"
            print(f"step {entry['step']}: {name} {float(entry[name]):.4f}")
    print("best:", trainer.state.best_model_checkpoint)

# %% save
best = float(trainer.evaluate()["eval_loss"])
trainer.save_model("adapter")

# %% reload
from peft import PeftModel

if trainer.is_world_process_zero():
    fresh = AutoModelForCausalLM.from_pretrained(model_id, dtype=torch.bfloat16).to(arguments.device)
    reloaded = PeftModel.from_pretrained(fresh, "adapter").eval()
    batch = trainer.data_collator(list(trainer.eval_dataset)).to(arguments.device)
    with torch.no_grad():
        again = reloaded(**batch).loss.item()
    print(f"eval_loss {best:.2f} on all cards, {again:.2f} on one after loading")
