"""Scores that ask nothing of a person: how many came to an item, over all the time or lately."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from persona_core.ranking.files import Kept, kept_scorer, write_scorer
from persona_core.ranking.interactions import Interactions
from persona_core.ranking.scorer import Codes, History, Scores, make_read_only

DAY = 24 * 60 * 60
SHORTEST_STRIDE = 4096

Times = npt.NDArray[np.int64]
Amounts = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Popularity:
    """The logarithm of how often people came to an item in all the training time."""

    name: ClassVar[str] = "popularity"
    counts: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        make_read_only(self.counts)

    @classmethod
    def fit(cls, interactions: Interactions) -> Self:
        return cls(np.bincount(interactions.item, minlength=len(interactions.items)))

    def scores(self, histories: Sequence[History], moments: Sequence[int] | None = None) -> Scores:
        return np.tile(np.log1p(self.counts).astype(np.float32), (len(histories), 1))

    def save(self, path: Path) -> None:
        write_scorer(path, self.name, Kept({"counts": self.counts}, {}))

    @classmethod
    def load(cls, path: Path) -> Self:
        with kept_scorer(path, cls.name) as kept:
            return cls(kept.array("counts", np.int64, -1))


@dataclass(frozen=True, slots=True, eq=False)
class RecentPopularity:
    """How often people came to an item before the moment of the case; what is a half-life old counts half.

    Only what happened strictly before the moment is read. A case costs the same whether it is asked alone or among others,
    because the counts were summed up in advance every so many rows: a moment takes up from the last sum before it.
    """

    name: ClassVar[str] = "recent popularity"
    item: Codes
    time: Times
    half_life_days: float
    sums: Amounts
    """Row k: the decayed counts of the first k strides of interactions, as of the last of them."""

    def __post_init__(self) -> None:
        make_read_only(self.item, self.time, self.sums)

    @classmethod
    def fit(cls, interactions: Interactions, *, half_life_days: float = 30.0) -> Self:
        """Half-lives of weeks suit what fashion moves, of years what lasts."""
        return cls._of(interactions.item, interactions.time, len(interactions.items), half_life_days)

    @classmethod
    def _of(cls, item: Codes, time: Times, n_items: int, half_life_days: float) -> Self:
        if not half_life_days > 0:
            raise ValueError(f"a half-life is more than 0 days, not {half_life_days}")
        stride = _stride(n_items)
        sums = np.zeros((len(time) // stride + 1, n_items))
        for k in range(1, len(sums)):
            rows = slice((k - 1) * stride, k * stride)
            now = int(time[k * stride - 1])
            since = int(time[rows.start - 1]) if k > 1 else now
            decay = _Decay(now, half_life_days)
            sums[k] = sums[k - 1] * decay.of(since) + decay.counted(item[rows], time[rows], n_items)
        return cls(item, time, half_life_days, sums)

    def scores(self, histories: Sequence[History], moments: Sequence[int] | None = None) -> Scores:
        """Without moments: as of right after the last interaction."""
        after_all = int(self.time[-1]) + 1 if len(self.time) else 0
        asked = np.full(len(histories), after_all) if moments is None else np.asarray(moments, np.int64)
        if asked.shape != (len(histories),):
            raise ValueError(f"{asked.size} moments stand beside {len(histories)} histories")
        scores = np.empty((len(histories), self.sums.shape[1]), np.float32)
        known: tuple[int, Amounts] | None = None
        for case in np.argsort(asked, kind="stable"):
            moment = int(asked[case])
            if known is None or known[0] != moment:  # many cases often share a moment
                known = moment, self._at(moment)
            scores[case] = known[1]
        return scores

    def _at(self, moment: int) -> Amounts:
        n_items = self.sums.shape[1]
        before = int(np.searchsorted(self.time, moment, side="left"))
        k = before // _stride(n_items)
        rows = slice(k * _stride(n_items), before)
        decay = _Decay(moment, self.half_life_days)
        lately = decay.counted(self.item[rows], self.time[rows], n_items)
        return self.sums[k] * decay.of(int(self.time[rows.start - 1])) + lately if k else lately

    def save(self, path: Path) -> None:
        settings = {"half_life_days": self.half_life_days, "n_items": self.sums.shape[1]}
        write_scorer(path, self.name, Kept({"item": self.item, "time": self.time}, settings))

    @classmethod
    def load(cls, path: Path) -> Self:
        with kept_scorer(path, cls.name) as kept:
            time = kept.array("time", np.int64, -1)
            n_items = int(kept.settings["n_items"])
            if n_items < 0 or (np.diff(time) < 0).any():
                raise ValueError("its times do not rise")
            return cls._of(kept.codes("item", len(time), n_items), time, n_items, kept.settings["half_life_days"])


@dataclass(frozen=True, slots=True)
class _Decay:
    """How much what is past still counts."""

    now: int
    half_life_days: float

    def of(self, then: Any) -> Any:
        """For one time or many."""
        return np.exp2((then - self.now) / (DAY * self.half_life_days))

    def counted(self, item: Codes, time: Times, n_items: int) -> Amounts:
        return np.asarray(np.bincount(item, weights=self.of(time), minlength=n_items), np.float64)


def _stride(n_items: int) -> int:
    """How many rows lie between two sums: at least a row for each item, so that all sums take no more room than the rows."""
    return max(SHORTEST_STRIDE, n_items)
