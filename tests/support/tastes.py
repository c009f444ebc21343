"""Made-up directions, heads and personas, for what can be tested of tastes without an encoder."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from persona_core.alignment.head import Head, LowRank, unit
from persona_core.alignment.taste import rows_of
from persona_core.personas.needs import read_needs
from persona_core.schema import Persona, Quote, Stance
from persona_core.text.encoder import DIMENSION, Matrix

NEEDS = {need.id: place for place, need in enumerate(read_needs())}
DAY = 86_400
START = 1_700_000_000


def days(number: float) -> int:
    """A moment so many days after the start, in seconds."""
    return START + int(number * DAY)


def vector_of(text: str) -> Matrix:
    """A direction of its own for each text, the same each time: nearly at right angles to every other."""
    seed = int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")
    return unit(np.random.default_rng(seed).normal(size=DIMENSION).astype(np.float32))


def encode(texts: Sequence[str]) -> Matrix:
    return rows_of([vector_of(text) for text in texts])


def random_units(number: int, seed: int = 1) -> Matrix:
    return unit(np.random.default_rng(seed).normal(size=(number, DIMENSION)).astype(np.float32))


def plain_head(penalty: float = 0.2) -> Head:
    """Nothing learned, and all directions taken from the very middle."""
    middle = np.zeros(DIMENSION, np.float32)
    return Head.frozen(middle, middle, penalty)


def some_head(seed: int = 3, rank: int = 4, penalty: float = 0.3) -> Head:
    """A head as if it had learned: its maps turn what they are given by a good deal."""
    rng = np.random.default_rng(seed)

    def drawn(*shape: int, spread: float = 0.08) -> Matrix:
        return (rng.normal(size=shape) * spread).astype(np.float32)

    words, past, personas = (LowRank(drawn(DIMENSION, rank), drawn(rank, DIMENSION)) for _ in range(3))
    return Head(words, past, personas, drawn(DIMENSION, spread=0.02), drawn(DIMENSION, spread=0.02), penalty)


def persona_of(item: str, number: int = 0, stance: Stance = Stance.SUITS, weight: float = 0.5) -> Persona:
    quote = Quote(review_id=f"r-{item}", start=0, end=2, text="It")
    return Persona(
        id=f"{item}:p{number}", item_id=item, name=f"Person {number}", description="d", rationale="r", stance=stance,
        weight=weight, quotes=(quote,),
    )  # fmt: skip
