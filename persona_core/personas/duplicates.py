"""Finds personas of one item that say the same, and makes them one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from persona_core.schema import Persona
from persona_core.text.encoder import Matrix

BOUND = 0.92
"""Two personas of an item and a stance whose vectors are at least this near are the same kind of person."""
MOST_QUOTES = 4


def without_duplicates(personas: Sequence[Persona], vectors: Matrix) -> tuple[list[Persona], list[int]]:
    """The personas that are left, and their rows in `vectors`; the heavier of two takes in the lighter."""
    order = sorted(range(len(personas)), key=lambda row: (-personas[row].weight, personas[row].id))
    kept: dict[int, Persona] = {}
    of_item: dict[str, list[int]] = {}
    for row in order:
        others = of_item.setdefault(personas[row].item_id, [])
        twin = next((at for at in others if _same(personas[at], personas[row], vectors[at], vectors[row])), None)
        if twin is None:
            kept[row] = personas[row]
            others.append(row)
        else:
            kept[twin] = _taking_in(kept[twin], personas[row])
    rows = sorted(kept)
    return [kept[row] for row in rows], rows


def _same(one: Persona, other: Persona, here: Matrix, there: Matrix) -> bool:
    return one.stance is other.stance and float(np.dot(here, there)) >= BOUND


def _taking_in(one: Persona, other: Persona) -> Persona:
    quotes = [*one.quotes, *(quote for quote in other.quotes if quote not in one.quotes)][:MOST_QUOTES]
    weight = min(1.0, round(one.weight + other.weight, 3))
    return one.model_copy(update={"weight": weight, "quotes": tuple(quotes)})
