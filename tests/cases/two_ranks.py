"""Started by torchrun on two cards: what people train with, made small, in both ways that were reported."""

import os
import sys

from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainerCallback, TrainingArguments, set_seed

ROWS = [{"input_ids": [1, 2, 3, 4], "labels": [1, 2, 3, 4]}] * 16


def model() -> LlamaForCausalLM:
    set_seed(0)
    config = LlamaConfig(
        vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2
    )
    return LlamaForCausalLM(config)


def trainer(model: LlamaForCausalLM, **options: object) -> Trainer:
    arguments = TrainingArguments(
        "out", per_device_train_batch_size=2, report_to="none", disable_tqdm=True, learning_rate=1e-2, **options
    )
    return Trainer(model, arguments, train_dataset=ROWS)


class Count(TrainerCallback):
    """How many steps were made, which a resumed log does not tell."""

    steps = 0

    def on_step_end(self, *_args: object, **_more: object) -> None:
        self.steps += 1


def lora() -> None:
    """ms-swift#2669: LoRA, recomputation and DDP together."""
    for find in (False, True):
        base = model()
        base.enable_input_require_grads()
        adapted = get_peft_model(base, LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear"))
        training = trainer(
            adapted,
            max_steps=2,
            save_strategy="no",
            gradient_checkpointing=True,
            gradient_checkpointing_kwargs={"use_reentrant": True},
            ddp_find_unused_parameters=find,
        )
        try:
            outcome = f"loss {training.train().training_loss:.4f}"
        except RuntimeError as error:
            outcome = str(error).splitlines()[0]
        sys.stdout.write(f"rank {os.environ['RANK']} find={find}: {outcome}\n")  # whole: the other rank writes too
        sys.stdout.flush()


def fsdp() -> None:
    """Ascend/pytorch#72, accelerate#3896: a sharded model is saved, resumed and loaded whole."""
    sharded = {"fsdp": "full_shard auto_wrap", "fsdp_config": {"fsdp_version": 2, "state_dict_type": "FULL_STATE_DICT"}}
    whole = trainer(model(), max_steps=4, save_steps=2, logging_steps=1, **sharded)
    resumed = trainer(model(), max_steps=4, save_strategy="no", logging_steps=1, **sharded)
    counts = [Count(), Count()]
    whole.add_callback(counts[0])
    whole.train()
    resumed.add_callback(counts[1])
    resumed.train(resume_from_checkpoint="out/checkpoint-2")
    resumed.save_model("final")
    if resumed.is_world_process_zero():
        for each, count in zip((whole, resumed), counts, strict=True):
            losses = [f"{float(log['loss']):.4f}" for log in each.state.log_history if "loss" in log]
            print(f"{count.steps} steps:", *losses)
        loaded = LlamaForCausalLM.from_pretrained("final")
        print("loaded:", loaded.num_parameters() == model().num_parameters(), loaded.lm_head.weight.isfinite().all())


{"lora": lora, "fsdp": fsdp}[sys.argv[1]]()
