"""What the prepared assets contain."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import pytest

from standins.assets import Asset, ensure, pinned
from standins.assets.recipes import rated_sentences
from standins.assets.recipes.rated_sentences import Sentence, split
from standins.provision import home

TEXTS = [
    "Do not meddle in the affairs of wizards, for they are subtle and quick to anger.",
    "昇腾 NPU 上微调 Llama：损失从 1.6 降到 0.9。",
    "  leading spaces,\ttabs\n\n\nand newlines \r\n",
    "I'll've 1234567 numbers; don't 'quote' ¿qué? ñandú 🙂🙃",
    "def f(x):\n    return x**2  # comment\n",
]


@pytest.fixture(scope="module")
def assets() -> Mapping[str, Asset]:
    return ensure(home())


@pytest.fixture(scope="module")
def tokenizer(assets: Mapping[str, Asset]) -> object:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(assets["llama-3-tokenizer"].files)


def test_the_tokenizer_is_the_one_that_meta_publishes(assets: Mapping[str, Asset], tokenizer: object) -> None:
    """Against tiktoken reading tokenizer.model, as Meta's own code does."""
    import base64

    import tiktoken

    lines = (assets["llama-3-tokenizer"].files / "original/tokenizer.model").read_bytes().splitlines()
    ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in lines)}
    pattern = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+"
    )
    reference = tiktoken.Encoding("llama-3", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    assert callable(tokenizer)
    for text in TEXTS:
        assert tokenizer(text)["input_ids"] == [128000, *reference.encode(text)]


def test_special_tokens_and_chat_format_are_llama_3_s(tokenizer: object) -> None:
    chat = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": " Hi "}]
    text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)  # type: ignore[attr-defined]
    assert text == (
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
    )
    numbers = {"<|begin_of_text|>": 128000, "<|end_of_text|>": 128001, "<|eot_id|>": 128009}
    numbers |= {"<|start_header_id|>": 128006, "<|end_header_id|>": 128007, "<|reserved_special_token_250|>": 128255}
    assert {token: tokenizer.convert_tokens_to_ids(token) for token in numbers} == numbers  # type: ignore[attr-defined]


def test_train_and_test_share_no_sentence_and_none_was_read_before(assets: Mapping[str, Asset]) -> None:
    from datasets import load_dataset

    folder = assets["rated-sentences"].files / "yelp_review_full"
    files = {name: str(folder / f"{name}-00000-of-00001.parquet") for name in ("train", "test")}
    data = load_dataset("parquet", data_files=files)
    keys = {name: {Sentence(text, 0, (), "").key for text in data[name]["text"]} for name in files}
    assert len(keys["test"]) == len(data["test"]) >= 1500
    assert len(keys["train"]) == len(data["train"]) >= 5000
    assert not keys["train"] & keys["test"]
    assert data["train"].features["label"].names == ["1 star", "2 star", "3 stars", "4 stars", "5 stars"]
    assert set(data["test"]["label"]) == set(range(5))


def test_the_split_keeps_documents_together() -> None:
    sentences = [Sentence(f"text {number}", 0.0, (0,), f"document {number // 5}") for number in range(500)]
    parts = split(sentences)
    assert sum(len(part) for part in parts.values()) == len(sentences)
    documents = [{one.document for one in part} for part in parts.values()]
    assert not set.intersection(*documents)
    assert all(documents)
    assert split(sentences) == parts


@pytest.mark.parametrize(("rating", "label"), [(-4.0, 0), (-1.8, 1), (-0.6, 2), (0.0, 2), (0.6, 3), (1.8, 4), (4.0, 4)])
def test_stars_of_a_rating(rating: float, label: int) -> None:
    assert Sentence("text", rating, (), "").label == label


def test_opinions_are_read_as_numbers() -> None:
    assert rated_sentences.parsed("[2, -1, 3]") == (2, -1, 3)


def test_metas_folder_holds_the_same_model_in_metas_form(assets: Mapping[str, Asset]) -> None:
    """Undo the reordering of one layer's query weights, by the formula of transformers' conversion script."""
    import torch
    from safetensors.torch import load_file

    asset = assets["small-llama"]
    original = asset.files / "original"
    theirs = torch.load(original / "consolidated.00.pth", weights_only=True)
    ours = load_file(asset.files / "model.safetensors")
    parameters = json.loads((original / "params.json").read_text())
    heads, width = parameters["n_heads"], parameters["dim"]
    query = theirs["layers.1.attention.wq.weight"]
    query = query.view(heads, width // heads // 2, 2, width).transpose(1, 2).reshape(width, width)
    assert torch.equal(query, ours["model.layers.1.self_attn.q_proj.weight"].to(torch.bfloat16))
    assert torch.equal(theirs["tok_embeddings.weight"], ours["model.embed_tokens.weight"].to(torch.bfloat16))
    assert theirs["output.weight"].shape == (parameters["vocab_size"], width)
    hidden = int(parameters["ffn_dim_multiplier"] * int(8 * width / 3))
    multiple = parameters["multiple_of"]
    assert len(theirs["layers.0.feed_forward.w1.weight"]) == -(-hidden // multiple) * multiple


def test_metas_checklist_is_right(assets: Mapping[str, Asset]) -> None:
    places = [assets[name].files / "original" for name in ("small-llama", "llama-3-tokenizer")]
    lines = (places[0] / "checklist.chk").read_text().splitlines()
    assert len(lines) == 3
    for line in lines:
        digest, name = line.split()
        (found,) = [place / name for place in places if (place / name).exists()]
        assert hashlib.md5(found.read_bytes()).hexdigest() == digest


def test_smollm2_answers(assets: Mapping[str, Asset]) -> None:
    """Greedy, on the CPU: dequantising went right if words make sense."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = assets["smollm2-135m-instruct"].files
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    chat = [{"role": "user", "content": "What is the capital of France?"}]
    asked = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt")
    answer = model.generate(**asked, max_new_tokens=12, do_sample=False)[0][asked["input_ids"].shape[1] :]
    assert "Paris" in tokenizer.decode(answer, skip_special_tokens=True)


def test_all_of_it_is_small(assets: Mapping[str, Asset]) -> None:
    sizes = {record.path: record.size for asset in assets.values() for record in asset.manifest.records}
    now = {asset.files for asset in assets.values()}  # those of older recipes stay where they are
    assert sum(path.stat().st_size for folder in now for path in folder.rglob("*") if path.is_file()) < 600e6
    assert sizes["original/consolidated.00.pth"] < 100e6


def test_every_package_says_whose_it_is() -> None:
    assert all(package.licence and package.author and len(package.sha256) == 64 for package in pinned().values())
