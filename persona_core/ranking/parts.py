"""A score as named parts: each no greater than its weight, so that they can be drawn side by side and add up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from persona_core.schema import ScorePart

Numbers = npt.NDArray[np.float64]
TASTE, CAUTION, HABIT, POPULARITY, TREND, SCENARIO = "taste", "caution", "habit", "popularity", "trend", "scenario"
PARTS = (TASTE, CAUTION, HABIT, POPULARITY, TREND, SCENARIO)


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each part may count for; nothing is hidden behind them."""

    taste: float = 0.5
    habit: float = 0.4
    popularity: float = 0.1
    trend: float = 0.05
    scenario: float = 0.2


@dataclass(frozen=True, slots=True)
class Scored:
    """Every item's parts, one column a part in the order of PARTS."""

    table: Numbers

    @property
    def totals(self) -> Numbers:
        """The sum of each row, added from left to right: as whoever adds up the shown parts will."""
        total: Numbers = np.zeros(len(self.table))
        for column in self.table.T:
            total = total + column
        return total

    def parts(self, item: int) -> tuple[ScorePart, ...]:
        return tuple(ScorePart(name=name, value=float(value)) for name, value in zip(PARTS, self.table[item], strict=True))


def scored(
    suits: Any, disappoints: Any, penalty: float, habit: Any, popularity: Any, weights: Weights, trend: Any = None,
    scenario: Any = None,
) -> Scored:  # fmt: skip
    """Taste rises from 0 (the item that suits the profile least) to its weight (the one that suits best); and so the others.

    Args:
        suits: each item's best match among personas that it suits; NaN where it has none, which counts as the least.
        disappoints: its closest disappointing match, 0 where none is close; what it takes is in the same measure as taste.
        penalty: how much of that closeness is taken.
        habit, popularity, trend: any measure, the higher the better; trend may be left out where nobody foretold one.
        scenario: how far what the reader wants elsewhere speaks for it or against it, from -1 to 1; left out where
            nothing carries over.
    """
    known = np.asarray(suits, np.float64)
    low, high = (float(np.nanmin(known)), float(np.nanmax(known))) if np.isfinite(known).any() else (0.0, 0.0)
    reach = max(high - low, 1e-9) if high > low else 1.0  # where taste tells no items apart, caution is in cosines
    taste = np.nan_to_num((known - low) / reach, nan=0.0) * weights.taste
    caution = 0.0 - np.clip(penalty * np.asarray(disappoints, np.float64) / reach, 0.0, 1.0) * weights.taste
    rise = np.zeros_like(known) if trend is None else risen(trend) * weights.trend
    over = np.zeros_like(known) if scenario is None else np.asarray(scenario, np.float64) * weights.scenario
    return Scored(np.stack([taste, caution, risen(habit) * weights.habit, risen(popularity) * weights.popularity, rise, over], axis=1))


def risen(values: Any) -> Numbers:
    """From 0 for the lowest to 1 for the highest; all 0 where nothing tells items apart."""
    numbers = np.asarray(values, np.float64)
    if not len(numbers):
        return numbers
    low, high = float(numbers.min()), float(numbers.max())
    found: Numbers = (numbers - low) / (high - low) if high > low else np.zeros_like(numbers)
    return found
