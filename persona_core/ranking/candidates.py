"""Candidates: the best of several scorers' items together, each with the scorers that named it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Candidate:
    item: int
    sources: tuple[tuple[str, int], ...]
    """Which scorers named it and at which rank, from 1; the best rank first, then by name."""

    @property
    def best_rank(self) -> int:
        return self.sources[0][1]


def candidates(scored: Mapping[str, npt.NDArray[Any]], seen: Iterable[int], per_source: int) -> list[Candidate]:
    """The first `per_source` items of each scorer, for one case.

    Args:
        scored: for each scorer its name and its score of each item. An item at minus infinity is not named, nor anything by
            a scorer that gives zeros to all: it knows nothing of this case.
        seen: items that are not named, whatever their score.
        per_source: how many items a scorer may name; of equal ones it names those that stand first in the catalogue.

    Returns:
        Every named item once: by its best rank, then by its code.
    """
    if len({scores.shape for scores in scored.values()}) > 1 or any(scores.ndim != 1 for scores in scored.values()):
        raise ValueError("the scorers speak of different items: each gives one row of equal length")
    known = np.fromiter(seen, np.int64)
    if len(known) and scored and not (known.min() >= 0 and known.max() < len(next(iter(scored.values())))):
        raise ValueError("what was seen has codes that no item has")
    named: dict[int, list[tuple[int, str]]] = {}
    for name, scores in scored.items():
        for rank, item in enumerate(_best(name, scores, known, per_source), start=1):
            named.setdefault(item, []).append((rank, name))
    found = [Candidate(item, tuple((name, rank) for rank, name in sorted(sources))) for item, sources in named.items()]
    return sorted(found, key=lambda one: (one.best_rank, one.item))


def _best(name: str, scores: npt.NDArray[Any], seen: npt.NDArray[np.int64], count: int) -> list[int]:
    if np.isnan(scores).any():
        raise ValueError(f"the scores of {name} are not all numbers")
    if not scores.any():
        return []
    open_to = np.array(scores, np.float64)
    open_to[seen] = -np.inf
    order = np.argsort(-open_to, kind="stable")[: max(count, 0)]
    best: list[int] = order[open_to[order] > -np.inf].tolist()
    return best
