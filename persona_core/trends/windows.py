"""Dated interactions as counts in windows that end at a cut-off: nothing at or after the cut-off is ever read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from persona_core.ranking.interactions import Interactions
from persona_core.ranking.scorer import Codes

Table = npt.NDArray[Any]
"""Numbers with a row for each item."""
Word = Literal["day", "week", "month"]

DAY: Final = 24 * 60 * 60
SPANS: Final[dict[Word, int]] = {"day": 1, "week": 7, "month": 30}
"""A month is thirty days: windows of one length can be compared."""
PERIODS: Final[dict[Word, int]] = {"day": 7, "week": 52, "month": 12}
"""After so many windows a season comes again: a week of days, a year of weeks or months."""
ENOUGH = 2.0
"""The finest windows that hold at least so many interactions of an item, on average, are used."""
FEWEST_WINDOWS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Of each item, how often people came to it in each window, oldest first, and how they rated it."""

    word: Word
    end: int
    """The cut-off, in seconds since 1970 UTC: the last window ends right before it."""
    counts: Table
    stars: Table
    """The sum of the ratings in each window, and how many were given."""
    rated: Table
    first: npt.NDArray[np.int64]
    """In which window an item was first met; -1: before all of them, and so many windows as there are: never."""
    spoken: Table
    """How many things reviewers said of it in each window, and how many of those were praise; zeros where nobody looked."""
    praised: Table

    @property
    def days(self) -> int:
        return SPANS[self.word]

    @property
    def period(self) -> int:
        return PERIODS[self.word]

    @property
    def many(self) -> int:
        return int(self.counts.shape[1])

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Which items were met before the cut-off."""
        return self.first < self.many

    @property
    def age(self) -> npt.NDArray[np.int64]:
        """In how many windows an item could be met, the one of its first day among them; 0 for one never met."""
        return np.asarray(np.clip(self.many - np.maximum(self.first, 0), 0, self.many), np.int64)

    def start_of(self, window: int) -> int:
        """When a window begins; the one at `many` is the next, of which nothing is known."""
        return self.end - (self.many - window) * self.days * DAY

    def back(self, windows: int) -> Windows:
        """What was known so many windows earlier."""
        kept = self.many - windows
        if not 0 < kept <= self.many:
            raise ValueError(f"one cannot go back {windows} of {self.many} windows")
        cut: Any = slice(0, kept)
        return replace(
            self, end=self.start_of(kept), counts=self.counts[:, cut], stars=self.stars[:, cut], rated=self.rated[:, cut],
            first=np.minimum(self.first, kept), spoken=self.spoken[:, cut], praised=self.praised[:, cut],
        )  # fmt: skip

    def alive(self) -> npt.NDArray[np.bool_]:
        """Windows in which an item could be met; the counts of the others are no zeros but nothing."""
        return np.asarray(np.arange(self.many)[None] >= self.first[:, None], bool)


def day_after(interactions: Interactions) -> int:
    """The midnight after the last interaction: the latest cut-off at which the last day is whole."""
    return (int(interactions.time[-1]) // DAY + 1) * DAY if len(interactions) else 0


def word_for(interactions: Interactions, end: int) -> Word:
    """Days, weeks or months: the finest in which an item that is met at all is met often enough to speak of."""
    seen = interactions.until(end)
    if not len(seen):
        return "month"
    first = np.full(len(seen.items), end, np.int64)
    np.minimum.at(first, seen.item, seen.time)
    days = float(np.maximum((end - first[first < end]) / DAY, 1.0).sum())
    whole = (end - int(seen.time[0])) / DAY
    for word, span in SPANS.items():
        if len(seen) / days * span >= ENOUGH and whole / span >= FEWEST_WINDOWS:
            return word
    return "month" if whole / SPANS["month"] >= FEWEST_WINDOWS else "week" if whole / SPANS["week"] >= FEWEST_WINDOWS else "day"


def windows_of(interactions: Interactions, end: int | None = None, word: Word | None = None) -> Windows:
    """The windows up to the cut-off; what is left over at the old end, shorter than a window, counts for the age alone."""
    end = day_after(interactions) if end is None else end
    word = word or word_for(interactions, end)
    seen, span = interactions.until(end), SPANS[word] * DAY
    many = max(1, (end - int(seen.time[0])) // span) if len(seen) else 1
    place = many - 1 - (end - 1 - seen.time) // span
    counts, stars, rated = (np.zeros((len(seen.items), many)) for _ in range(3))
    inside = place >= 0
    np.add.at(counts, (seen.item[inside], place[inside]), 1.0)
    told = inside & ~np.isnan(seen.rating)
    np.add.at(stars, (seen.item[told], place[told]), seen.rating[told])
    np.add.at(rated, (seen.item[told], place[told]), 1.0)
    first = np.full(len(seen.items), many, np.int64)
    np.minimum.at(first, seen.item, np.maximum(place, -1))
    nothing = np.zeros_like(counts)
    return Windows(word, end, counts, stars, rated, first, nothing, nothing)


def with_said(windows: Windows, item: Codes, time: npt.NDArray[np.int64], praise: npt.NDArray[np.bool_]) -> Windows:
    """The same windows, with what reviewers said: a row for each statement, of which item, when, and whether it is praise."""
    place = windows.many - 1 - (windows.end - 1 - time) // (windows.days * DAY)
    inside = (time < windows.end) & (place >= 0)
    spoken, praised = np.zeros_like(windows.counts), np.zeros_like(windows.counts)
    np.add.at(spoken, (item[inside], place[inside]), 1.0)
    np.add.at(praised, (item[inside], place[inside]), praise[inside].astype(np.float64))
    return replace(windows, spoken=spoken, praised=praised)
