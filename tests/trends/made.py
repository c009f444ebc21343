"""Made series for the tests of trends: how many came to each item in each window, as interactions, windows and panels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace

import numpy as np
import pandas as pd
from hypothesis import settings

from persona_core.ranking.interactions import Interactions
from persona_core.ranking.scorer import Codes
from persona_core.text.encoder import Matrix
from persona_core.trends.panel import Panel
from persona_core.trends.windows import DAY, SPANS, Table, Windows, Word, windows_of

END = int(pd.Timestamp("2024-07-01", tz="UTC").timestamp())
"""The cut-off of all that is made here."""

patient = settings(deadline=None, max_examples=50)
"""Other work shares these cores: how long an example takes says nothing."""

Row = tuple[str, str, float, int]
"""User, item, rating (NaN for none), and how many seconds after the cut-off."""
Series = Sequence[Sequence[int]]
"""For each item how many came in each window; the oldest window of all must not be empty."""


def interactions_of(rows: Sequence[Row], items: Sequence[str]) -> Interactions:
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "rating", "off"]).astype({"rating": "float32"})
    frame["time"] = pd.to_datetime(frame.pop("off").astype("int64") + END, unit="s", utc=True)
    return Interactions.of(frame, items)


def named(many: int) -> list[str]:
    return [f"item{place:03d}" for place in range(many)]


def rows_of(series: Series, word: Word = "week", rated: Callable[[int, int], float] = lambda item, window: float("nan")) -> list[Row]:
    """The rows behind the counts: in each window the first comes as it begins, and each other an hour later."""
    span, found = SPANS[word] * DAY, []
    for item, counts in enumerate(series):
        for window, many in enumerate(counts):
            begin = -(len(counts) - window) * span
            found += [
                (f"u{one:03d}", f"item{item:03d}", rated(item, window), begin + one * 3600 % span) for one in range(int(many))
            ]  # fmt: skip
    return found


def windows_with(
    series: Series, word: Word = "week", rated: Callable[[int, int], float] = lambda item, window: float("nan")
) -> Windows:
    found = windows_of(interactions_of(rows_of(series, word, rated), named(len(series))), END, word)
    assert found.counts.tolist() == [list(map(float, counts)) for counts in series], "the oldest window of all is empty"
    return found


def groups_of(series: Series) -> Codes:
    """Two scenarios in turn."""
    return np.arange(len(series), dtype=np.int32) % 2


def units(many: int, seed: int = 1) -> Matrix:
    found = np.random.default_rng(seed).normal(size=(many, 6)).astype(np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def panel_with(windows: Windows, groups: Codes | None = None, vectors: Matrix | None = None) -> Panel:
    many = len(windows.counts)
    groups = np.arange(many, dtype=np.int32) % 2 if groups is None else groups
    return Panel(windows, groups, ("one", "other"), units(many) if vectors is None else vectors)


def panel_of(series: Series, word: Word = "week") -> Panel:
    return panel_with(windows_with(series, word))


def anew(panel: Panel) -> Panel:
    """The same, with nothing worked out yet."""
    return replace(panel, worked_out={})


def turns(items: int = 40, many: int = 28) -> Series:
    """A world that can be learned: each item has its busy window in four, at one of four levels; the last two are new."""
    base, age = (2, 3, 4, 5), {items - 1: 1, items - 2: 2}
    return [
        [
            0 if window < many - age.get(item, many) else base[item // 4 % 4] * (5 if window % 4 == item % 4 else 1)
            for window in range(many)
        ]
        for item in range(items)
    ]


def poisson(items: int, weeks: int, seed: int = 0) -> Windows:
    """Each item has a rate of its own, from next to nothing to about ten, and chance does the rest."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(np.exp(rng.normal(0.5, 1.0, items))[:, None], (items, weeks)).astype(np.float64)
    first = np.where(counts.any(1), (counts > 0).argmax(1), weeks)
    none = np.zeros_like(counts)
    return Windows("week", END, counts, none, none, first, none, none)


def assert_same(one: Windows, other: Windows) -> None:
    for field in fields(Windows):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name), err_msg=field.name)


def assert_same_answers(one: Table, other: Table) -> None:
    """Bit for bit; NaN is as good as NaN."""
    np.testing.assert_array_equal(one, other)
    assert one.dtype == other.dtype


def came_next(interactions: Interactions, windows: Windows) -> Table:
    """What truly came in the window after the cut-off. For judging forecasts; no forecaster is given it."""
    begin = int(np.searchsorted(interactions.time, windows.end, side="left"))
    stop = int(np.searchsorted(interactions.time, windows.end + windows.days * DAY, side="left"))
    return np.bincount(interactions.item[begin:stop], minlength=len(interactions.items)).astype(np.float64)
