"""What a learned forecaster is told of each item: its signals and last windows as numbers, and the season of its scenario."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from persona_core.trends.forecasters import mean_of
from persona_core.trends.panel import Panel, beginnings, phase
from persona_core.trends.signals import signals_of
from persona_core.trends.windows import Table

LAGS = 6
MOST_ORIGINS = 24
"""From so many cut-offs of the past a forecaster learns at most."""


class Examples(NamedTuple):
    rows: Table
    targets: Table
    """log(1 + count) of the window after."""
    origin: Table
    """How many windows before the panel's cut-off each example stands."""


def features(panel: Panel) -> Table:
    """A row for each item. NaN where something is not known: trees make their own use of that."""
    found: Table = panel.once("features", _features)
    return found


def _features(panel: Panel) -> Table:
    windows = panel.windows
    signals = signals_of(windows, panel.groups)
    lags = [windows.counts[:, -k] if windows.many >= k else np.full(len(panel.groups), np.nan) for k in range(1, LAGS + 1)]
    means = [mean_of(windows, np.ones(k)) for k in (3, 6, 12)]
    logs = np.log1p(np.stack([*lags, *means, signals["level"], signals["age"], beginnings(panel)], axis=1))
    plain = np.stack([signals[name] for name in PLAIN], axis=1)
    around = np.stack([panel.groups.astype(float), *(np.full(len(panel.groups), one) for one in phase(windows))], axis=1)
    return np.concatenate([logs, plain, around, _of_scenario(panel), _a_period_ago(panel), axes(panel)], axis=1)


PLAIN = (
    "momentum",
    "slope",
    "acceleration",
    "season",
    "burstiness",
    "recency",
    "share",
    "share_change",
    "rating_change",
    "praise_change",
)


def _a_period_ago(panel: Panel) -> Table:
    """What came around the same time a period ago, and the mean of that period; NaN for items that were not there."""
    windows, period = panel.windows, panel.windows.period
    if windows.many < period + 1:
        return np.full((len(panel.groups), 4), np.nan)
    there = windows.age >= period
    then = windows.many - period
    around = [windows.counts[:, max(0, then + step)] for step in (-1, 0, 1)]
    whole = windows.counts[:, -period:].mean(1)
    return np.where(there[:, None], np.log1p(np.stack([*around, whole], axis=1)), np.nan)


AXES = 6


def axes(panel: Panel) -> Table:
    """Each item's text along the main axes of all items' texts: what is of a kind often has its season together."""
    found: Table = panel.always("axes", _axes)
    return found


def _axes(panel: Panel) -> Table:
    centred = panel.vectors.astype(np.float64) - (panel.vectors.mean(0) if len(panel.vectors) else 0.0)
    if not centred.size or not np.any(centred):
        return np.zeros((len(panel.groups), AXES))
    _, _, main = np.linalg.svd(centred[:4096], full_matrices=False)
    main = main[:AXES] * np.sign(main[:AXES][np.arange(min(AXES, len(main))), np.abs(main[:AXES]).argmax(1)])[:, None]
    found = centred @ main.T
    return np.pad(found, ((0, 0), (0, AXES - found.shape[1])))


def _of_scenario(panel: Panel) -> Table:
    """How its scenario moves lately, and what the coming time of the year did to that a period ago."""
    windows, period = panel.windows, panel.windows.period
    totals = np.stack([windows.counts[panel.groups == one].sum(0) for one in range(len(panel.scenarios))])
    lately, before = totals[:, -3:].mean(1), totals[:, -6:-3].mean(1) if windows.many >= 6 else totals.mean(1)
    moved = np.log((lately + 1) / (before + 1))
    if windows.many >= period + 3:
        then = np.log(
            (totals[:, windows.many - period] + 1) / (totals[:, windows.many - period - 3 : windows.many - period].mean(1) + 1)
        )
    else:
        then = np.full(len(totals), np.nan)
    return np.stack([moved[panel.groups], then[panel.groups]], axis=1)


def examples(panel: Panel, least_windows: int = 4) -> Examples:
    """What was known at each cut-off of the past, with what then came; of items that were met by then."""
    rows, targets, origin = [], [], []
    for back in range(1, min(MOST_ORIGINS, panel.windows.many - least_windows) + 1):
        then = panel.back(back)
        known = then.windows.known
        rows.append(features(then)[known])
        targets.append(np.log1p(panel.windows.counts[known, panel.windows.many - back]))
        origin.append(np.full(int(known.sum()), back))
    if not rows:
        return Examples(features(panel)[:0], np.empty(0), np.empty(0, int))
    return Examples(np.concatenate(rows), np.concatenate(targets), np.concatenate(origin))
