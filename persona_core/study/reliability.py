"""How well the items of a construct hang together: Cronbach's alpha, and McDonald's omega where there are items enough."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reliability:
    construct: str
    items: int
    people: int
    alpha: float | None
    """Of two items it equals the Spearman-Brown coefficient where they vary alike."""
    omega: float | None
    """Of one factor; with fewer than three items it cannot be told."""


def reliabilities(answers: pd.DataFrame, kept: set[str]) -> list[Reliability]:
    """Of every construct with two items or more, over all answers of those who are kept."""
    found = []
    own = answers[answers["participant"].isin(kept)] if len(answers) else answers
    for construct, rows in own.groupby("construct", sort=True) if len(own) else ():
        table = rows.pivot_table(index=["participant", "period"], columns="item", values="score").dropna()
        if table.shape[1] >= 2:
            values = table.to_numpy(np.float64)
            found.append(Reliability(str(construct), values.shape[1], len(values), alpha(values), omega(values)))
    return found


def alpha(values: Numbers) -> float | None:
    """Rows are people, columns items. None where nobody differs."""
    many = values.shape[1]
    if len(values) < 3 or many < 2:
        return None
    total = values.sum(axis=1).var(ddof=1)
    return float(many / (many - 1) * (1 - values.var(axis=0, ddof=1).sum() / total)) if total > 0 else None


def omega(values: Numbers, rounds: int = 500) -> float | None:
    """One factor by principal axes, iterated: the share of the sum's variance that the factor carries."""
    if values.shape[1] < 3 or len(values) < 10 or (values.std(axis=0) == 0).any():
        return None
    correlations: Numbers = np.atleast_2d(np.corrcoef(values, rowvar=False))
    shared = 1 - 1 / np.diag(np.linalg.pinv(correlations))
    loadings = np.zeros(len(correlations))
    for _ in range(rounds):
        reduced = correlations.copy()
        np.fill_diagonal(reduced, shared)
        sizes, directions = np.linalg.eigh(reduced)
        loadings = directions[:, -1] * np.sqrt(max(sizes[-1], 0.0))
        again = np.clip(loadings**2, 0.0, 0.995)
        if np.abs(again - shared).max() < 1e-6:
            break
        shared = again
    common = float(abs(loadings.sum()) ** 2)
    return common / (common + float((1 - np.clip(loadings**2, 0, 1)).sum())) if common > 0 else None
