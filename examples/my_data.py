"""我的数据，今天 · My data, today"""

# %% settings
data_file = "my_data.jsonl"  # .jsonl, .json or .csv
model_id = "HuggingFaceTB/SmolLM2-135M-Instruct"
output = "my_model"
port = 8017


# %% forms
def chat_of(row):
    if "messages" in row:
        chat = row["messages"]
        return json.loads(chat) if isinstance(chat, str) else chat  # a column of a CSV is text
    if "conversations" in row:  # sharegpt
        roles = {"human": "user", "gpt": "assistant", "system": "system"}
        return [{"role": roles[turn["from"]], "content": turn["value"]} for turn in row["conversations"]]
    if "prompt" in row:
        question, answer = row["prompt"], row["completion"]
    else:  # alpaca
        question, answer = "\n".join(filter(None, [row["instruction"], row.get("input")])), row["output"]
    if isinstance(question, list):
        return question + answer
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


# %% check
import csv
import json
import sys
from pathlib import Path

try:
    with Path(data_file).open(encoding="utf-8-sig", newline="") as file:
        if data_file.endswith(".csv"):
            table = csv.DictReader(file)
            lines = [(table.line_num, row) for row in table]
        elif data_file.endswith(".json"):  # one list, whose rows are counted from 1
            lines = list(enumerate(json.load(file), 1))
        else:
            lines = [(number, line) for number, line in enumerate(file, 1) if line.strip()]
except (OSError, ValueError, csv.Error) as error:
    sys.exit(f"{data_file}: {error}. Mend the path, save it as UTF-8, or name it .jsonl if each line is a row.")

rows, asked, problems = [], {}, []
for number, line in lines:
    try:
        row = json.loads(line) if isinstance(line, str) else line
        *prompt, answer = chat_of(row)
        question = "\n".join(turn["content"] for turn in prompt).strip()
        if not question or answer["role"] != "assistant" or not (answer["content"] or "").strip():
            problems.append(f"line {number}: the question or the answer is empty")
        elif question in asked:  # once in the training and once in the exam would be cheating
            problems.append(f"line {number}: asks the same as line {asked[question]}")
        else:
            asked[question] = number
            key = row.get("key") or answer["content"]
            rows.append({"line": number, "prompt": prompt, "completion": [answer], "key": key})
    except json.JSONDecodeError as error:
        problems.append(f"line {number}: not JSON from column {error.colno} on ({error.msg})")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        problems.append(f"line {number}: not one of the forms that are read here ({error!r})")
answers = {row["completion"][0]["content"] for row in rows}
print(f"{len(rows)} rows can be used, with {len(answers)} different answers; {len(problems)} can not:")
for problem in problems[:20]:
    print(problem)
if len(rows) < 10:
    sys.exit(f"{data_file}: too few rows to train and to examine with. Does it have one of the forms above?")

# %% lengths
from transformers import AutoTokenizer

max_length = 1024
tokenizer = AutoTokenizer.from_pretrained(model_id, padding_side="left")
if tokenizer.pad_token is None:
    tokenizer.pad_token = tokenizer.eos_token
chats = [row["prompt"] + row["completion"] for row in rows]
lengths = [len(tokenizer.apply_chat_template(chat, return_dict=True)["input_ids"]) for chat in chats]
print(f"tokens: {sorted(lengths)[len(lengths) // 2]} in the middle row, {max(lengths)} in the longest")
more = [(row["line"], length - max_length) for row, length in zip(rows, lengths, strict=True) if length > max_length]
print(f"longer than {max_length}: {len(more)} rows")
for line, count in more[:20]:
    print(f"line {line}: the last {count} are cut off, the end of the answer")

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

model = AutoModelForCausalLM.from_pretrained(model_id, dtype=torch.bfloat16)
arguments = SFTConfig(
    output_dir=f"{output}/checkpoints",
    num_train_epochs=2,
    per_device_train_batch_size=8,
    learning_rate=8e-4 * (2000 / model.config.hidden_size) ** 0.78,  # 2.1e-3 for the 135M, 4.6e-4 for an 8B
    warmup_steps=4,
    max_length=max_length,
    bf16=True,
    gradient_checkpointing=model.num_parameters() > 1e9,  # memory for time: only the large need it
    use_cpu=torch.accelerator.current_accelerator() is None,
    save_strategy="epoch",
    save_total_limit=1,
    logging_steps=6,
    disable_tqdm=True,
    report_to="none",
)
trainer = SFTTrainer(
    model,
    arguments,
    train_dataset=data["train"],
    eval_dataset=data["test"],
    processing_class=tokenizer,
    peft_config=LoraConfig(task_type="CAUSAL_LM", r=16, lora_alpha=32, target_modules="all-linear"),
)

# %% before
exam = data["test"].select(range(min(20, len(data["test"]))))


def examine():
    batch = tokenizer.apply_chat_template(
        exam["prompt"][:], add_generation_prompt=True, padding=True, return_dict=True, return_tensors="pt"
    )
    made = trainer.model.eval().generate(**batch.to(trainer.model.device), max_new_tokens=32, do_sample=False)
    given = tokenizer.batch_decode(made[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)
    right = 0
    for prompt, key, answer in zip(exam["prompt"], exam["key"], given, strict=True):
        right += key in answer
        print("right" if key in answer else "wrong", "|", prompt[-1]["content"], "->", repr(answer))
    print(f"right: {right} of {len(exam)} questions that it was not trained on")
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

os.environ["NO_PROXY"] = os.environ["no_proxy"] = "localhost"  # a proxy of the shell must not get the questions
command = [Path(sys.executable).with_name("transformers"), "serve", f"{output}/merged", "--port", str(port)]
command += ["--device", str(arguments.device)]  # by itself it would spread over all cards
with Path(f"{output}/server.log").open("w") as log:
    server = subprocess.Popen(command, stdout=log, stderr=log)
client = OpenAI(base_url=f"http://localhost:{port}/v1", api_key="none", max_retries=0)
question, answer = exam["prompt"][0], None
while answer is None and server.poll() is None:
    try:
        reply = client.chat.completions.create(
            model=f"{output}/merged", messages=question, temperature=0, max_tokens=32
        )
        answer = reply.choices[0].message.content
    except APIConnectionError:  # it is still loading the model
        time.sleep(1)
server.terminate()
print(question[-1]["content"], "->", answer or f"no answer: read {output}/server.log")
