"""Finds personas of one item that say the same, and makes them one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

import numpy as np

from persona_core.schema import Persona
from persona_core.text.encoder import Matrix

BOUND = 0.92
"""Two personas of an item and a stance whose vectors are at least this near are the same kind of person."""
MOST_QUOTES = 4


def without_duplicates(personas: Iterable[Persona], vectors: Matrix) -> Iterator[tuple[int, Persona]]:
    """The personas that are left, each with its row in `vectors`; the heavier of two takes in the lighter.

    Those of an item stand together: one item after the other is looked at, and let go of.
    """
    for _, of_item in groupby(enumerate(personas), key=lambda one: one[1].item_id):
        own = dict(of_item)
        kept: dict[int, Persona] = {}
        for row in sorted(own, key=lambda row: (-own[row].weight, own[row].id)):
            twin = next((at for at in kept if _same(own[at], own[row], vectors[at], vectors[row])), None)
            if twin is None:
                kept[row] = own[row]
            else:
                kept[twin] = _taking_in(kept[twin], own[row])
        yield from sorted(kept.items())


def _same(one: Persona, other: Persona, here: Matrix, there: Matrix) -> bool:
    return one.stance is other.stance and float(np.dot(here, there)) >= BOUND


def _taking_in(one: Persona, other: Persona) -> Persona:
    quotes = [*one.quotes, *(quote for quote in other.quotes if quote not in one.quotes)][:MOST_QUOTES]
    weight = min(1.0, round(one.weight + other.weight, 3))
    return one.model_copy(update={"weight": weight, "quotes": tuple(quotes)})
