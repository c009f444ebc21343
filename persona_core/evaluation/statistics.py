"""How sure a measured difference is: bootstrap intervals, a paired permutation test, and Holm's correction for many tests at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]

LEVEL = 0.95
DRAWS = 2000
_CELLS_AT_ONCE = 1 << 21
_ROUNDING = 1e-12
"""What two sums of the same numbers in another order may differ by, as a share of their size."""


class Interval(NamedTuple):
    """A value found in the sample, and between which bounds it mostly falls when cases are drawn anew."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one system gained over another on the same cases."""

    cases: int
    first: float
    second: float
    difference: Interval
    """The mean of the first less that of the second."""
    relative: Interval | None
    """The same as a share of the second's mean; nothing if that is 0, or so often 0 among the draws that a ratio says nothing."""
    p_value: float


def interval(values: ArrayLike, *, seed: int, level: float = LEVEL, draws: int = DRAWS) -> Interval:
    """The mean over cases and its percentile bootstrap interval. One case alone has no spread: its interval is a point."""
    return clustered_interval(values, None, seed=seed, level=level, draws=draws)


def clustered_interval(
    values: ArrayLike, groups: Sequence[Any] | NDArray[Any] | None, *, seed: int, level: float = LEVEL, draws: int = DRAWS
) -> Interval:
    """The mean over cases, with an interval from drawing whole groups anew.

    A user's cases resemble each other: drawn one by one they would pass for more evidence than they are.

    Args:
        values: one a case.
        groups: the group of each case, such as its user; without them each case is its own.
        seed: the same seed gives the same interval.
        level: how often the interval should hold the true mean.
        draws: how many times the groups are drawn.
    """
    (given,) = _checked(values)
    _refuse_odd(level, draws)
    group_of = _group_of(groups, len(given))
    columns = [_sums(given, group_of), _sums(np.ones_like(given), group_of)]
    drawn = _drawn_sums(columns, np.random.default_rng(seed), draws)
    return _between(columns[0].sum() / len(given), drawn[0] / drawn[1], level)


def compare(
    first: ArrayLike,
    second: ArrayLike,
    *,
    seed: int,
    groups: Sequence[Any] | NDArray[Any] | None = None,
    level: float = LEVEL,
    draws: int = DRAWS,
) -> Comparison:
    """Two systems on the same cases, in the same order, paired case by case (or group by group where users have several cases).

    The p-value is two-sided: how often the gain would be at least as large, either way, if in each group it were a coin's throw which
    system is which. It is never below 1 / (draws + 1), so a comparison among many needs more draws.
    """
    a, b = _checked(first, second)
    _refuse_odd(level, draws)
    group_of = _group_of(groups, len(a))
    columns = [_sums(values, group_of) for values in (a, b, np.ones_like(a))]
    draw, flip = np.random.default_rng(seed).spawn(2)
    drawn_a, drawn_b, drawn_cases = _drawn_sums(columns, draw, draws)
    mean_a, mean_b = (float(column.sum() / len(a)) for column in columns[:2])
    return Comparison(
        cases=len(a),
        first=mean_a,
        second=mean_b,
        difference=_between(mean_a - mean_b, drawn_a / drawn_cases - drawn_b / drawn_cases, level),
        relative=_relative(mean_a, mean_b, drawn_a, drawn_b, level),
        p_value=_p_value(columns[0] - columns[1], flip, draws),
    )


def _relative(mean_a: float, mean_b: float, drawn_a: Values, drawn_b: Values, level: float) -> Interval | None:
    if mean_b <= 0.0:
        return None
    some = drawn_b > 0.0
    ratios = np.divide(drawn_a, drawn_b, out=np.full_like(drawn_a, np.inf), where=some)  # against nothing, any gain is boundless
    found = _between(mean_a / mean_b - 1.0, ratios - 1.0, level)
    return found if np.isfinite(found.high) else None


def _p_value(differences: Values, flip: np.random.Generator, draws: int) -> float:
    """Turning the sign of no difference changes nothing, so only groups that differ are thrown for."""
    some = differences[differences != 0.0]
    total = some.sum()
    least = abs(total) - _ROUNDING * np.abs(some).sum()
    hits = 0
    for size in _sizes(draws, len(some)):
        heads = flip.random((size, len(some))) < 0.5
        hits += int(np.count_nonzero(np.abs(2.0 * (heads @ some) - total) >= least))
    return (hits + 1) / (draws + 1)


def holm(p_values: ArrayLike) -> Values:
    """The p-values, each raised for the tests made beside it, in the order given: what is then below 0.05 may be believed together.

    Holm's step-down: the smallest is multiplied by the number of tests, the next by one fewer, and none falls below one before it.
    """
    given = np.asarray(p_values, dtype=np.float64)
    if given.ndim != 1 or not ((given >= 0.0) & (given <= 1.0)).all():
        raise ValueError("p-values must be a row of numbers from 0 to 1")
    order = np.argsort(given, kind="stable")
    raised = np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1))
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(raised, 1.0)
    return adjusted


def _drawn_sums(columns: Sequence[Values], draw: np.random.Generator, draws: int) -> list[Values]:
    """For each column, its sum over as many groups as there are, drawn with return; all columns see the same draws."""
    count = len(columns[0])
    parts = []
    for size in _sizes(draws, count):
        chosen = draw.integers(0, count, size=(size, count))
        parts.append([column[chosen].sum(axis=1) for column in columns])
    return [np.concatenate(part) for part in zip(*parts, strict=True)]


def _sizes(draws: int, count: int) -> Iterator[int]:
    """How many draws to make at a time, so that memory stays small however many cases there are."""
    step = max(1, _CELLS_AT_ONCE // max(1, count))
    for start in range(0, draws, step):
        yield min(step, draws - start)


def _between(value: float, drawn: Values, level: float) -> Interval:
    """Bounds are drawn values, the outer ones where a bound falls between two: turning all signs turns the interval exactly."""
    ordered = np.sort(drawn)
    outside = int((1.0 - level) / 2.0 * (len(ordered) - 1))
    return Interval(float(value), float(ordered[outside]), float(ordered[-1 - outside]))


def _group_of(groups: Sequence[Any] | NDArray[Any] | None, cases: int) -> NDArray[np.intp]:
    if groups is None:
        return np.arange(cases)
    if len(groups) != cases:
        raise ValueError(f"there are {cases} cases, but groups are given for {len(groups)}")
    return np.unique(np.asarray(groups), return_inverse=True)[1]


def _sums(values: Values, group_of: NDArray[np.intp]) -> Values:
    return np.asarray(np.bincount(group_of, weights=values), dtype=np.float64)


def _checked(*samples: ArrayLike) -> list[Values]:
    given = [np.asarray(sample, dtype=np.float64) for sample in samples]
    if any(one.ndim != 1 or not len(one) for one in given):
        raise ValueError("one value a case is needed, and at least one case")
    if len({len(one) for one in given}) > 1:
        raise ValueError(f"both must be measured on the same cases, not on {' and '.join(str(len(one)) for one in given)}")
    if not all(np.isfinite(one).all() for one in given):
        raise ValueError("a value is not a finite number")
    return given


def _refuse_odd(level: float, draws: int) -> None:
    if not 0.0 < level < 1.0:
        raise ValueError(f"the level must lie between 0 and 1, not at {level}")
    if draws < 1:
        raise ValueError(f"at least one draw is needed, not {draws}")
