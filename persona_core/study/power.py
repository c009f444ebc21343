"""How many participants a study needs, by simulation: made-up answers of its design, tested as its analysis will test them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from persona_core.study.analysis import ALPHA
from persona_core.study.design import Hypothesis, Study
from persona_core.study.synthetic import NOISE, on_scale, thought

GRID = (12, 20, 30, 40, 60, 80, 100, 120, 160, 200, 260, 320, 400, 500, 640, 800)
ENOUGH = 0.8
ROUNDS = 1_000
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Power:
    people: int
    """In the whole study."""
    power: float
    """In this share of made-up studies the difference was found, after correction for all that is planned."""
    low: float
    high: float
    """95% interval of that share: it is itself a count."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is planned for: one difference, in one outcome, between two levels."""

    levels: int
    items: int
    scale: int
    within: bool
    one_sided: bool
    tests: int
    """So many differences are planned; each is held to that much more."""

    @classmethod
    def of(cls, study: Study, hypothesis: Hypothesis | None = None) -> Asked:
        """The first hypothesis where none is named; without any, the first factor and a scale of two items."""
        one = hypothesis or next(iter(study.hypotheses), None)
        factor = one.factor if one else next(iter(study.factors))
        asked = [(item, len(each.scale)) for each in study.questionnaires.values() for item in each.items
                 if one and item.measures == one.outcome and item.kind == "scale"]  # fmt: skip
        items, scale = (len(asked), asked[0][1]) if asked else (2, 7)
        one_sided = one is not None and one.direction != "differs"
        return cls(len(study.factors[factor]), items, scale, study.within, one_sided, max(1, len(study.hypotheses)))


def curve(asked: Asked, size: float, people: Sequence[int] = GRID, rounds: int = ROUNDS, seed: int = 0) -> list[Power]:
    """Of a difference of so many standard deviations of people, for each number of participants."""
    return [_power(asked, size, many, rounds, seed) for many in people]


def needed(powers: Sequence[Power], enough: float = ENOUGH) -> int | None:
    """The fewest from which on the power is enough; None where all of them are too few."""
    found = None
    for one in reversed(powers):
        if one.power < enough:
            break
        found = one.people
    return found


def _power(asked: Asked, size: float, people: int, rounds: int, seed: int) -> Power:
    each = people if asked.within else people // asked.levels
    if each < 4:
        return Power(people, 0.0, 0.0, 0.0)
    dice = np.random.default_rng([seed, people])
    own = dice.standard_normal((rounds, each))
    one, other = (_answers(asked, own if asked.within else None, lift, (rounds, each), dice) for lift in (size, 0.0))
    side = "greater" if asked.one_sided else "two-sided"
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of a handful of people, some made-up groups all say the same
        test: Any = (
            stats.ttest_rel(one, other, axis=1, alternative=side)
            if asked.within
            else stats.ttest_ind(one, other, axis=1, equal_var=False, alternative=side)
        )
    hits = int((np.nan_to_num(test.pvalue, nan=1.0) < ALPHA / asked.tests).sum())
    interval = stats.binomtest(hits, rounds).proportion_ci(0.95, method="wilson")
    return Power(people, hits / rounds, float(interval.low), float(interval.high))


def _answers(asked: Asked, own: Numbers | None, lift: float, shape: tuple[int, int], dice: np.random.Generator) -> Numbers:
    """Means of items on their scale, as people give them."""
    moment = dice.standard_normal(shape)
    felt = lift + (moment if own is None else thought(own, moment))
    items = felt[..., None] + NOISE * dice.standard_normal((*shape, asked.items))
    said: Numbers = on_scale(items, asked.scale).mean(axis=-1)
    return said
