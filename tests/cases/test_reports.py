"""Reports from public threads: the outcome that is right on an Ascend host, and not the one that was reported."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    PreTrainedModel,
    Trainer,
    TrainingArguments,
    set_seed,
)

pytestmark = pytest.mark.filterwarnings("ignore")  # of transformers and torch_npu, which are not asked about here
Program = Callable[..., str]
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2")
ROWS = [{"input_ids": [1, 2, 3, 4], "labels": [1, 2, 3, 4]}] * 32
SMALL = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
}


def small(family: str = "llama", **options: Any) -> PreTrainedModel:
    set_seed(0)
    return AutoModelForCausalLM.from_config(AutoConfig.for_model(family, **SMALL), **options)


def train(model: PreTrainedModel, folder: Path, **options: Any) -> list[float]:
    arguments = TrainingArguments(
        str(folder),
        max_steps=6,
        logging_steps=1,
        learning_rate=1e-2,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        **options,
    )
    trainer = Trainer(model, arguments, train_dataset=ROWS)
    trainer.train()
    return [float(log["loss"]) for log in trainer.state.log_history if "loss" in log]


def devices(model: torch.nn.Module) -> set[str]:
    return {str(parameter.device) for parameter in model.parameters()}


@pytest.mark.parametrize("where", ["auto", "npu:1", {"": 0}, {"": "npu:1"}], ids=str)
def test_a_number_is_an_npu_and_never_cuda(where: str | dict[str, Any], tmp_path: Path) -> None:
    """transformers#38468, LlamaFactory#7986: "Torch not compiled with CUDA enabled"."""
    small().save_pretrained(tmp_path)
    model = AutoModelForCausalLM.from_pretrained(tmp_path, device_map=where)
    assert {device.partition(":")[0] for device in devices(model)} == {"npu"}
    if where != "auto":
        assert devices(model) == {"npu:0" if where == {"": 0} else "npu:1"}
    assert [str(torch.ones(2).to(card).device) for card in (0, 1)] == ["npu:0", "npu:1"]


def test_which_cards_a_process_sees(program: Program) -> None:
    """Trinity-RFT#618: numbers that do not ascend show no card.  Ascend/pytorch#67: set after a use, too late."""
    seen = dict(line.split(": ") for line in program("visible_devices.py", VIRTUAL_NPU_DEVICES="4").splitlines())
    cards = {name.partition("=")[2]: count for name, count in seen.items() if "=" in name}
    assert cards == {"0,1": "2", "1,2": "2", "1,0": "0", "1,1": "0", "9": "0", "": "0"}
    others = ("ASCEND_VISIBLE_DEVICES", "NPU_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES")
    assert [seen[name] for name in others] == ["4", "4", "4"]
    assert seen["too late"] in ("npu:1", "507033"), "no effect, or what was reported"


def test_an_adapter_goes_to_the_card_of_its_model(tmp_path: Path) -> None:
    """LlamaFactory#8355: the adapter of a model on another card arrived on npu:0."""
    lora = LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear", init_lora_weights=False)
    get_peft_model(small(), lora).save_pretrained(tmp_path)
    model = PeftModel.from_pretrained(small().to("npu:1"), tmp_path).eval()
    assert devices(model) == {"npu:1"}
    tokens = torch.arange(8, device="npu:1")[None]
    with torch.no_grad():
        adapted = model(input_ids=tokens).logits
        merged = model.merge_and_unload()(input_ids=tokens).logits
    assert merged.device == torch.device("npu:1")
    torch.testing.assert_close(merged, adapted, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", ["sdpa", "flash_attention_2"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_attention_of_a_padded_batch(kind: str, side: str) -> None:
    """transformers#36618: flash_attention_2 asked for a package; padded batches take another way through it."""
    lengths = torch.tensor([[3], [6], [5]])
    places = torch.arange(6)
    mask = (places >= 6 - lengths if side == "left" else places < lengths).long()
    tokens = torch.randint(2, 64, (3, 6), generator=torch.Generator().manual_seed(0)) * mask
    logits = []
    for way in ("eager", kind):
        model = small(dtype=torch.bfloat16, attn_implementation=way).to("npu").eval()
        with torch.no_grad():
            out = model(input_ids=tokens.to("npu"), attention_mask=mask.to("npu")).logits.float().cpu()
        logits.append(out[mask.bool()])
    torch.testing.assert_close(logits[1], logits[0], atol=2e-2, rtol=2e-2)


@pytest.mark.parametrize("kind", ["sdpa", "flash_attention_2"])
@pytest.mark.parametrize("family", ["qwen2", "qwen3"])
def test_qwen_trains_as_llama_does(family: str, kind: str, tmp_path: Path) -> None:
    """LlamaFactory#8355, ms-swift#7327 and others: most of them have a Qwen."""
    losses = train(small(family, attn_implementation=kind), tmp_path, bf16=True)
    assert losses[-1] < losses[0] - 1


def test_torch_npus_optimizer_refuses_bfloat16(tmp_path: Path) -> None:
    """ms-swift#7327: it raises; the pages say not to take it."""
    with pytest.raises(TypeError, match="must be either float32 or float16"):
        train(small(dtype=torch.bfloat16), tmp_path, optim="adamw_torch_npu_fused")


def test_several_end_tokens_are_looked_up_on_the_card() -> None:
    """ms-swift#1047, LlamaFactory#4836: generate() asks isin() at every token."""
    model = small()
    tokens = torch.ones(1, 2, dtype=torch.long)
    ends: dict[str, Any] = {"max_new_tokens": 4, "do_sample": False, "eos_token_id": [5, 6], "pad_token_id": 0}
    wanted = model.generate(tokens, **ends)
    assert torch.equal(model.to("npu").generate(tokens.to("npu"), **ends).cpu(), wanted)


def test_memory_is_given_back_when_the_training_has_ended(tmp_path: Path) -> None:
    """LlamaFactory#8514: emptyCache() raised after a training in float16."""
    gc.collect()
    torch.npu.empty_cache()
    before = torch.npu.memory_reserved()
    model = small()
    assert train(model, tmp_path, fp16=True, optim="adamw_torch")[-1] > 0
    assert torch.npu.memory_reserved() > before
    del model
    gc.collect()
    torch.npu.empty_cache()
    torch.npu.synchronize()
    assert torch.npu.memory_reserved() <= before


def test_lora_recomputation_and_ddp(program: Program) -> None:
    """ms-swift#2669: cured by ddp_find_unused_parameters=False."""
    said = program(*TORCHRUN, "two_ranks.py", "lora")
    right = re.findall(r"^rank (\d) find=False: loss ([\d.]+)$", said, re.M)
    assert sorted(rank for rank, _loss in right) == ["0", "1"] and len({loss for _rank, loss in right}) == 1
    assert len(re.findall(r"find=True: Expected to mark a variable ready only once", said)) == 2


def test_fsdp2_is_saved_resumed_and_loaded(program: Program) -> None:
    """Ascend/pytorch#72: 107020 while saving.  accelerate#3896: a checkpoint could not be loaded."""
    whole, resumed, loaded = program(*TORCHRUN, "two_ranks.py", "fsdp").splitlines()[-3:]
    assert whole.startswith("4 steps: ") and resumed.startswith("2 steps: ")
    assert whole.partition(": ")[2] == resumed.partition(": ")[2]
    assert loaded == "loaded: True tensor(True)"
