"""Two levels of a factor compared in one outcome: how large the difference is, how sure, and by which test."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

Numbers = npt.NDArray[np.float64]
FEWEST = 4
"""Of fewer people in a level nothing is said."""
SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Contrast:
    """`level` beside `against`: positive differences are more under `level`."""

    outcome: str
    factor: str
    level: str
    against: str
    direction: str
    people: int
    people_against: int
    mean: float
    mean_against: float
    difference: float
    low: float
    high: float
    """95% interval of the difference."""
    effect: float
    """Hedges' g: the difference in standard deviations, corrected for small samples."""
    effect_low: float
    effect_high: float
    test: str
    p: float
    rank_test: str
    p_rank: float
    """The same question asked of ranks alone: an answer that changes with the test is none to rely on."""


def contrast(
    units: pd.DataFrame, outcome: str, factor: str, level: str, against: str, *, within: bool, direction: str = "differs",
    others: Sequence[str] = (),
) -> Contrast | None:  # fmt: skip
    """None where there are too few to say anything. `others` are the further factors, held constant within subjects."""
    column = f"factor_{factor}"
    if outcome not in units or column not in units:
        return None
    rows = units[units[column].isin((level, against))].dropna(subset=[outcome])
    sides = [rows[rows[column] == one] for one in (level, against)]
    one, other = (side.groupby("participant")[outcome].mean() for side in sides)
    if min(len(one), len(other)) < FEWEST:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # where nearly all say the same, a test says so in its p
        return _contrast(rows, outcome, factor, (level, against), (one, other), within, direction, others)


def _contrast(
    rows: pd.DataFrame, outcome: str, factor: str, levels: tuple[str, str], sides: tuple[pd.Series, pd.Series], within: bool,
    direction: str, others: Sequence[str],
) -> Contrast | None:  # fmt: skip
    (level, against), (one, other), column = levels, sides, f"factor_{factor}"
    if within:
        both = one.index.intersection(other.index)
        if len(both) < FEWEST:
            return None
        one, other = one[both], other[both]
        difference, error, p, test, ranks = _within(rows, outcome, column, level, one, other, direction, others)
    else:
        difference, error, p, test, ranks = _between(one.to_numpy(float), other.to_numpy(float), direction)
    effect, effect_error = _hedges(one.to_numpy(float), other.to_numpy(float), difference, within)
    return Contrast(
        outcome, factor, level, against, direction, len(one), len(other), float(one.mean()), float(other.mean()), difference,
        difference - error, difference + error, effect, effect - 1.96 * effect_error, effect + 1.96 * effect_error, test, p, *ranks,
    )  # fmt: skip


Found = tuple[float, float, float, str, tuple[str, float]]
_TAILS = {"more": "greater", "less": "less", "differs": "two-sided"}


def _between(one: Numbers, other: Numbers, direction: str) -> Found:
    """Welch's t, which does not take the two to vary alike; beside it Mann and Whitney's U."""
    difference = float(one.mean() - other.mean())
    if np.ptp(one) < SAME and np.ptp(other) < SAME:
        return difference, 0.0, 0.0 if difference else 1.0, "Welch's t", ("Mann-Whitney U", 0.0 if difference else 1.0)
    test = stats.ttest_ind(one, other, equal_var=False, alternative=_TAILS[direction])
    low, high = stats.ttest_ind(one, other, equal_var=False).confidence_interval(0.95)
    ranks = stats.mannwhitneyu(one, other, alternative=_TAILS[direction])
    return difference, float(high - low) / 2, float(test.pvalue), "Welch's t", ("Mann-Whitney U", float(ranks.pvalue))


def _within(
    rows: pd.DataFrame, outcome: str, column: str, level: str, one: Any, other: Any, direction: str, others: Sequence[str]
) -> Found:  # fmt: skip
    """A mixed-effects model with a person's own level and the period taken out; beside it Wilcoxon's signed ranks."""
    steps = (one - other).to_numpy(float)
    ranks = float(stats.wilcoxon(steps, alternative=_TAILS[direction]).pvalue) if np.any(steps) else 1.0
    fitted = _mixed(rows, outcome, column, level, others)
    if fitted is not None:
        difference, error = fitted
        z = difference / error
        p = {"more": stats.norm.sf(z), "less": stats.norm.cdf(z), "differs": 2 * stats.norm.sf(abs(z))}[direction]
        return difference, 1.96 * error, float(p), "mixed-effects model", ("Wilcoxon signed ranks", ranks)
    if np.ptp(steps) < SAME:
        return float(steps.mean()), 0.0, 0.0 if steps.mean() else 1.0, "paired t", ("Wilcoxon signed ranks", ranks)
    test = stats.ttest_1samp(steps, 0.0, alternative=_TAILS[direction])
    width = float(stats.t.ppf(0.975, len(steps) - 1) * stats.sem(steps))
    return float(steps.mean()), width, float(test.pvalue), "paired t", ("Wilcoxon signed ranks", ranks)


def _mixed(rows: pd.DataFrame, outcome: str, column: str, level: str, others: Sequence[str]) -> tuple[float, float] | None:
    """The difference and its standard error; None where the model does not settle."""
    from statsmodels.formula.api import mixedlm

    frame = pd.DataFrame({"y": rows[outcome].astype(float), "treated": (rows[column] == level).astype(float),
                          "period": rows["period"].astype(str), "who": rows["participant"]})  # fmt: skip
    terms = ["treated"] + (["C(period)"] if frame["period"].nunique() > 1 else [])
    for number, name in enumerate(others):
        frame[f"other{number}"] = rows[f"factor_{name}"].astype(str)
        terms += [f"C(other{number})"] if frame[f"other{number}"].nunique() > 1 else []
    warnings.simplefilter("ignore")
    try:
        fitted = mixedlm(f"y ~ {' + '.join(terms)}", frame, groups=frame["who"]).fit(reml=True)
        difference, error = float(fitted.params["treated"]), float(fitted.bse["treated"])
    except (np.linalg.LinAlgError, ValueError, KeyError):
        return None
    return (difference, error) if fitted.converged and np.isfinite(error) and error > 1e-9 else None


def _hedges(one: Numbers, other: Numbers, difference: float, within: bool) -> tuple[float, float]:
    """The effect in standard deviations of people (not of differences, so that designs can be compared), and its error."""
    pooled = float(np.sqrt((one.var(ddof=1) + other.var(ddof=1)) / 2))
    if pooled < SAME:
        return 0.0, 0.0
    many, more = len(one), len(other)
    free = many - 1 if within else many + more - 2
    small = 1 - 3 / (4 * free - 1)
    effect = small * difference / pooled
    if within:
        alike = float(np.corrcoef(one, other)[0, 1]) if one.std() and other.std() else 0.0
        variance = 2 * (1 - np.clip(alike, -1, 0.99)) / many * (1 + effect**2 / 4)
    else:
        variance = (many + more) / (many * more) + effect**2 / (2 * (many + more))
    return effect, float(small * np.sqrt(variance))


def holm(p: Sequence[float]) -> list[float]:
    """So that among all of them a single false find is as rare as it is stated."""
    order = np.argsort(p)
    steps = np.maximum.accumulate([min(1.0, (len(p) - at) * p[place]) for at, place in enumerate(order)])
    return _placed(order, steps)


def false_discovery(p: Sequence[float]) -> list[float]:
    """After Benjamini and Hochberg: of what is found, at most that share is false."""
    order = np.argsort(p)[::-1]
    steps = np.minimum.accumulate([min(1.0, p[place] * len(p) / (len(p) - at)) for at, place in enumerate(order)])
    return _placed(order, steps)


def _placed(order: Any, values: Any) -> list[float]:
    found = [1.0] * len(order)
    for place, value in zip(order, values, strict=True):
        found[int(place)] = float(value)
    return found
