"""The rolling backtest: at each cut-off of the past, what every forecaster would have said, beside what then came."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from persona_core.trends.forecasters import Forecaster
from persona_core.trends.panel import Panel
from persona_core.trends.windows import Table


@dataclass(frozen=True, slots=True, eq=False)
class Backtest:
    """Row k is of the k-th cut-off, the oldest first."""

    names: tuple[str, ...]
    ends: tuple[int, ...]
    expected: Table
    """cut-offs x forecasters x items."""
    came: Table
    """cut-offs x items."""
    judged: Table
    """Which items had been met by then."""
    young: Table
    """Which of those were new."""

    def of(self, name: str) -> Table:
        return self.expected[:, self.names.index(name)]

    def with_one(self, name: str, expected: Table) -> Backtest:
        joined = np.concatenate([self.expected, expected[:, None]], axis=1)
        return Backtest((*self.names, name), self.ends, joined, self.came, self.judged, self.young)


def backtest(
    panel: Panel, forecasters: Sequence[Forecaster], origins: int, told: Callable[[int, int], None] = lambda done, total: None
) -> Backtest:
    """Goes back so many windows, as far as four remain before them, and lets each forecaster see only what was known then."""
    many, items = max(0, min(origins, panel.windows.many - 4)), len(panel.groups)
    expected = np.zeros((many, len(forecasters), items))
    pasts = [panel.back(many - row) for row in range(many)]
    for row, past in enumerate(pasts):
        for place, one in enumerate(forecasters):
            expected[row, place] = one.expected(past)
        told(row + 1, many)
    came = np.array([panel.windows.counts[:, past.windows.many] for past in pasts]).reshape(many, items)
    judged = np.array([past.windows.known for past in pasts], bool).reshape(many, items)
    young = np.array([past.young for past in pasts], bool).reshape(many, items)
    return Backtest(tuple(one.name for one in forecasters), tuple(past.windows.end for past in pasts), expected, came, judged, young)


# Blending ----------------------------------------------------------------------------------------------------------------

FEWEST_ORIGINS = 2
BLEND = "blend"


def blended(found: Backtest, members: Sequence[str]) -> Backtest:
    """With one more forecaster: the mix of the members that would have done best at the cut-offs before each."""
    places = [found.names.index(name) for name in members]
    logs = np.log1p(found.expected[:, places])
    rows = [np.expm1(np.tensordot(weights_before(found, places, row), logs[row], 1)) for row in range(len(found.ends))]
    return found.with_one(BLEND, np.array(rows).reshape(found.came.shape))


def weights_of(found: Backtest, members: Sequence[str]) -> Table:
    """Each member's share of the mix that would have done best at all cut-offs."""
    return weights_before(found, [found.names.index(name) for name in members], len(found.ends))


def weights_before(found: Backtest, places: Sequence[int], row: int) -> Table:
    """From the cut-offs whose next window was over by then: those before the row."""
    from scipy.optimize import nnls

    even = np.full(len(places), 1 / len(places))
    if row < FEWEST_ORIGINS:
        return even
    judged = found.judged[:row]
    inputs = np.stack([np.log1p(found.expected[:row, place])[judged] for place in places], axis=1)
    target = np.log1p(found.came[:row])[judged]
    pull = 0.05 * np.sqrt(len(target))  # towards even shares: few cut-offs tell little
    weights, _ = nnls(np.concatenate([inputs, pull * np.eye(len(places))]), np.concatenate([target, pull * even]))
    total = weights.sum()
    return np.asarray(weights / total) if total > 0 else even


# How sure ----------------------------------------------------------------------------------------------------------------

COVERED = 0.8
"""An interval is meant to hold what comes in so many cases of ten."""
BY_LEVEL = (0.3, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Small and large counts miss in their own ways: errors are looked up among forecasts of their size."""
FEWEST_ERRORS = 40
UNTOLD = (-1.0, 1.0)
"""With too few errors to go by: from a third of the forecast to three times as many, about."""
LEVELS = np.linspace(0.0, 1.0, 51)


def bands(found: Backtest, name: str, row: int, expected: Table) -> tuple[Table, Table]:
    """The bounds around forecasts made at a row, from how far this forecaster had been off before it (row len(ends): today).

    They are whole numbers with the forecast between them, as near to it as held what came often enough so far. Where next to
    nothing comes, none and one alone hold more than that.
    """
    judged = found.judged[:row]
    made, came, when = found.of(name)[:row][judged], found.came[:row][judged], np.nonzero(judged)[0]
    low, high = np.zeros(len(expected)), np.zeros(len(expected))
    size, sizes = np.digitize(expected, BY_LEVEL), np.digitize(made, BY_LEVEL)
    for one in np.unique(size):
        here, alike = size == one, np.flatnonzero(sizes == one)
        if len(alike) < FEWEST_ERRORS:
            alike = np.argsort(np.abs(np.log1p(made) - np.log1p(expected[here]).mean()), kind="stable")[:FEWEST_ERRORS]
        low[here], high[here] = _around(expected[here], _reach(made[alike], came[alike], when[alike]))
    return low, high


def _reach(made: Table, came: Table, when: Table) -> tuple[float, float]:
    """How far from the logarithms of such forecasts the bounds must lie: the least reach that would have held what came.

    The errors' own quantiles reach too far, for the counts right beside a forecast lie within its bounds in any case.
    """
    if len(made) < FEWEST_ERRORS or len(np.unique(when)) < FEWEST_ORIGINS:
        return UNTOLD
    errors = np.log1p(came) - np.log1p(made)
    lows, highs = np.quantile(errors, (1 - LEVELS) / 2), np.quantile(errors, (1 + LEVELS) / 2)

    def held(place: int) -> float:
        low, high = _around(made, (lows[place], highs[place]))
        return _surely((low <= came) & (came <= high), when)

    place = min(bisect_left(range(len(LEVELS)), COVERED, key=held), len(LEVELS) - 1)
    return float(lows[place]), float(highs[place])


def _surely(inside: Table, when: Table) -> float:
    """The share that lay inside, less what it may be off by: the counts of one cut-off rise and fall together."""
    many = len(inside)
    off = np.bincount(when, weights=inside - inside.mean())
    return float(inside.sum() / (many + 1) - np.sqrt((off**2).sum()) / many)


def _around(expected: Table, reach: tuple[float, float]) -> tuple[Table, Table]:
    """The whole numbers within reach of each forecast, and those right beside it."""
    low, high = (np.expm1(np.log1p(expected) + off) for off in reach)
    least = np.minimum(np.ceil(low - 1e-9), np.floor(expected))
    return np.where(least > 0, least, 0.0), np.maximum(np.floor(high + 1e-9), np.ceil(expected))
