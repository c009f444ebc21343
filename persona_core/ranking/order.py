"""The order of items: by score, ties by item, and where it is wished, no two alike in a row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from persona_core.ranking.parts import Numbers
from persona_core.text.encoder import Matrix

Places = npt.NDArray[np.int64]
DEEP = 200
"""So many of the best are put in a diverse order; the rest follow by score."""


def by_score(totals: Numbers, allowed: npt.NDArray[np.bool_]) -> Places:
    """The allowed items, the best first; of equals the one that stands first in the catalogue."""
    places = np.flatnonzero(allowed)
    return places[np.argsort(-totals[places], kind="stable")]


def diverse(order: Places, totals: Numbers, directions: Matrix, diversity: float) -> Places:
    """The same items, each next one chosen for its score and for being unlike those before it (maximal marginal relevance)."""
    head, tail = order[:DEEP], order[DEEP:]
    if diversity <= 0 or len(head) < 3:
        return order
    scores = totals[head]
    scores = (scores - scores.min()) / max(float(np.ptp(scores)), 1e-9)
    alike = directions[head] @ directions[head].T
    nearest = np.zeros(len(head))
    left = list(range(len(head)))
    chosen: list[int] = []
    while left:
        worth = (1 - diversity) * scores[left] - diversity * nearest[left]
        best = left.pop(int(worth.argmax()))
        chosen.append(best)
        nearest = np.maximum(nearest, alike[best])
    return np.concatenate([head[chosen], tail])


def rank_of(order: Places | Sequence[int], item: int) -> int | None:
    """From 1; None where the item is not in the order."""
    places = np.flatnonzero(np.asarray(order) == item)
    return int(places[0]) + 1 if len(places) else None
