"""指令微调：按你的方式回答 · Instruction tuning: answers the way you want them"""

# %% data
from datasets import load_dataset


def to_chat(review):
    return {
        "prompt": [
            {"role": "system", "content": "Is this review positive or negative? Answer with one word."},
            {"role": "user", "content": review["text"]},
        ],
        "completion": [{"role": "assistant", "content": "positive" if review["label"] > 2 else "negative"}],
    }


reviews = load_dataset("Yelp/yelp_review_full").filter(lambda review: review["label"] != 2).shuffle(seed=42)
chats = {
    split: reviews[split].select(range(rows)).map(to_chat, remove_columns=["label", "text"])
    for split, rows in (("train", 96), ("test", 24))
}
print(chats["train"][0])

# %% model
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

model_id = "HuggingFaceTB/SmolLM2-135M-Instruct"
device = torch.accelerator.current_accelerator() or torch.device("cpu")
tokenizer = AutoTokenizer.from_pretrained(model_id, padding_side="left")
if tokenizer.pad_token is None:
    tokenizer.pad_token = tokenizer.eos_token
model = AutoModelForCausalLM.from_pretrained(model_id, dtype=torch.bfloat16).to(device)


# %% before
def answers(model, prompts):
    batch = tokenizer.apply_chat_template(
        prompts, add_generation_prompt=True, padding=True, return_tensors="pt", return_dict=True
    ).to(device)
    output = model.eval().generate(**batch, max_new_tokens=5, do_sample=False)
    return tokenizer.batch_decode(output[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)


def examine(model):
    given = answers(model, chats["test"]["prompt"][:])
    wanted = [completion[0]["content"] for completion in chats["test"]["completion"]]
    for prompt, answer in list(zip(chats["test"]["prompt"], given, strict=True))[:4]:
        print(f"{prompt[-1]['content'].splitlines()[0][:90]} -> {answer!r}")
    print("one word:", sum(answer in ("positive", "negative") for answer in given), "of", len(given))
    print("right:   ", sum(answer == word for answer, word in zip(given, wanted, strict=True)), "of", len(given))


examine(model)

# %% trainer
from peft import LoraConfig
from transformers import PrinterCallback
from trl import SFTConfig, SFTTrainer

arguments = SFTConfig(
    output_dir="trainer",
    max_length=512,
    num_train_epochs=1,
    per_device_train_batch_size=4,
    learning_rate=3e-4,
    warmup_steps=2,
    use_cpu=device.type == "cpu",  # SFTConfig computes in bf16, which the Trainer does on a CPU only when asked to
    logging_steps=2,
    save_strategy="no",
    disable_tqdm=True,
)
lora = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear")
trainer = SFTTrainer(model, arguments, train_dataset=chats["train"], processing_class=tokenizer, peft_config=lora)
trainer.remove_callback(PrinterCallback)  # the curve below shows what it would print

# %% labels
row = next(iter(trainer.get_train_dataloader()))
learnt = row["labels"][0] != -100
print("reads: ", repr(tokenizer.decode(row["input_ids"][0], skip_special_tokens=False)))
print("learns:", repr(tokenizer.decode(row["input_ids"][0][learnt])))

# %% train
trainer.train()

# %% curve
import pandas as pd

log = pd.DataFrame(trainer.state.log_history).dropna(subset="loss")
axes = log.plot(x="step", y="loss", marker="o", figsize=(6, 3), legend=False, ylabel="loss on the answers")
axes.figure.savefig("loss.png", bbox_inches="tight")

# %% after
examine(trainer.model)
print(answers(trainer.model, [[{"role": "user", "content": "What is the capital of France?"}]]))

# %% save
trainer.save_model("one-word")

# %% load
from peft import AutoPeftModelForCausalLM

loaded = AutoPeftModelForCausalLM.from_pretrained("one-word", dtype=torch.bfloat16).to(device)
examine(loaded)
