"""How well scores foretell whether somebody liked, minded or disliked a thing that they truly came to."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from persona_core.profiles.ways.agreement import feeling_of
from persona_core.profiles.ways.judging import Person, RankingJudge
from persona_core.schema import Profile

FEELINGS = ("dislike", "neutral", "like")
GRID = tuple(np.linspace(0.0, 0.95, 20))
Numbers = npt.NDArray[np.float64]


class Felt(NamedTuple):
    """Where each known thing stood (0 the last of the catalogue, 1 the first), and how it was felt to be."""

    stands: Numbers
    feelings: list[str]


def standing_of(scores: Numbers, since: Sequence[Any]) -> Felt:
    """By the scores of every item, for things that somebody came to."""
    order = np.argsort(np.argsort(scores)) / max(1, len(scores) - 1)
    return Felt(np.array([order[one.item] for one in since]), [feeling_of(one.pleased) for one in since])


def felt_by(judge: RankingJudge, people: Sequence[Person], since: dict[str, Sequence[Any]]) -> Felt:
    """The same for these people by their newest visits alone: what the bounds are found on."""
    found = []
    for person in people:
        nothing = Profile(user_id=person.user_id, version=1, text="")
        found.append(standing_of(judge.scores(person, [nothing])[1], since.get(person.user_id, ())))
    return together(found)


def together(some: Sequence[Felt]) -> Felt:
    stands = np.concatenate([one.stands for one in some]) if some else np.empty(0)
    return Felt(stands, [feeling for one in some for feeling in one.feelings])


def bounds_on(felt: Felt) -> tuple[float, float]:
    """Below the first is dislike, from the second on like: the two that give the best macro-F1 here."""
    if not len(felt.stands):
        return 0.0, 0.5
    return max(combinations(GRID, 2), key=lambda bounds: quality(felt, bounds)[1])


def quality(felt: Felt, bounds: tuple[float, float]) -> tuple[float, float]:
    """Accuracy and macro-F1."""
    if not len(felt.stands):
        return float("nan"), float("nan")
    said = np.searchsorted(bounds, felt.stands, side="right")
    true = np.array([FEELINGS.index(feeling) for feeling in felt.feelings])
    hits = [int(((said == one) & (true == one)).sum()) for one in range(len(FEELINGS))]
    named = [int((said == one).sum() + (true == one).sum()) for one in range(len(FEELINGS))]
    return float((said == true).mean()), float(
        np.mean([2 * hit / many if many else 0.0 for hit, many in zip(hits, named, strict=True)])
    )
