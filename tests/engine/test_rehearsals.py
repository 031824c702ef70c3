"""Rehearsals beside the runs: in entries of their own, told by where they stop and how much they took."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pytest

from engine.cache import Cache, digest_of, rehearsal_facts
from engine.place.surroundings import Surroundings
from engine.session import Results, Session
from engine.values.example import read
from engine.values.rehearsal import MODEL, Rehearsed, discover

# In place of the stand-ins' own: the same, with a small card and nothing rehearsed.
COMMAND = ("env", "VIRTUAL_NPU_MEMORY_GIB=1", sys.executable, "-m", "standins")
EXAMPLE = """\"\"\"X\"\"\"

# %% model
import os, torch
model_id = "small"
rank, cards = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
device = f"npu:{rank}"
torch.npu.set_device(device)
if cards > 1:
    torch.distributed.init_process_group("hccl")

# %% train
mib = 1
made = torch.empty(mib * 2**20, dtype=torch.uint8, device=device)
if cards > 1:
    torch.distributed.all_reduce(torch.ones(1, device=device))
print("the model was", model_id)
"""
LINE = next(number for number, line in enumerate(EXAMPLE.splitlines(), 1) if line.startswith("made"))


def bigger(size: object) -> str:
    """A change that also moves the lines below it."""
    return f'\n[[change]]\nold = "mib = 1"\nnew = "# of the true size\\nmib = {size}"\n'


REHEARSALS = {
    "fits.py": "fits = true" + bigger(256),
    "does_not.py": "fits = false" + bigger(2048),
    "sharded.py": "fits = [2, 4]\ncards = [1, 2, 4]" + bigger("1600 // cards"),
    "one_fails.py": "fits = []\ncards = [2]" + bigger("4096 if rank else 2"),
    "raises.py": "fits = false" + bigger("'a'"),
    "one_process.py": "fits = [2]\ncards = [2]\none_process = true"
    + bigger("256\\nbeside = torch.empty(2**29, dtype=torch.uint8, device='npu:1')"),
}


@dataclass(frozen=True)
class Workshop:
    """A folder of examples that are rehearsed."""

    folder: Path

    def write(self, **rehearsals: str) -> None:
        for name in ("examples", "rehearsals"):
            (self.folder / name).mkdir(exist_ok=True)
        for name, text in rehearsals.items():
            (self.folder / "examples" / name).write_text(EXAMPLE, encoding="utf-8")
            (self.folder / f"rehearsals/{name}.toml").write_text(text, encoding="utf-8")

    def rehearse(self, command: Sequence[str] = COMMAND) -> tuple[Results, list[str]]:
        """And what the session told meanwhile."""
        examples = [read(path) for path in sorted((self.folder / "examples").iterdir())]
        told: list[str] = []
        session = Session(Cache(self.folder / "cache"), surroundings=rehearsing(command), tell=told.append)
        return session.run_all(examples, list(discover(examples).values())), told


def rehearsing(command: Sequence[str] = COMMAND, content: str = "x") -> Surroundings:
    here = Surroundings.here()
    report: Mapping[str, object] = {**here.report, "rehearsal": {"command": command, "content": content}}
    return replace(here, report=report)


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workshop, Results]:
    workshop = Workshop(tmp_path_factory.mktemp("rehearsed"))
    workshop.write(**REHEARSALS)
    return workshop, workshop.rehearse()[0]


def test_one_that_fits_tells_its_peak_and_nothing_it_printed(rehearsed: tuple[Workshop, Results]) -> None:
    workshop, results = rehearsed
    found = results.rehearsed["fits.py"][1].found
    assert found.fits and found.card_bytes == 1 << 30
    assert 256 << 20 <= found.peak_bytes <= found.reserved_bytes < 300 << 20
    kept = list((workshop.folder / "cache").glob("*@*"))
    assert len(kept) == 7
    for path in kept:
        assert "the model was" not in path.read_text(encoding="utf-8")


def test_one_that_does_not_fit_names_the_line_of_the_example(rehearsed: tuple[Workshop, Results]) -> None:
    found = rehearsed[1].rehearsed["does_not.py"][1].found
    assert found.stop and found.out_of_memory == "NPU out of memory. Tried to allocate 2.00 GiB"
    assert (found.stop.cell, found.stop.line) == ("train", LINE)


def test_several_cards_are_processes_as_torchrun_makes_them(rehearsed: tuple[Workshop, Results]) -> None:
    sharded = rehearsed[1].rehearsed["sharded.py"]
    assert {cards: each.found.fits for cards, each in sharded.items()} == {1: False, 2: True, 4: True}
    assert 800 << 20 <= sharded[2].found.peak_bytes < 900 << 20
    assert 400 << 20 <= sharded[4].found.peak_bytes < 450 << 20


def test_one_process_with_several_cards_tells_the_peak_of_each(rehearsed: tuple[Workshop, Results]) -> None:
    """Its device is the first; the fullest is another."""
    found = rehearsed[1].rehearsed["one_process.py"][2].found
    assert [peak >> 20 for peak in found.peaks] == [256, 512]
    assert found.peak_bytes == max(found.peaks) <= found.reserved_bytes < 600 << 20


def test_a_card_that_is_too_small_ends_the_others(rehearsed: tuple[Workshop, Results]) -> None:
    """They wait for it in a collective, and would wait long."""
    found = rehearsed[1].rehearsed["one_fails.py"][2].found
    assert found.out_of_memory and found.stop and found.stop.cell == "train"


def test_what_fails_otherwise_is_no_answer_and_repeated(rehearsed: tuple[Workshop, Results]) -> None:
    workshop, results = rehearsed
    found = results.rehearsed["raises.py"][1].found
    assert found.stop and "TypeError" in found.stop.error and not found.out_of_memory
    again, told = workshop.rehearse(command=("false",))
    assert [line.partition(" ")[0] for line in told] == ["raises.py"]
    stop = again.rehearsed["raises.py"][1].found.stop
    assert stop and "without a word" in stop.error
    assert again.rehearsed["fits.py"] == results.rehearsed["fits.py"]


def test_the_run_itself_has_a_peak_that_the_example_can_not_reset(tmp_path: Path) -> None:
    reset = 'import torch\nx = torch.ones(2**20, device="npu")\ndel x\ntorch.npu.reset_peak_memory_stats()\n'
    (tmp_path / "x.py").write_text(f'"""X"""\n\n# %% measure\n{reset}', encoding="utf-8")
    run = Session(Cache(tmp_path / "cache"), tell=lambda line: None).run([read(tmp_path / "x.py")])["x.py"]
    device = run.record.device
    assert 4 << 20 <= device.peak_bytes <= device.reserved_bytes < 32 << 20 < device.memory_bytes


def test_the_key_knows_model_changes_cards_and_what_rehearses(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path)

    def key(text: str, cards: int = 1, content: str = "x") -> str:
        workshop.write(**{"x.py": text})
        rehearsal = discover([read(tmp_path / "examples/x.py")])["x.py"]
        assert MODEL in rehearsal.text
        return digest_of(rehearsal_facts(rehearsal, cards, rehearsing(content=content)))

    keys = [key("fits = true"), key("fits = true", 2), key("fits = true", 1, "y"), key("fits = true" + bigger(2))]
    keys.append(key("fits = true\none_process = true", 2))
    assert len(set(keys)) == 5
    assert key("fits = false") == keys[0], "what is announced changes nothing that is found"


def test_what_is_kept_is_what_was_found(rehearsed: tuple[Workshop, Results]) -> None:
    workshop, results = rehearsed
    (entry,) = (workshop.folder / "cache").glob("does_not.py@1-*")
    stored = json.loads(entry.read_text(encoding="utf-8").partition("\n")[2])["rehearsed"]
    assert stored == json.loads(json.dumps(asdict(results.rehearsed["does_not.py"][1])))
    assert Rehearsed.from_json(stored) == results.rehearsed["does_not.py"][1]
