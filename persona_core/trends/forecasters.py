"""Forecasters: what each item's next window will bring, from the past alone.

These are the cheap and strong ones; boosting.py and attention.py learn. To add one: write a class that keeps the promise of
`Forecaster`, and put it in `FORECASTERS` of persona_core/trends/steps.py; the contract tests and the backtest find it there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from persona_core.trends.panel import Panel, beginnings
from persona_core.trends.windows import Table, Windows


@runtime_checkable
class Forecaster(Protocol):
    """Learns from a panel, as far as it learns at all, and says what comes next; nothing is kept between two calls."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str:
        """What it does, in plain words."""
        ...

    def expected(self, panel: Panel) -> Table:
        """A count of at least 0 for every item, also for those never met. The same panel gives the same answer."""
        ...


@dataclass(frozen=True, slots=True)
class MeanOfLast:
    """The mean of so many windows; for one, the last value. Ranks as the sum of them does."""

    windows: int

    @property
    def name(self) -> str:
        return "last value" if self.windows == 1 else f"last {self.windows}"

    @property
    def title(self) -> str:
        return "As the last time" if self.windows == 1 else f"The mean of the last {self.windows}"

    def expected(self, panel: Panel) -> Table:
        return mean_of(panel.windows, np.ones(self.windows))


@dataclass(frozen=True, slots=True)
class MovingAverage:
    """The last six, the newer the heavier."""

    name: str = "moving average"
    title: str = "The last six, the newer the heavier"

    def expected(self, panel: Panel) -> Table:
        return mean_of(panel.windows, np.arange(1.0, 7.0))


@dataclass(frozen=True, slots=True)
class Smoothing:
    """Exponential smoothing with a trend that fades; how fast both follow is chosen by how well that went on the past."""

    name: str = "smoothing"
    title: str = "A smoothed level with a fading trend"
    levels: tuple[float, ...] = (0.1, 0.2, 0.35, 0.5)
    trends: tuple[float, ...] = (0.0, 0.05, 0.15)
    fade: float = 0.8

    def expected(self, panel: Panel) -> Table:
        tried = [self._run(panel.windows, a, b) for a in self.levels for b in self.trends]
        return min(tried, key=lambda one: one[0])[1]

    def _run(self, windows: Windows, follow: float, follow_trend: float) -> tuple[float, Table]:
        """The mean error one window ahead, and what comes next."""
        alive, level, trend = windows.alive(), np.zeros(len(windows.counts)), np.zeros(len(windows.counts))
        met = np.zeros(len(level), bool)
        error, many = 0.0, 0
        for window in range(windows.many):
            came, here = windows.counts[:, window], alive[:, window]
            ahead = np.maximum(level + self.fade * trend, 0.0)
            error += float(np.abs(came - ahead)[here & met].sum())
            many += int((here & met).sum())
            moved = follow * came + (1 - follow) * ahead
            turned = follow_trend * (moved - level) + (1 - follow_trend) * self.fade * trend
            level = np.where(here, np.where(met, moved, came), level)
            trend = np.where(here & met, turned, trend)
            met |= here
        return error / max(many, 1), np.maximum(level + self.fade * trend, 0.0)


@dataclass(frozen=True, slots=True)
class SeasonalNaive:
    """What the same time brought a period ago, scaled to today's level; before there is a whole period, the last three."""

    name: str = "seasonal naive"
    title: str = "As a period ago, at today's level"

    def expected(self, panel: Panel) -> Table:
        windows, period = panel.windows, panel.windows.period
        lately = mean_of(windows, np.ones(3))
        if windows.many < period + 3:
            return lately
        then = windows.counts[:, windows.many - period]
        level_then = windows.counts[:, windows.many - period - 3 : windows.many - period].mean(1)
        scale = np.clip((lately + 0.5) / (level_then + 0.5), 0.25, 4.0)
        return np.where(windows.age >= period + 3, then * scale, lately)


@dataclass(frozen=True, slots=True)
class Borrowing:
    """Another forecaster, but for new items, which take the beginnings of items that read like them."""

    of: Forecaster

    @property
    def name(self) -> str:
        return f"{self.of.name} + neighbours"

    @property
    def title(self) -> str:
        return f"{self.of.title}; a new item goes by its neighbours"

    def expected(self, panel: Panel) -> Table:
        borrowed = beginnings(panel)
        return np.where(np.isnan(borrowed), self.of.expected(panel), borrowed)


def mean_of(windows: Windows, weights: Table) -> Table:
    """The mean of the last windows in which an item could be met; the last weight is the last window's."""
    counts, alive = windows.counts[:, -len(weights) :], windows.alive()[:, -len(weights) :]
    heavy = alive * weights[-counts.shape[1] :]
    total: Table = (counts * heavy).sum(1) / np.maximum(heavy.sum(1), 1e-9)
    return total
