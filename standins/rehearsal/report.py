"""What a rehearsal has found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

GIB = 1 << 30
UNKNOWN = (
    "演算不知道的：算子的工作区，HCCL 的缓冲区（每个通信域约 2 x 200 MB），CANN 自己占用的显存，私有格式，"
    "芯片上的碎片，时间，损失。",
    "What it can not know: operators' workspaces, HCCL's buffers (some 2 x 200 MB for each communicator), CANN's own "
    "memory, private formats, fragmentation on silicon, time, the loss.",
)


@dataclass(frozen=True)
class Card:
    """The most that one process has had of one card, in bytes."""

    number: int
    allocated: int
    """By tensors."""
    reserved: int
    """By torch_npu's caching allocator; this is what has to fit."""


@dataclass(frozen=True)
class Report:
    """A rehearsal's result, and the JSON of ``--report FILE``: an object with these names.

    ``{"card_gib": 60.97, "exit_code": 0, "fits": true, "cards": [{"number": 0, "allocated": ..., "reserved": ...}],
    "out_of_memory": "", "where": "", "notes": [...]}``
    """

    card_gib: float
    """The size of each card."""
    exit_code: int
    """Of the command."""
    fits: bool
    """It used a card, ran to its end, and the allocator refused nothing, not even what the program did without."""
    cards: tuple[Card, ...]
    """By number; where several processes used one card, the highest of each figure."""
    out_of_memory: str
    """torch_npu's own sentence, ``NPU out of memory. Tried to allocate ...``, where a program ended with it."""
    where: str
    """``lora.py:63``: the line of that program that asked for the memory."""
    notes: tuple[str, ...]
    """What was shortened, in English sentences."""

    def json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, indent=1)

    def lines(self) -> Iterator[str]:
        """For people."""
        yield "演算 / rehearsal: 真实的形状和分配器，没有计算 / true shapes, the real allocator, no computation"
        for card in self.cards:
            yield (
                f"  npu:{card.number}  peak {card.allocated / GIB:.2f} GiB allocated, {card.reserved / GIB:.2f} GiB "
                f"reserved, of {self.card_gib:g} GiB"
            )
        if self.out_of_memory:
            yield f"  {self.where}: {self.out_of_memory}" if self.where else f"  {self.out_of_memory}"
        if self.fits:
            yield "  放得下 / fits"
        elif self.exit_code and not self.out_of_memory:
            yield f"  命令失败 / the command failed: exit status {self.exit_code}"
        elif not self.cards:
            yield "  没有用到卡 / no card was used"
        else:
            yield "  放不下 / does not fit"
        yield from (f"  {note}" for note in self.notes)
        yield from (f"  {sentence}" for sentence in UNKNOWN)


def joined(folder: Path, card_gib: float, exit_code: int) -> Report:
    """One report of those that the processes have left in the folder."""
    told = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))]
    cards: dict[int, Card] = {}
    refused = 0
    for one in told:
        for name, counted in one["cards"].items():
            before = cards.get(int(name), Card(int(name), 0, 0))
            cards[before.number] = Card(
                before.number,
                max(before.allocated, counted["allocated"]),
                max(before.reserved, counted["reserved"]),
            )
            refused += counted["refused"]
    first: dict[str, str] = next((one for one in told if "out_of_memory" in one), {})
    return Report(
        card_gib=card_gib,
        exit_code=exit_code,
        fits=exit_code == 0 and refused == 0 and bool(cards),
        cards=tuple(card for _, card in sorted(cards.items())),
        out_of_memory=first.get("out_of_memory", ""),
        where=first.get("where", ""),
        notes=tuple(dict.fromkeys(note for one in told for note in one["notes"])),
    )
