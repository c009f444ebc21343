"""How profiles meet personas: the cosines, as one who wants and as one who fears, and the best of each item's."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from persona_core.alignment.head import Head, unit
from persona_core.text.encoder import Matrix

FEAR_SAY = 0.7
"""How much what is feared adds to what is wanted when a profile meets a disappointing persona."""


def wants_of(head: Head, words: Matrix, past: Matrix, mix: float) -> Matrix:
    """What people want, one row each, from their pooled words and past; where one is missing, the other is all, as in `taste_of`."""
    words_only, past_only = ~past.any(1, keepdims=True), ~words.any(1, keepdims=True)
    share = np.where(words_only, 1.0, np.where(past_only, 0.0, mix)).astype(np.float32)
    return unit(share * head.words(words) + (1 - share) * head.past(past))


def matches(mapped: Matrix, wants: Matrix, fears: Matrix) -> tuple[Matrix, Matrix]:
    """For each profile (row), its match with every persona, as one who wants and as one who fears; `mapped` from `of_personas`."""
    alarmed = unit(wants + np.float32(FEAR_SAY) * fears)
    return wants @ mapped.T, alarmed @ mapped.T


def best_of_items(found: Matrix, items: npt.NDArray[Any], count: int, nothing: float) -> Matrix:
    """For each of `count` items the highest of its columns; `items` names each column's."""
    best: Matrix = np.full((len(found), count), nothing, np.float32)
    if not len(items):
        return best
    order = np.argsort(items, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(items[order]) != 0))
    best[:, items[order][starts]] = np.maximum.reduceat(found[:, order], starts, axis=1)
    return best
