"""Who came to what, and when: the rows of a catalogue as arrays, for all that learns from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_matrix

from persona_core.errors import SourceError
from persona_core.ranking.histories import first_times
from persona_core.ranking.scorer import Codes, make_read_only

COLUMNS = ("user_id", "item_id", "rating", "time")
BUILD = "build the catalogue anew, `python -m persona_core build`"


@dataclass(frozen=True, slots=True, eq=False)
class Interactions:
    """Who came to what, and when: the rows of a catalogue as arrays, in the order of time."""

    users: tuple[str, ...]
    """Names, sorted; `user` points into them. So does `item` into `items`, which stand as they were given."""
    items: tuple[str, ...]
    user: Codes
    item: Codes
    time: npt.NDArray[np.int64]
    """Seconds since 1970 UTC."""
    rating: npt.NDArray[np.float32]
    """NaN where there is none."""

    def __post_init__(self) -> None:
        make_read_only(self.user, self.item, self.time, self.rating)

    @classmethod
    def of(cls, frame: pd.DataFrame, items: Sequence[str]) -> Self:
        """The rows of a frame with the columns user_id, item_id, rating and time (with a time zone), in any order.

        Rows of the same second stand by user, then item, then rating; so the order of the frame does not matter.

        Raises:
            SourceError: a column is missing or has gaps, times lack a zone, or a row names an item that is not in `items`.
        """
        _check_columns(frame)
        user, users = pd.factorize(frame["user_id"], sort=True)
        if (user < 0).any():
            raise SourceError("Some rows do not say which user they are of.", mend=BUILD)
        item, place = _item_codes(frame["item_id"], items)
        time = _seconds(frame["time"])
        rating = frame["rating"].to_numpy(np.float32, na_value=np.nan)
        order = np.lexsort((rating, place[item], user, time))
        return cls(
            users=tuple(users.tolist()),
            items=tuple(items),
            user=user[order].astype(np.int32),
            item=item[order],
            time=time[order],
            rating=rating[order],
        )

    def __len__(self) -> int:
        return len(self.time)

    def until(self, moment: int) -> Self:
        """Only what happened strictly before the moment; users and items keep their codes."""
        return self._only(slice(0, int(np.searchsorted(self.time, moment, side="left"))))

    def liked(self, least: float = 3.5) -> Self:
        """Only what was rated at least so, or not rated at all; users and items keep their codes."""
        return self._only(~(self.rating < least))  # NaN is less than nothing

    def matrix(self) -> csr_matrix:
        """Users x items: 1 where somebody came to something, however often."""
        shape = (len(self.users), len(self.items))
        matrix = csr_matrix((np.ones(len(self), np.float32), (self.user, self.item)), shape=shape)
        matrix.data[:] = 1
        return matrix

    def histories(self) -> dict[str, Codes]:
        """For each user the items in the order of time, each where it was met first; nothing for those without a row."""
        first = first_times(self.user.astype(np.int64) * len(self.items) + self.item)
        user, item = self.user[first], self.item[first]
        by_user = np.argsort(user, kind="stable")
        ends = np.cumsum(np.bincount(user, minlength=len(self.users)))
        return dict(zip(self.users, np.split(item[by_user], ends[:-1]), strict=True)) if self.users else {}

    def _only(self, rows: slice | npt.NDArray[np.bool_]) -> Self:
        return replace(self, user=self.user[rows], item=self.item[rows], time=self.time[rows], rating=self.rating[rows])


def _check_columns(frame: pd.DataFrame) -> None:
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise SourceError(f"The interactions lack the column{'s' * (len(missing) > 1)} {', '.join(missing)}.", mend=BUILD)


def _item_codes(column: pd.Series, items: Sequence[str]) -> tuple[Codes, Codes]:
    """The code of each row's item, and the place of each item among the sorted ones."""
    names = pd.Index(list(items), dtype=object)
    if not names.is_unique:
        raise SourceError("An item is listed twice.", why=f"For one, {names[names.duplicated()][0]!r} is.", mend=BUILD)
    codes = names.get_indexer(pd.Index(column, dtype=object))
    unknown = sorted({str(name) for name in column[codes < 0]})
    if unknown:
        some = ", ".join(unknown[:3]) + (" and others" if len(unknown) > 3 else "")
        raise SourceError(
            f"{len(unknown)} of the items that people came to are not among the {len(names)} items.",
            why=f"They are {some}.",
            mend=BUILD,
        )
    places = np.empty(len(names), np.int32)
    places[np.argsort(names.to_numpy(), kind="stable")] = np.arange(len(names), dtype=np.int32)
    return codes.astype(np.int32), places


def _seconds(column: pd.Series) -> npt.NDArray[np.int64]:
    if not len(column):
        return np.empty(0, np.int64)
    if not isinstance(column.dtype, pd.DatetimeTZDtype):
        raise SourceError("The times of the interactions have no time zone.", why=f"They are {column.dtype}.", mend=BUILD)
    if column.isna().any():
        raise SourceError("Some rows do not say when they happened.", mend=BUILD)
    whole: Any = column.dt.tz_convert("UTC").dt.floor("s").dt.as_unit("s")
    seconds: npt.NDArray[np.int64] = whole.astype("int64").to_numpy()
    return seconds
