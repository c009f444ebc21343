"""The trend signals: what a series of counts says of itself, each with a name, a unit and a sentence for people.

A signal is computed for all items at once, from windows that end at the cut-off. Where an item is too young for it, or never
was met, it is NaN: nothing is said then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from persona_core.ranking.scorer import Codes
from persona_core.schema import TrendSignal
from persona_core.trends.windows import Table, Windows

SHORT, LONG = 3, 12
"""So many windows are "lately", and so many at most a trend is read from."""
USUAL = 6
"""What is usual is the mean of so many windows before the last."""
FEW = 0.5
"""Below so many a window nothing is usual that the last could be compared with."""
COMPARABLE = 4
"""Below so many people in the three windows before, a share is too small to compare with."""
CHANCE = 1.3
"""A change counts from so many times the deviation on that chance alone would bring."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that can be read from a series."""

    name: str
    unit: str
    title: str
    """Two or three words for a table's head."""
    of: Callable[[Windows, Codes], Table]
    """For each item; the second argument is its scenario, as a number."""
    said: Callable[[float, str], str]
    """The sentence for a value; the second argument is the window's word."""


Signals = Mapping[str, Table]


def signals_of(windows: Windows, groups: Codes) -> Signals:
    """Every signal of every item; `groups` is each item's scenario, as a number."""
    return {one.name: np.where(windows.known, one.of(windows, groups), np.nan) for one in SIGNALS}


def as_signals(found: Signals, item: int, word: str) -> tuple[TrendSignal, ...]:
    """What can be said of one item, in the order of the list."""
    told = []
    for one in SIGNALS:
        value = float(found[one.name][item])
        if np.isfinite(value):
            unit = one.unit.format(word=word)
            told.append(TrendSignal(name=one.name, value=round(value, 4), unit=unit, sentence=one.said(value, word)))
    return tuple(told)


# How they are computed ---------------------------------------------------------------------------------------------------


def last(windows: Windows) -> Table:
    """How many came in the last window."""
    return windows.counts[:, -1]


def level(windows: Windows) -> Table:
    """The mean of a window since the item was first met."""
    return _mean(windows.counts, windows.alive())


def momentum(windows: Windows) -> Table:
    """The last window as a multiple of the usual one: the mean of up to six before it."""
    usual = before(windows)
    return _ratio(last(windows), usual, usual >= FEW)


def before(windows: Windows) -> Table:
    """The usual window: the mean of up to six right before the last; NaN where there is none."""
    return _mean(windows.counts[:, -1 - USUAL : -1], windows.alive()[:, -1 - USUAL : -1], least=2)


def slope(windows: Windows) -> Table:
    """By what share the counts grow from window to window, fitted to the logarithms of up to twelve."""
    values, alive = np.log1p(windows.counts[:, -LONG:]), windows.alive()[:, -LONG:]
    x = np.where(alive, np.arange(values.shape[1], dtype=np.float64)[None], 0.0)
    many = alive.sum(1)
    middle_x, middle_y = _mean(x, alive), _mean(values, alive)
    from_x = np.where(alive, x - middle_x[:, None], 0.0)
    spread = (from_x**2).sum(1)
    together = (from_x * np.where(alive, values - middle_y[:, None], 0.0)).sum(1)
    return np.where(many >= SHORT, np.expm1(np.divide(together, spread, out=np.zeros(len(many)), where=spread > 0)), np.nan)


def acceleration(windows: Windows) -> Table:
    """By how much more the mean of three windows changed than it had changed the time before."""
    if windows.many < 3 * SHORT:
        return np.full(len(windows.counts), np.nan)
    now, then, once = (windows.counts[:, windows.many - (k + 1) * SHORT : windows.many - k * SHORT].mean(1) for k in range(3))
    return np.where(windows.age >= 3 * SHORT, (now - then) - (then - once), np.nan)


def season(windows: Windows) -> Table:
    """What the coming window was, in the periods before, as a multiple of those periods' mean; NaN before two whole periods,
    and where they do not agree."""
    period = windows.period
    if windows.many < 2 * period:
        return np.full(len(windows.counts), np.nan)
    one, two = (windows.counts[:, windows.many - (k + 1) * period : windows.many - k * period] for k in range(2))
    agree = np.array([_correlation(a, b) for a, b in zip(one, two, strict=True)])
    means = np.stack([one.mean(1), two.mean(1)])
    factors = np.stack([one[:, 0], two[:, 0]]) / np.maximum(means, 1e-9)
    sure = (windows.age >= 2 * period) & (agree >= AGREEING) & (means.min(0) >= FEW)
    return np.where(sure, factors.mean(0), np.nan)


AGREEING = 0.5
"""Two periods have a season in common from this correlation on."""


def burstiness(windows: Windows) -> Table:
    """From -1, every window alike, over 0, as chance has it for rare things, towards 1, all at once."""
    alive = windows.alive()
    mean = _mean(windows.counts, alive, least=SHORT)
    deviation = np.sqrt(_mean((windows.counts - np.nan_to_num(mean)[:, None]) ** 2, alive, least=SHORT))
    return _ratio(deviation - mean, deviation + mean, deviation + mean > 0)


def age(windows: Windows) -> Table:
    """In how many windows the item could be met so far."""
    return windows.age.astype(np.float64)


def recency(windows: Windows) -> Table:
    """How many whole windows ago somebody last came; 0: in the last one."""
    came = windows.counts[:, ::-1] > 0
    return np.where(came.any(1), came.argmax(1), np.nan)


def share(windows: Windows, groups: Codes) -> Table:
    """Of all who came to something in its scenario lately, the share who came to this."""
    return _share(windows.counts[:, -SHORT:], groups)


def share_change(windows: Windows, groups: Codes) -> Table:
    """That share as a multiple of what it was in the same time before."""
    if windows.many < 2 * SHORT:
        return np.full(len(windows.counts), np.nan)
    now, then = _share(windows.counts[:, -SHORT:], groups), _share(windows.counts[:, -2 * SHORT : -SHORT], groups)
    come = windows.counts[:, -2 * SHORT : -SHORT].sum(1)
    sure = (windows.age >= 2 * SHORT) & (come >= COMPARABLE)
    return _ratio(now, then, sure & (then > 0))


def rating_change(windows: Windows) -> Table:
    """The mean rating of lately less that of before, in stars; NaN below three ratings on either side."""
    return _change_of_mean(windows.stars, windows.rated)


def praise_change(windows: Windows) -> Table:
    """Of what reviewers say of it, the share that is praise, lately less before; NaN where too little is said."""
    return _change_of_mean(windows.praised, windows.spoken)


def by_chance(windows: Windows) -> Table:
    """Whether the last window differs from the usual one by no more than chance alone would bring."""
    usual = np.nan_to_num(before(windows))
    near: Table = np.abs(last(windows) - usual) < CHANCE * np.sqrt(usual + 1.0)
    return near


def _ratio(above: Table, below: Table, sure: Table) -> Table:
    """NaN where it is not sure."""
    found: Table = np.divide(above, below, out=np.full(len(above), np.nan), where=sure)
    return found


def _mean(values: Table, alive: Table, least: int = 1) -> Table:
    many = alive.sum(1)
    total = np.where(alive, values, 0.0).sum(1)
    return _ratio(total, many, many >= max(least, 1))


def _share(counts: Table, groups: Codes) -> Table:
    own = counts.sum(1)
    everybody = np.bincount(groups, weights=own)[groups]
    return _ratio(own, everybody, everybody > 0)


def _change_of_mean(sums: Table, many: Table) -> Table:
    split = max(0, sums.shape[1] - SHORT)
    lately, earlier = (
        _ratio(sums[:, part].sum(1), many[:, part].sum(1), many[:, part].sum(1) >= SHORT)
        for part in (slice(split, None), slice(0, split))
    )
    return np.asarray(lately - earlier)


def _correlation(one: Table, other: Table) -> float:
    if one.std() < 1e-9 or other.std() < 1e-9:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


# How they are said -------------------------------------------------------------------------------------------------------


def number(value: float) -> str:
    """As few digits as tell it: 12, 3.4, 0.25."""
    return f"{value:.0f}" if abs(value) >= 10 or float(value).is_integer() else f"{value:.1f}" if abs(value) >= 1 else f"{value:.2f}"


def _many(value: float, word: str) -> str:
    return f"{number(value)} {word}" if number(value) == "1" else f"{number(value)} {word}s"


def _times(value: float) -> str:
    return f"{number(value)} times"


def _of_last(value: float, word: str) -> str:
    many = "nobody" if value == 0 else "1 person" if value == 1 else f"{value:.0f} people"
    return f"In the last {word}, {many} came to it."


def _of_season(value: float, word: str) -> str:
    return f"In the periods before, the coming {word} brought {_times(value)} their mean."


def _of_bursts(value: float, _: str) -> str:
    return f"People come to it {'in bursts' if value > 0.1 else 'evenly' if value < -0.2 else 'now and then'}."


def _of_slope(value: float, word: str) -> str:
    by = f"{abs(value):.0%}"
    return (
        "It neither grows nor shrinks." if by == "0%" else f"It has been {'growing' if value > 0 else 'shrinking'} by {by} a {word}."
    )


def _of_acceleration(value: float, word: str) -> str:
    by = number(abs(value))
    if by in ("0", "0.00"):
        return "Lately it went on as before."
    return f"Lately a {word} brought {by} {'more' if value > 0 else 'fewer'} than if it had gone on as before."


def _of_recency(value: float, word: str) -> str:
    return f"Somebody came to it in the last {word}." if value < 1 else f"Nobody has come to it for {_many(value, word)}."


def _of_rating(value: float, _: str) -> str:
    by = f"{abs(value):.1f} stars"
    return f"Lately it is rated {'as' if by == '0.0 stars' else f'{by} higher than' if value > 0 else f'{by} lower than'} before."


def _of_praise(value: float, _: str) -> str:
    by = f"{abs(value):.0%}"
    return f"Lately {'no more' if by == '0%' else f'{by} more' if value > 0 else f'{by} less'} of what reviewers say of it is praise."


def _alone(of: Callable[[Windows], Table]) -> Callable[[Windows, Codes], Table]:
    """Of a signal that looks at nothing but the item itself."""
    return lambda windows, _: of(windows)


SIGNALS: Final[tuple[Signal, ...]] = (
    Signal("last", "a {word}", "Last", _alone(last), _of_last),
    Signal("level", "a {word}", "All along", _alone(level), lambda v, w: f"Since it is known, {number(v)} came in a {w}."),
    Signal("momentum", "times the usual {word}", "Momentum", _alone(momentum),
           lambda v, w: f"The last {w} was {_times(v)} its usual."),
    Signal("slope", "share a {word}", "Growth", _alone(slope), _of_slope),
    Signal("acceleration", "a {word}", "Quickening", _alone(acceleration), _of_acceleration),
    Signal("season", "times the mean", "Season", _alone(season), _of_season),
    Signal("burstiness", "from -1 to 1", "Bursts", _alone(burstiness), _of_bursts),
    Signal("age", "{word}s", "Known for", _alone(age), lambda v, w: f"It has been known for {_many(v, w)}."),
    Signal("recency", "{word}s ago", "Last met", _alone(recency), _of_recency),
    Signal("share", "of its scenario", "Share", share, lambda v, w: f"Lately, {v:.1%} of what its scenario got went to it."),
    Signal("share_change", "times the share before", "Share, change", share_change,
           lambda v, w: f"Its share of its scenario is {_times(v)} what it was."),
    Signal("rating_change", "stars", "Rating, change", _alone(rating_change), _of_rating),
    Signal("praise_change", "share of what is said", "Praise, change", _alone(praise_change), _of_praise),
)  # fmt: skip
