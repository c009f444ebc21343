"""The signals that a reason names, as marks on the item's chart: what is drawn where, and the sentence that says what it means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from persona_core.trends.signals import LONG, SHORT, SIGNALS, USUAL
from persona_core.trends.windows import Windows
from persona_core.trends.words import statements_in
from ui.trends.seen import Seen

Point = tuple[float, float]
"""A window, counted from the oldest, and a number of people. The middle of a window is its number; its edges lie half a window off."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Lines, points and one shaded span; any of them may be missing."""

    lines: tuple[tuple[Point, ...], ...] = ()
    points: tuple[Point, ...] = ()
    span: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """One signal on the chart."""

    signal: str
    look: str
    """Which way it is drawn: a key of `SIGNS`."""
    says: str
    drawn: Drawn


SIGNS: Final[dict[str, str]] = {
    "usual": "╌╌◯", "ring": "◯", "fitted": "╍╍", "steps": "━━", "season": "▲", "lately": "▒", "quiet": "▒", "first": "■",
    "bursts": "▼",
}  # fmt: skip
"""What stands for each in the legend."""


def marks_of(seen: Seen, place: int) -> list[Mark]:
    """Of all that the reason states, what can be seen in the item's own history."""
    reason = seen.trends.reason(seen.trends.items[place], seen.back)
    values = seen.values(place)
    found = []
    for signal in dict.fromkeys(one.signal for one in statements_in(reason)):
        if signal in LOOKS:
            look, draw = LOOKS[signal]
            says = SAID[signal](values[signal], seen.word) if signal in values else ""
            drawn = draw(seen.windows, place)
            if says and drawn != Drawn():
                found.append(Mark(signal, look, f"{says}{EXTRA.get(signal, '').format(word=seen.word)}", drawn))
    return found


def _counts(windows: Windows, place: int) -> tuple[int, list[float]]:
    """The first window in which the item could be met, and the counts from there."""
    first = max(int(windows.first[place]), 0)
    return first, windows.counts[place, first:].tolist()


def _last(windows: Windows, place: int) -> Point:
    return float(windows.many - 1), float(windows.counts[place, -1])


def _usual(windows: Windows, place: int) -> Drawn:
    """The usual level, over the windows it is the mean of, up to the last window, which is ringed."""
    first = max(int(windows.first[place]), 0, windows.many - 1 - USUAL)
    before = windows.counts[place, first : windows.many - 1]
    if not len(before):
        return Drawn()
    level = float(before.mean())
    return Drawn(lines=(((first - 0.4, level), (windows.many - 0.6, level)),), points=(_last(windows, place),))


def _ringed(windows: Windows, place: int) -> Drawn:
    return Drawn(points=(_last(windows, place),))


def _fitted(windows: Windows, place: int) -> Drawn:
    """The curve whose steepness is the growth: a straight line through the logarithms of up to twelve windows."""
    first = max(int(windows.first[place]), 0, windows.many - LONG)
    values = np.log1p(windows.counts[place, first:])
    if len(values) < SHORT:
        return Drawn()
    x = np.arange(len(values), dtype=np.float64)
    steep, begin = np.polyfit(x, values, 1)
    line = np.maximum(np.expm1(begin + steep * x), 0.0)
    return Drawn(lines=(tuple((float(first + at), float(value)) for at, value in zip(x, line, strict=True)),))


def _steps(windows: Windows, place: int) -> Drawn:
    """The means of three times three windows, each as a step."""
    if windows.many < 3 * SHORT:
        return Drawn()
    starts = [windows.many - back * SHORT for back in (3, 2, 1)]
    means = [float(windows.counts[place, start : start + SHORT].mean()) for start in starts]
    return Drawn(lines=tuple(((s - 0.4, m), (s + SHORT - 0.6, m)) for s, m in zip(starts, means, strict=True)))


def _season(windows: Windows, place: int) -> Drawn:
    """What came in the periods before, at the time that is about to come."""
    times = [windows.many - windows.period * back for back in (2, 1)]
    return Drawn(points=tuple((float(at), float(windows.counts[place, at])) for at in times if at >= 0))


def _lately(windows: Windows, place: int) -> Drawn:
    return Drawn(span=(windows.many - SHORT - 0.5, windows.many - 0.5))


def _quiet(windows: Windows, place: int) -> Drawn:
    """The windows since somebody last came."""
    came = np.flatnonzero(windows.counts[place])
    return Drawn(span=(float(came[-1]) + 0.5, windows.many - 0.5)) if len(came) and came[-1] < windows.many - 1 else Drawn()


def _first(windows: Windows, place: int) -> Drawn:
    first, counts = _counts(windows, place)
    return Drawn(points=((float(first), float(counts[0])),)) if counts else Drawn()


def _bursts(windows: Windows, place: int) -> Drawn:
    """The windows that lie far above the others."""
    first, counts = _counts(windows, place)
    far = float(np.mean(counts) + np.std(counts))
    return Drawn(points=tuple((float(first + at), count) for at, count in enumerate(counts) if count > max(far, 0.0)))


LOOKS: Final[dict[str, tuple[str, Callable[[Windows, int], Drawn]]]] = {
    "momentum": ("usual", _usual), "last": ("ring", _ringed), "slope": ("fitted", _fitted), "acceleration": ("steps", _steps),
    "season": ("season", _season), "share_change": ("lately", _lately), "rating_change": ("lately", _lately),
    "praise_change": ("lately", _lately), "recency": ("quiet", _quiet), "age": ("first", _first), "burstiness": ("bursts", _bursts),
}  # fmt: skip
SAID: Final = {one.name: one.said for one in SIGNALS}
EXTRA: Final[dict[str, str]] = {
    "momentum": " The dashes are the usual level; the ring is the last {word}.",
    "slope": " The dotted curve is that trend.",
    "acceleration": " Each step is the mean of three {word}s.",
    "season": " The triangles stand at that time.",
    "share_change": " The shade is the last three {word}s.",
    "rating_change": " The shade is the last three {word}s.",
    "praise_change": " The shade is the last three {word}s.",
    "recency": " The shade up to the end is that time.",
    "age": " The square is its first {word}.",
    "burstiness": " Those stand under a triangle.",
}
