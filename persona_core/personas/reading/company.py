"""What a sentence praises or faults, read from its company: from what clear reviews of the same item say of the same thing.

Three stars tell nothing about a single sentence. But if those who were pleased with the item never speak of its weight, and those
who were let down always do, then a sentence about its weight is a complaint, whatever its words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from persona_core.text.encoder import Matrix

SHARPNESS = 16.0
"""How quickly a neighbour loses its say with distance."""
SAY = 2.0
"""The most, in log odds, that company can add."""
MIDDLE = 3.2
CLEAR = 0.7
"""How far from the middle the stars must be for a review to count as clear."""

Vector = np.ndarray[Any, np.dtype[np.float64]]


Flags = np.ndarray[Any, np.dtype[np.bool_]]


def company_says(
    topics: Matrix,
    needs: Matrix,
    reviews: Sequence[str],
    ratings: Sequence[float | None],
    is_aspect: Flags,
) -> Vector:
    """For each sentence of one item, how much its like-minded company leans to praise (above 0) or fault (below)."""
    stars = np.array([0.0 if rating is None or abs(rating - MIDDLE) < CLEAR else np.sign(rating - MIDDLE) for rating in ratings])
    stars = stars * is_aspect
    if not (stars > 0).any() or not (stars < 0).any():
        return np.zeros(len(stars))
    likeness = (_directions(topics) + _directions(needs)) / 2
    nearness = np.exp(SHARPNESS * (likeness - 1.0))
    codes = np.unique(np.array(reviews), return_inverse=True)[1]
    nearness[codes[:, None] == codes[None, :]] = 0.0  # nobody is their own witness
    says = (nearness @ stars) / (nearness @ np.abs(stars) + 1e-6)
    usual = stars.sum() / np.abs(stars).sum()
    leaning: Vector = SAY * (says - usual / 2)
    return leaning


def _directions(rows: Matrix) -> np.ndarray[Any, Any]:
    """Cosines between rows, each taken from the middle of all."""
    moved = rows - rows.mean(0)
    moved = moved / (np.linalg.norm(moved, axis=1, keepdims=True) + 1e-9)
    likeness: np.ndarray[Any, Any] = moved @ moved.T
    return likeness
