"""What the room provides: the environment leads transformers, datasets, evaluate and both hubs' clients here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from standins import hub
from standins.hub.access import WITHOUT_ACCESS
from standins.hub.environment import environment
from standins.provision import Provision, home

IDS = [128000, 5519, 539, 1812, 91485, 304, 279, 22747, 315, 89263]
IDS += [11, 369, 814, 527, 27545, 323, 4062, 311, 19788, 13]

LIBRARIES = """
import json
import evaluate
from datasets import load_dataset
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

name = "meta-llama/Meta-Llama-3-8B-Instruct"
tokenizer = AutoTokenizer.from_pretrained(name)
classifier = AutoModelForSequenceClassification.from_pretrained(name, num_labels=5)
data = load_dataset("Yelp/yelp_review_full")
print(json.dumps({
    "encoded": dict(tokenizer("Do not meddle in the affairs of wizards, for they are subtle and quick to anger.")),
    "vocabulary": [len(tokenizer), AutoModelForCausalLM.from_pretrained(name).config.vocab_size],
    "classes": classifier.config.num_labels,
    "splits": list(data),
    "row": list(data["train"][100]),
    "stars": data["train"].features["label"].names,
    "accuracy": evaluate.load("accuracy").compute(predictions=[1, 2, 3, 4], references=[1, 2, 3, 0]),
}))
"""

GATED = """
from transformers import AutoTokenizer
AutoTokenizer.from_pretrained("meta-llama/Meta-Llama-3-8B-Instruct")
"""

PINNED = """
from huggingface_hub import model_info
print(model_info("meta-llama/Meta-Llama-3-8B-Instruct", revision="8afb486c1db24fe5011ec46dfbe5b5dccdb575c2").sha)
"""


@pytest.fixture(scope="module")
def provision(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provision]:
    with hub.provide(home(), tmp_path_factory.mktemp("scratch")) as provided:
        yield provided


def python(code: str, provision: Provision, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run code that knows nothing of stand-ins, in a folder of its own."""
    environment = {**provision.applied(os.environ), **variables}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)


def test_the_libraries_find_everything_under_its_real_name(provision: Provision, tmp_path: Path) -> None:
    done = python(LIBRARIES, provision, tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["encoded"] == {"input_ids": IDS, "attention_mask": [1] * len(IDS)}
    assert found["vocabulary"] == [128256, 128256]
    assert (found["classes"], found["splits"], found["row"]) == (5, ["train", "test"], ["label", "text"])
    assert found["stars"] == ["1 star", "2 star", "3 stars", "4 stars", "5 stars"]
    assert found["accuracy"] == {"accuracy": 0.75}


def test_transformers_tells_a_reader_without_access_so(provision: Provision, tmp_path: Path) -> None:
    done = python(GATED, provision, tmp_path, HF_TOKEN=WITHOUT_ACCESS, HF_HOME=str(tmp_path / "home"))
    assert done.returncode != 0
    assert "gated repo" in done.stderr


def test_the_commit_of_the_real_repository_can_be_pinned(provision: Provision, tmp_path: Path) -> None:
    done = python(PINNED, provision, tmp_path)
    assert done.stdout.strip() == "8afb486c1db24fe5011ec46dfbe5b5dccdb575c2", done.stderr


@pytest.mark.trial("LC_ALL=C, TZ, HF_*, OMP_NUM_THREADS and a proxy set in the shell")
def test_a_users_own_caches_tokens_and_switches_are_out_of_the_way(provision: Provision) -> None:
    """His caches, tokens and switches are out of the way: nothing of his is read or written."""
    own = {"HF_HUB_CACHE": "/own", "HF_HUB_OFFLINE": "1", "MODELSCOPE_API_TOKEN": "own", "NO_PROXY": "own.example"}
    variables = provision.applied({**own, "HF_HOME": "/own", "HF_TOKEN": "own", "PATH": "/bin"})
    assert own.keys() & variables.keys() == {"NO_PROXY"} and variables["PATH"] == "/bin"
    assert {"HF_HOME", "MODELSCOPE_CACHE"} <= set(provision.fresh)
    assert "/own" not in variables.values() and variables["HF_TOKEN"].startswith("standin-token")


def test_a_users_proxy_keeps_its_exceptions(tmp_path: Path) -> None:
    variables, _ = environment("http://127.0.0.1:1", tmp_path, {"NO_PROXY": "own.example"})
    assert variables["NO_PROXY"] == "own.example,127.0.0.1,localhost"


def test_everything_says_what_it_stands_in_for(provision: Provision) -> None:
    names = {standin.name for standin in provision.standins}
    assert {"meta-llama/Meta-Llama-3-8B-Instruct", "Yelp/yelp_review_full", "evaluate-metric/accuracy"} <= names
    assert all(one.zh and one.en and one.source and one.licence for one in provision.standins)
    assert len(provision.content) == 64
    assert set(provision.fresh) <= provision.environment.keys()


def test_metas_url_can_not_be_taken_for_a_secret(provision: Provision) -> None:
    url = provision.environment["LLAMA_PRESIGNED_URL"]
    assert url.startswith("http://127.0.0.1:")
    assert "*" in url
    assert "Signature=not-a-signature" in url
