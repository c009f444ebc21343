"""How good forecasts were: how far off, in which order, and whether the intervals held what came."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from persona_core.trends.backtest import Backtest, bands
from persona_core.trends.windows import Table

TOP = 20
"""The order is judged among the first so many of a window."""


def absolute(expected: Table, came: Table) -> float:
    return float(np.abs(expected - came).mean())


def of_logs(expected: Table, came: Table) -> float:
    """The root of the mean squared error of log(1 + count)."""
    return float(np.sqrt(((np.log1p(expected) - np.log1p(came)) ** 2).mean()))


def same_order(expected: Table, came: Table) -> float:
    """Spearman's rank correlation; 0 where one side is all alike."""
    from scipy.stats import rankdata

    one, other = rankdata(expected), rankdata(came)
    if one.std() == 0 or other.std() == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def gain(expected: Table, came: Table, top: int = TOP) -> float:
    """NDCG of the first so many: what came to the items named first, beside what would have come to the best ones."""
    weights = 1 / np.log2(np.arange(2, min(top, len(came)) + 2))
    named = np.argsort(-expected, kind="stable")[: len(weights)]
    best = np.sort(came)[::-1][: len(weights)]
    ideal = float((best * weights).sum())
    return float((came[named] * weights).sum()) / ideal if ideal > 0 else 0.0


def hits(expected: Table, came: Table, top: int = TOP) -> float:
    """Of the window's first so many items, the share that was named among the first so many."""
    many = min(top, len(came))
    least = np.sort(came)[::-1][many - 1]
    if least <= 0:
        return 0.0
    named = np.argsort(-expected, kind="stable")[:many]
    return float((came[named] >= least).mean())


MEASURES: Final[dict[str, Callable[[Table, Table], float]]] = {
    "MAE": absolute, "RMSE of logs": of_logs, "Spearman": same_order, f"NDCG@{TOP}": gain, f"HR@{TOP}": hits,
}  # fmt: skip
LESS_IS_BETTER: Final = frozenset({"MAE", "RMSE of logs"})


def by_origin(found: Backtest, name: str, measure: Callable[[Table, Table], float], only: Table | None = None) -> Table:
    """One number a cut-off, over the items that had been met by then; NaN where there are none."""
    judged = found.judged if only is None else found.judged & only
    rows = zip(found.of(name), found.came, judged, strict=True)
    return np.array([measure(expected[who], came[who]) if who.any() else np.nan for expected, came, who in rows])


def covered(found: Backtest, name: str, first: int = 2) -> float:
    """The share of cases that the interval held, from the cut-off `first` on: the ones before give the first errors to learn from."""
    held: list[Table] = []
    for row in range(first, len(found.ends)):
        low, high = bands(found, name, row, found.of(name)[row])
        who = found.judged[row]
        held.append(((low <= found.came[row]) & (found.came[row] <= high))[who])
    return float(np.concatenate(held).mean()) if held else float("nan")
