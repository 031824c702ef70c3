"""In a rehearsal: models of the true shapes behind their public ids, with weights that take no room."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from standins.assets import Asset
from standins.assets.manifest import record
from standins.hub.catalogue import blobs
from standins.hub.content import Blob, Kind, Repository, Revision
from standins.hub.state import Hub
from standins.provision import StandIn
from standins.rehearsal.models import Model

REVIEWS = "Yelp/yelp_review_full"
LONGEST_REVIEW = 5000  # characters, Yelp's limit


def put_true_shapes(hub: Hub, models: Iterable[Model], tokenizer: Asset, folder: Path) -> None:
    """Serve each model as its id; its files are made in ``folder``, and the tokenizer is Meta's for all of them."""
    shared = {path: blob for path, blob in blobs([tokenizer]) if not path.startswith("original/")}
    for model in models:
        model.write(folder / model.id)
        revision = Revision.of(shared | dict(hollow(folder / model.id)))
        repository = Repository(Kind.MODEL, model.id, task="text-generation")
        repository.commit(revision)
        if before := hub.find(Kind.MODEL, model.id):  # a revision that an example pins stays
            repository.commits |= dict.fromkeys(before.commits, revision)
        hub.repositories[Kind.MODEL, model.id] = repository
        if model.modelscope:
            hub.modelscope_names[model.modelscope] = model.id


def hollow(folder: Path) -> Iterator[tuple[str, Blob]]:
    """The files of a model.  Nobody hashes 16 GB of zeros: weights are known by name."""
    for file in sorted(folder.iterdir()):
        if file.suffix == ".safetensors":
            name = hashlib.sha256(f"{folder.parent.name}/{folder.name}/{file.name}".encode()).hexdigest()
            yield file.name, Blob(file, file.stat().st_size, name, name[:40])
        else:
            known = record(file, folder)
            yield file.name, Blob(file, known.size, known.sha256, known.git_oid)


def put_long_reviews(hub: Hub, folder: Path) -> None:
    """The stand-ins for Yelp's reviews are single sentences, and a peak follows from the longest row of a batch: every
    fourth is as long as Yelp lets a review be, so that what cuts or pads reviews meets its limit."""
    from pyarrow import parquet  # not above: only a rehearsal needs it

    repository = hub.repositories[Kind.DATASET, REVIEWS]
    files = dict(repository.branches["main"].files)
    for path in [path for path in files if path.endswith(".parquet")]:
        table = parquet.read_table(files[path].location)
        texts = [text if row % 4 else lengthened(text) for row, text in enumerate(table["text"].to_pylist())]
        column = table.schema.get_field_index("text")
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        parquet.write_table(table.set_column(column, table.schema.field(column), [texts]), target)
        content = target.read_bytes()
        oid = hashlib.sha1(f"blob {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()
        files[path] = Blob(target, len(content), hashlib.sha256(content).hexdigest(), oid)
    revision = Revision.of(files)
    repository.commits |= dict.fromkeys(repository.commits, revision)
    repository.commit(revision)


def lengthened(text: str) -> str:
    """The same again and again.

    >>> len(lengthened("Good."))
    5000
    """
    return (f"{text} " * (LONGEST_REVIEW // (len(text) + 1) + 1))[:LONGEST_REVIEW]


def standins_for(models: Iterable[Model]) -> Iterator[StandIn]:
    """What is said of them."""
    for model in models:
        yield StandIn(
            name=model.id,
            zh="演算：形状与公开的 config.json 一致，权重全是零（文件里的空洞）；分词器用 Meta Llama 3 的。",
            en="Rehearsal: the shapes of its public config.json, all weights zero (holes in files); the tokenizer is "
            "that of Meta's Llama 3.",
            source="standins/rehearsal",
            licence="this repository",
        )
