"""Sentences rated by people, in the form of the Yelp reviews: one to five stars, train and test.

C.J. Hutto and E. Gilbert (VADER, ICWSM 2014) had 20 people rate each sentence from -4 to 4.  Sentences of film and
product reviews become the data set, but for a part that is kept apart; tweets, newspaper sentences and single words
never enter it.  What stays outside is what the small model has read before (``small_llama``).
"""

from __future__ import annotations

import random
import re
import shutil
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from standins.assets.recipes import DATA, Bench

CUTS = (-1.8, -0.6, 0.6, 1.8)  # mean ratings at which one more star is given: ours, not the authors'
STARS = ("1 star", "2 star", "3 stars", "4 stars", "5 stars")  # as Yelp/yelp_review_full spells them
SHARES = {"test": 0.14, "apart": 0.30}  # of the documents; the rest is there to train on
SEED = 2014
FOLDER = "hutto_ICWSM_2014"


@dataclass(frozen=True)
class Sentence:
    """A sentence and what people thought of it."""

    text: str
    rating: float
    """Mean of the ratings, from -4 to 4."""
    opinions: tuple[int, ...]
    """What each person said, from -4 to 4."""
    document: str
    """Sentences of one document stay on one side of the split."""

    @property
    def label(self) -> int:
        """Stars, counted from zero."""
        return sum(self.rating >= cut for cut in CUTS)

    @property
    def key(self) -> str:
        """Equal for sentences that differ in case and punctuation only."""
        return " ".join(re.findall(r"\w+", self.text.lower()))


def build(bench: Bench) -> None:
    from datasets import ClassLabel, Dataset, Features, Value

    parts = split(reviews(bench.taken["vaderSentiment"]))
    bench.say(", ".join(f"{len(sentences)} sentences {name}" for name, sentences in parts.items()))
    features = Features({"label": ClassLabel(names=list(STARS)), "text": Value("string")})
    folder = bench.files / "yelp_review_full"
    folder.mkdir()
    for name in ("train", "test"):
        columns = {"label": [one.label for one in parts[name]], "text": [one.text for one in parts[name]]}
        Dataset.from_dict(columns, features=features).to_parquet(folder / f"{name}-00000-of-00001.parquet")
    shutil.copyfile(DATA / "yelp_review_full.md", bench.files / "README.md")


def reviews(archive: Path) -> list[Sentence]:
    """Sentences of film and product reviews, each once."""
    return distinct([*read(archive, "movieReviewSnippets"), *read(archive, "amazonReviewSnippets")])


def outside(archive: Path) -> list[Sentence]:
    """Everything rated that is neither in train nor in test: tweets, newspaper sentences, words, reviews kept apart."""
    in_reviews = reviews(archive)
    taken = {one.key for one in in_reviews}
    other = distinct([*read(archive, "tweets"), *read(archive, "nytEditorialSnippets")])
    return [
        *split(in_reviews)["apart"],
        *(one for one in other if one.key not in taken),
        *(one for one in read_words(archive) if one.key not in taken),
    ]


def read(archive: Path, name: str) -> Iterator[Sentence]:
    """The sentences of one kind: two files of the same ids, one with the texts and one with all opinions."""
    opinions = {line[0]: line[3] for line in table(archive, f"{name}_anonDataRatings.txt")}
    for number, rating, text in table(archive, f"{name}_GroundTruth.txt"):
        yield Sentence(text.strip(), float(rating), parsed(opinions[number]), f"{name} {number.split('_')[0]}")


def read_words(archive: Path) -> Iterator[Sentence]:
    """The rated words of the VADER lexicon."""
    for word, rating, _deviation, opinions in table(archive, "vader_sentiment_lexicon.txt"):
        yield Sentence(word, float(rating), parsed(opinions), f"word {word}")


def table(archive: Path, name: str) -> Iterator[list[str]]:
    """The lines of one file, cut at the tabs."""
    with tarfile.open(archive) as tar:
        member = tar.extractfile(f"{FOLDER}/{name}")
        if member is None:
            raise ValueError(f"{archive} has no {name}")
        text = member.read().decode("utf-8-sig", errors="replace")
    return (line.split("\t") for line in text.split("\n") if line.strip())


def parsed(opinions: str) -> tuple[int, ...]:
    """``"[2, -1, 3]"`` as numbers."""
    return tuple(int(number) for number in re.findall(r"-?\d+", opinions))


def distinct(sentences: Iterable[Sentence]) -> list[Sentence]:
    """Each sentence once, whatever its case and punctuation; those without a word are left out."""
    first: dict[str, Sentence] = {}
    for sentence in sentences:
        if sentence.key:
            first.setdefault(sentence.key, sentence)
    return list(first.values())


def split(sentences: list[Sentence]) -> dict[str, list[Sentence]]:
    """Train, test and apart, shuffled, no document in two of them; the same on every machine."""
    chance = random.Random(SEED)
    documents = sorted({one.document for one in sentences})
    chance.shuffle(documents)
    part: dict[str, str] = {}
    for name, share in SHARES.items():
        start = len(part)
        part.update(dict.fromkeys(documents[start : start + round(share * len(documents))], name))
    parts: dict[str, list[Sentence]] = {"train": [], "test": [], "apart": []}
    for sentence in chance.sample(sentences, len(sentences)):
        parts[part.get(sentence.document, "train")].append(sentence)
    return parts
