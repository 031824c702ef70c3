"""其他模型：Qwen 与新的 Llama · Other models: Qwen and newer Llamas"""

# %% sizes
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM

QWEN = {"vocab_size": 151936, "num_key_value_heads": 8}
LLAMA = {"vocab_size": 128256, "num_key_value_heads": 8}
MODELS = {  # layers, hidden, MLP, heads, and what else config.json says
    "Qwen/Qwen2.5-7B-Instruct": ("qwen2", 28, 3584, 18944, 28, {"vocab_size": 152064, "num_key_value_heads": 4}),
    "Qwen/Qwen2.5-14B-Instruct": ("qwen2", 48, 5120, 13824, 40, {"vocab_size": 152064, "num_key_value_heads": 8}),
    "Qwen/Qwen3-8B": ("qwen3", 36, 4096, 12288, 32, QWEN | {"head_dim": 128}),
    "Qwen/Qwen3-32B": ("qwen3", 64, 5120, 25600, 64, QWEN | {"head_dim": 128}),
    "meta-llama/Llama-3.1-8B-Instruct": ("llama", 32, 4096, 14336, 32, LLAMA),
    "meta-llama/Llama-3.2-3B-Instruct": ("llama", 28, 3072, 8192, 24, LLAMA | {"tie_word_embeddings": True}),
}
lora = LoraConfig(task_type="CAUSAL_LM", r=16, lora_alpha=32, target_modules="all-linear")


def model_of(family, layers, hidden, mlp, heads, more):
    config = AutoConfig.for_model(
        family,
        num_hidden_layers=layers,
        hidden_size=hidden,
        intermediate_size=mlp,
        num_attention_heads=heads,
        **{"tie_word_embeddings": False, **more},
    )
    return AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)


print(f"{'':33} parameters  bf16 GiB  LoRA r=16")
for model_id, sizes in MODELS.items():
    with torch.device("meta"):  # shapes only, no memory
        model = model_of(*sizes)
        parameters = model.num_parameters()
        trained, _ = get_peft_model(model, lora).get_nb_trainable_parameters()
    print(f"{model_id:33} {parameters / 1e9:8.2f} B {2 * parameters / 2**30:9.1f} {trained / 1e6:8.1f} M")

# %% train
from peft import PeftModel
from transformers import Trainer, TrainingArguments, set_seed

rows = [{"input_ids": [1, 2, 3, 4, 5], "labels": [1, 2, 3, 4, 5]}] * 64
small = (2, 64, 128, 4, {"vocab_size": 64, "num_key_value_heads": 2, "head_dim": 16})
for family in ("qwen2", "qwen3", "llama"):
    set_seed(42)
    model = get_peft_model(model_of(family, *small), lora)
    arguments = TrainingArguments(
        output_dir="trainer",
        per_device_train_batch_size=8,
        num_train_epochs=2,
        learning_rate=2e-2,
        bf16=True,
        use_cpu=torch.accelerator.current_accelerator() is None,
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
        report_to="none",
    )
    trainer = Trainer(model, arguments, train_dataset=rows)
    batch = next(iter(trainer.get_train_dataloader()))
    before = model(**batch).loss.item()
    trainer.train()
    trainer.save_model(f"adapter/{family}")

    set_seed(42)
    again = PeftModel.from_pretrained(model_of(family, *small), f"adapter/{family}").to(model.device)
    losses = [each.eval()(**batch).loss.item() for each in (model, again)]
    print(
        f"{family:5} on {model.device}: loss {before:.2f} before, {losses[0]:.2f} after, {losses[1]:.2f} loaded again"
    )
