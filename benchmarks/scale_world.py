"""A generated shop of any size, in the demo world's form: scenarios, people with a taste, popular things and rare ones."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from persona_core.settings import DEMO_DATA
from persona_core.text.encoder import DIMENSION, MANNER_DIMENSION, BaseEncoder, Matrix
from persona_core.text.sentences import sentence_spans

REVIEWS_AN_ITEM, REVIEWS_A_PERSON = 40, 20
WITH_TEXT = 5
"""One review in so many has a text, as in the demo world."""
SENTENCES = (1, 6)
POOL = 1_000
"""So many different sentences, all of them the demo world's."""
HOMES = 250
"""Items: most of what a person comes to lies this near."""
FIRST, DAYS = datetime(2023, 1, 1, tzinfo=UTC), 730
SCENARIOS = ("books", "kitchen", "outdoors", "music gear")
AT_ONCE = 100_000


def write_shop(folder: Path, items: int, seed: int) -> int:
    """Writes the shop's files and says how many reviews it has."""
    folder.mkdir(parents=True)
    reviews = items * REVIEWS_AN_ITEM
    people = reviews // REVIEWS_A_PERSON
    _write(folder / "items.jsonl", (_item(number) for number in range(items)))
    _write(folder / "users.jsonl", ({"user_id": _user(number), "name": f"Reader {number}"} for number in range(people)))
    _write(folder / "reviews.jsonl", _reviews(items, people, reviews, seed))
    return reviews


def _write(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def _item(number: int) -> dict[str, Any]:
    return {
        "item_id": f"i{number:07d}", "scenario": SCENARIOS[number % len(SCENARIOS)], "title": f"Thing {number}",
        "maker": f"Maker {number % 997}", "description": f"A thing of kind {number % 89}, made by hand in lot {number}.",
        "price": 5.0 + number % 200, "attributes": {"type": f"kind {number % 89}"},
    }  # fmt: skip


def _user(number: int) -> str:
    return f"u{number:07d}"


def _reviews(items: int, people: int, reviews: int, seed: int) -> Iterator[dict[str, Any]]:
    """Nobody reviews a thing twice but by chance, and such doubles are refused when they are read, as anywhere."""
    rng = np.random.default_rng(seed)
    home = rng.integers(0, items, people)
    pool = sentences()
    for start in range(0, reviews, AT_ONCE):
        many = min(AT_ONCE, reviews - start)
        who = rng.integers(0, people, many)
        near = (home[who] + rng.integers(0, HOMES, many)) % items
        popular = (items * rng.random(many) ** 3).astype(np.int64)
        what = np.where(rng.random(many) < 0.7, near, popular)
        when = np.sort(rng.integers(0, DAYS * 86_400, many))
        stars = rng.choice([1, 2, 3, 4, 5], many, p=[0.08, 0.08, 0.12, 0.32, 0.4])
        long = np.where(rng.random(many) < 1 / WITH_TEXT, rng.integers(*SENTENCES, many), 0)
        for row in range(many):
            text = " ".join(pool[at] for at in rng.integers(0, len(pool), long[row])) if long[row] else ""
            moment = FIRST + timedelta(seconds=int(when[row]))
            yield {
                "review_id": f"r{start + row:09d}", "user_id": _user(int(who[row])), "item_id": f"i{int(what[row]):07d}",
                "rating": int(stars[row]), "time": moment.isoformat(), "text": text,
            }  # fmt: skip


@cache
def sentences() -> list[str]:
    """What reviewers of the demo world say, each thing once."""
    found: dict[str, None] = {}
    with (DEMO_DATA / "reviews.jsonl").open(encoding="utf-8") as file:
        for line in file:
            text = json.loads(line).get("text", "")
            found |= dict.fromkeys(text[start:end] for start, end in sentence_spans(text))
    return sorted(found)[:: max(1, len(found) // POOL)][:POOL]


# Encoding ----------------------------------------------------------------------------------------------------------------


def write_pool(path: Path, quick: bool) -> float:
    """Encodes the pool's sentences, from which other texts' vectors are taken; says how many the encoder reads in a CPU second."""
    encoder, texts = BaseEncoder(), sentences()[:: 16 if quick else 1]
    encoder.read(texts[:8])  # what it loads is loaded
    began = time.process_time()
    read = encoder.read(texts)
    seconds = time.process_time() - began
    np.savez(path, topics=read.topics, manners=read.manners, texts=np.array(texts))
    return len(texts) / seconds


class PoolEncoder:
    """In the encoder's place: gives sentences of the pool their own vectors, and other texts those of one of them, a little moved.

    Encoding is linear and so dear that it would hide all else; it is measured apart.
    """

    def __init__(self, path: Path) -> None:
        kept = np.load(path)
        self._topics, self._manners = kept["topics"], kept["manners"]
        self._row = {text: row for row, text in enumerate(kept["texts"].tolist())}
        self.texts = 0

    def forward(self, texts: list[str]) -> tuple[Matrix, Matrix]:
        self.texts += len(texts)
        rows = [self._row.get(text, -1) for text in texts]
        topics, manners = np.zeros((len(texts), DIMENSION), np.float32), np.zeros((len(texts), MANNER_DIMENSION), np.float32)
        for place, (row, text) in enumerate(zip(rows, texts, strict=True)):
            if row < 0:
                rng = np.random.default_rng(list(text.encode()[:64]))
                row = int(rng.integers(len(self._row)))
                moved = self._topics[row] + rng.normal(0, 0.02, DIMENSION)
                topics[place] = moved / np.linalg.norm(moved)
            else:
                topics[place] = self._topics[row]
            manners[place] = self._manners[row]
        return topics, manners
