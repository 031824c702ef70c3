"""我的数据，今天 · My data, today"""

# %% settings
data_file = "my_data.jsonl"  # .jsonl, .json or .csv
model_id = "HuggingFaceTB/SmolLM2-135M-Instruct"
output = "my_model"
port = 8017

# %% forms
import csv
import json
import sys
from pathlib import Path


def lines_of(path):
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        if path.endswith(".csv"):
            reader = csv.DictReader(file)
            yield from ((reader.line_num, row) for row in reader)
        elif path.endswith(".json"):  # one list, whose rows are counted from 1
            yield from enumerate(json.load(file), 1)
        else:
            yield from ((number, line) for number, line in enumerate(file, 1) if line.strip())


def chat_of(line):
    row = json.loads(line) if isinstance(line, str) else line
    if "messages" in row:
        return json.loads(row["messages"]) if isinstance(row["messages"], str) else row["messages"]
    if "conversations" in row:  # sharegpt
        roles = {"human": "user", "gpt": "assistant"}
        return [{"role": roles.get(t["from"], t["from"]), "content": t["value"]} for t in row["conversations"]]
    if "prompt" in row:
        question, answer = row["prompt"], row["completion"]
        if isinstance(question, list):
            return question + answer
    else:  # alpaca
        question, answer = "\n".join(filter(None, (row["instruction"], row.get("input")))), row["output"]
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


# %% check
rows, asked, problems = [], {}, []
try:
    for number, line in lines_of(data_file):
        try:
            *prompt, answer = chat_of(line)
            question = "\n".join(turn["content"] for turn in prompt).strip()
            if not question or answer["role"] != "assistant" or not (answer["content"] or "").strip():
                problems.append(f"line {number}: the question or the answer is empty")
            elif question in asked:
                problems.append(f"line {number}: asks the same as line {asked[question]}")
            else:
                asked[question] = number
                rows.append({"line": number, "prompt": prompt, "completion": [answer]})
        except json.JSONDecodeError as error:
            problems.append(f"line {number}: not JSON from column {error.colno} on ({error.msg})")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            problems.append(f"line {number}: not one of the forms that are read here ({error!r})")
except (OSError, ValueError) as error:
    sys.exit(f"{data_file}: {error}. Mend the path, or save the file as UTF-8.")
print(f"{len(rows)} rows can be used, {len(problems)} can not:", *problems[:20], sep="\n  ")
if len(rows) < 10:
    sys.exit(f"{data_file}: too few rows to train and to examine with. Does it have one of the forms above?")

# %% lengths
from transformers import AutoTokenizer

max_length = 2048
tokenizer = AutoTokenizer.from_pretrained(model_id, padding_side="left")
if tokenizer.pad_token is None:
    tokenizer.pad_token = tokenizer.eos_token
chats = [row["prompt"] + row["completion"] for row in rows]
lengths = [len(tokenizer.apply_chat_template(chat, return_dict=True)["input_ids"]) for chat in chats]
print(f"tokens: {sorted(lengths)[len(lengths) // 2]} in the middle row, {max(lengths)} in the longest")
cut = [row["line"] for row, length in zip(rows, lengths, strict=True) if length > max_length]
print(f"longer than {max_length}, their answers would be cut:", f"lines {cut}" if cut else "none")

# %% split
from datasets import Dataset

data = Dataset.from_list(rows).train_test_split(test_size=0.15, seed=42)
print({name: len(part) for name, part in data.items()})
print(data["train"][0])

# %% trainer
import torch
from peft import LoraConfig
from transformers import AutoModelForCausalLM
from trl import SFTConfig, SFTTrainer

device = torch.accelerator.current_accelerator() or torch.device("cpu")
model = AutoModelForCausalLM.from_pretrained(model_id, dtype=torch.bfloat16).to(device)
arguments = SFTConfig(
    output_dir=f"{output}/checkpoints",
    num_train_epochs=3,
    per_device_train_batch_size=8,
    learning_rate=5e-4 * (2000 / model.config.hidden_size) ** 0.78,  # 1.3e-3 for the 135M, 2.9e-4 for an 8B
    warmup_steps=4,
    max_length=max_length,
    bf16=True,
    gradient_checkpointing=model.num_parameters() > 1e9,  # memory for time: only the large need it
    use_cpu=device.type == "cpu",
    save_strategy="epoch",
    save_total_limit=1,
    logging_steps=12,
    disable_tqdm=True,
    report_to="none",
)
lora = LoraConfig(task_type="CAUSAL_LM", r=16, lora_alpha=32, target_modules="all-linear")
trainer = SFTTrainer(
    model,
    arguments,
    train_dataset=data["train"],
    eval_dataset=data["test"],
    processing_class=tokenizer,
    peft_config=lora,
)

# %% before
exam = data["test"].select(range(min(16, len(data["test"]))))
wanted = [completion[0]["content"] for completion in exam["completion"]]


def examine():
    batch = tokenizer.apply_chat_template(
        exam["prompt"][:], add_generation_prompt=True, padding=True, return_dict=True, return_tensors="pt"
    )
    made = trainer.model.eval().generate(**batch.to(device), max_new_tokens=32, do_sample=False)
    given = tokenizer.batch_decode(made[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)
    for prompt, answer in zip(exam["prompt"][:4], given[:4], strict=True):
        print(prompt[-1]["content"], "->", repr(answer))
    print("word for word as wanted:", sum(map(str.__eq__, given, wanted)), "of", len(wanted))
    print(f"loss on the held-out rows: {trainer.evaluate()['eval_loss']:.2f}")


examine()

# %% train
from transformers.trainer_utils import get_last_checkpoint

trainer.train(resume_from_checkpoint=get_last_checkpoint(arguments.output_dir))

# %% after
examine()

# %% save
from accelerate.utils import release_memory

trainer.save_model(f"{output}/adapter")
merged = trainer.model.merge_and_unload()
merged.save_pretrained(f"{output}/merged")
tokenizer.save_pretrained(f"{output}/merged")
trainer, model, merged = release_memory(trainer, model, merged)  # the server needs the card

# %% serve needs=["transformers>=5", "fastapi", "uvicorn", "openai"]
import os
import subprocess
import time
from openai import APIConnectionError, OpenAI

os.environ["NO_PROXY"] = "localhost"  # a proxy of the shell must not get the questions
command = [Path(sys.executable).with_name("transformers"), "serve", f"{output}/merged", "--port", str(port)]
with Path(f"{output}/server.log").open("w") as log:
    server = subprocess.Popen(command, stdout=log, stderr=log)
client = OpenAI(base_url=f"http://localhost:{port}/v1", api_key="none", max_retries=0)
answer = None
try:
    while answer is None and server.poll() is None:
        try:
            reply = client.chat.completions.create(
                model=f"{output}/merged", messages=exam["prompt"][0], temperature=0, max_tokens=32
            )
            answer = reply.choices[0].message.content
        except APIConnectionError:  # it is still loading the model
            time.sleep(1)
finally:
    server.terminate()
print(exam["prompt"][0][-1]["content"], "->", answer or f"no answer: read {output}/server.log")
