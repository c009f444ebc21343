"""Worlds in which it is known what edits must do and how long answers must take, for the tests of the benchmarks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.online_world import Clock, MadeEngine, made_engine
from benchmarks.steering_edits import motive_meant
from benchmarks.steering_words import SAID
from persona_core.alignment.head import Head
from persona_core.engine import Options
from persona_core.evaluation.truth import TrueItem, TrueMotive, Truth
from persona_core.personas.needs import read_needs
from persona_core.profiles.files import ProfileBook
from persona_core.ranking import EASE, RecentPopularity
from persona_core.ranking.parts import Weights
from persona_core.schema import Item, Persona, Quote
from persona_core.text.encoder import DIMENSION, Matrix
from persona_core.workspace import Workspace
from tests.ranking.worlds import interactions_of

MOTIVES, AN_OWN = list(SAID)[:8], 6
"""Each motive is served by six items of its own."""
WORDS_AND_TASTE = Options(Weights(1.0, 0.0, 0.0), mix=1.0)
MIDDLE = np.zeros(DIMENSION, np.float32)


class Book:
    """Texts as an encoder reads them that knows each motive, however it is said; or one that guesses."""

    def __init__(self, guesses: bool) -> None:
        self._guesses = guesses
        self._learned: dict[str, Matrix] = {}

    def vectors(self, texts: Sequence[str]) -> Matrix:
        return np.array([self._vector(text) for text in texts], np.float32).reshape(-1, DIMENSION)

    def _vector(self, text: str) -> Matrix:
        if text in self._learned:
            return self._learned[text]
        rng = np.random.default_rng(list(text.encode()))
        if self._guesses:
            return rng.standard_normal(DIMENSION).astype(np.float32)
        return direction(MOTIVES.index(motive_of(text))) + 0.02 * rng.standard_normal(DIMENSION).astype(np.float32)

    def learn(self, texts: Sequence[str], vectors: Matrix) -> None:
        self._learned.update(zip(texts, vectors, strict=True))

    def is_fault(self, text: str) -> bool:
        return False


def direction(number: int) -> Matrix:
    return np.eye(DIMENSION, dtype=np.float32)[number]


def motive_of(text: str) -> str:
    return motive_meant(text) or next(one for one, said in SAID.items() if text in (one, said.phrase, said.sentence))


def own_phrase(motive: str) -> str:
    """What a built profile says for the motive."""
    return next(need.phrase for need in read_needs() if need.id in SAID[motive].needs)


def world(folder: Path, guesses: bool) -> tuple[MadeEngine, Truth]:
    served = {f"i{number:02d}": MOTIVES[number // AN_OWN] for number in range(AN_OWN * len(MOTIVES))}
    vectors = np.array([direction(number // AN_OWN) for number in range(len(served))], np.float32)
    vectors += 0.05 * np.random.default_rng(1).standard_normal(vectors.shape).astype(np.float32)
    interactions = interactions_of([("u1", "i00", 4.0, 0)], list(served))
    (folder / "profiles.jsonl").write_bytes(b"")
    items, personas = [Item(id=one, scenario="s", title=one) for one in served], [persona_of(one) for one in served]
    engine = MadeEngine(
        Workspace.at(folder), items, personas, vectors, ProfileBook(folder / "profiles.jsonl"), Head.frozen(MIDDLE, MIDDLE),
        EASE.fit(interactions), RecentPopularity.fit(interactions), Book(guesses),
    )  # fmt: skip
    motives = {one: TrueMotive(one, one, ("s",)) for one in MOTIVES}
    return engine, Truth(motives, {}, {one: TrueItem(one, {motive: 0.8}, {}, "steady") for one, motive in served.items()}, {})


def persona_of(item: str) -> Persona:
    quote = Quote(review_id="r", start=0, end=2, text="It")
    return Persona(id=f"{item}:p", item_id=item, name="n", description="d", rationale="r", stance="suits", weight=1, quotes=(quote,))


class Slow:
    name = "slow"

    def __init__(self, habit: Any, seconds: float) -> None:
        self._habit, self._seconds = habit, seconds

    def scores(self, histories: Any, moments: Any = None) -> Any:
        time.sleep(self._seconds)
        return self._habit.scores(histories, moments)


def slow_engine(folder: Path, encoding: float = 0.0, habit: float = 0.0) -> tuple[MadeEngine, Clock]:
    """Sixty made-up items; each encoding and each look at habits takes so many seconds more."""

    def vectors(texts: Sequence[str]) -> Matrix:
        with clock.part("encoding"):
            time.sleep(encoding)
            return book.vectors(texts)

    clock, book = Clock(), Book(guesses=True)
    engine = made_engine(60, 7, SimpleNamespace(vectors=vectors, is_fault=book.is_fault), clock, folder)
    engine.habit.habit = Slow(engine.habit.habit, habit) if habit else engine.habit.habit
    return engine, clock
