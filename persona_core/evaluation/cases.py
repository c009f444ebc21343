"""The questions that a recommender is tested with: who asks, when, knowing what, and which item they came to next.

Time is whole seconds, as the catalogue keeps it. What happens in the same second as a case's moment is not before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from persona_core.catalog.splits import Moments, last_item_out

Part = Literal["valid", "test"]

LIKED_FROM = 3.5
"""From this rating of 5 on, a review says that the item was liked."""
USED = ["review_id", "user_id", "item_id", "time"]


@dataclass(frozen=True, slots=True)
class Case:
    """One question to a recommender, and its answer."""

    user_id: str
    moment: int
    """Seconds since 1970, UTC: what is known lies strictly before."""
    history: tuple[str, ...]
    """The items that the user had met by then, each once, in the order of the first meeting."""
    target: str
    scenario: str
    """The target's."""

    def __post_init__(self) -> None:
        if self.target in self.history:
            raise ValueError(f"user {self.user_id} had met {self.target} before: it cannot be asked for")


def last_item_cases(
    reviews: pd.DataFrame, scenario_of: Mapping[str, str], part: Part, *, liked: float | None = LIKED_FROM
) -> list[Case]:
    """A case for each user's held-out item, asked at the moment they came to it.

    The history is all that the user had met before: for the test, that includes the item held out for validation.

    Args:
        reviews: columns user_id, item_id, rating, time, review_id; any order.
        scenario_of: the scenario of each item.
        part: which of the two held-out items.
        liked: the least rating that the held-out review must give; one without a rating passes, and without a bound all do.
    """
    timed = _in_seconds(reviews)
    parts = last_item_out(timed)
    met = _first_meetings(timed)
    held_out = met[(parts.reindex(met.index) == part) & _is_liked(met, liked)]
    pasts = _pasts(met, held_out["user_id"])
    return [
        Case(user, moment, pasts[user].before(moment), item, scenario_of[item]) for user, item, moment in _user_item_time(held_out)
    ]


def point_in_time_cases(
    reviews: pd.DataFrame,
    scenario_of: Mapping[str, str],
    moments: Moments,
    part: Part,
    *,
    liked: float | None = LIKED_FROM,
    least_history: int = 1,
    most: int = 1,
) -> list[Case]:
    """All asked at one moment: the first liked items that each user came to after it, knowing only what lies before it for all.

    A user's cases share their history and differ in the target, so intervals over them must be drawn user by user. For validation,
    what was first met from the moment of the test on is not looked at.

    Args:
        reviews, scenario_of, liked: as for `last_item_cases`.
        moments: when validation and when the test begins.
        part: which of the two.
        least_history: users who had met fewer items by then are left out.
        most: how many cases a user may give.
    """
    met = _first_meetings(_in_seconds(reviews))
    begins, ends = _window(moments, part)
    after = (met["time"] >= begins) & (met["time"] < ends)
    wanted = met[after & _is_liked(met, liked)]
    pasts = _pasts(met, wanted["user_id"])
    known = {user: past.before(begins) for user, past in pasts.items()}
    able = wanted[wanted["user_id"].map(lambda user: len(known[user]) >= least_history).astype(bool)]
    first = able.groupby("user_id", sort=False).head(most)
    return [Case(user, begins, known[user], item, scenario_of[item]) for user, item, _ in _user_item_time(first)]


def leaks(cases: Sequence[Case], reviews_used: pd.DataFrame) -> list[str]:
    """Names each review in use that tells of a case's answer: of the same user and target, or of the same user and not before.

    Other users' later reviews pass: whoever holds out each user's last items allows them.

    Args:
        cases: what is to be asked.
        reviews_used: what was learnt from; columns review_id, user_id, item_id, time.
    """
    moment_of: dict[str, int] = {}
    for case in cases:
        moment_of[case.user_id] = min(case.moment, moment_of.get(case.user_id, case.moment))
    answers = {(case.user_id, case.target) for case in cases}
    return [
        _named(row, "which is held out" if row.pair in answers else "not before the moment they are asked at")
        for row in _used(reviews_used)
        if row.pair in answers or (row.user in moment_of and row.time >= moment_of[row.user])
    ]


def leaks_past_one_moment(cases: Sequence[Case], reviews_used: pd.DataFrame) -> list[str]:
    """Names each review in use, whoever wrote it, that is not before the one moment at which all cases are asked."""
    moments = {case.moment for case in cases}
    if len(moments) != 1:
        raise ValueError(f"these cases are asked at {len(moments)} moments, not at one: use `leaks`")
    moment = moments.pop()
    answers = {(case.user_id, case.target) for case in cases}
    return [
        _named(row, "which is held out" if row.pair in answers else "not before the moment of all")
        for row in _used(reviews_used)
        if row.pair in answers or row.time >= moment
    ]


class _Used(NamedTuple):
    review: str
    user: str
    item: str
    time: int

    @property
    def pair(self) -> tuple[str, str]:
        return self.user, self.item


def _used(reviews: pd.DataFrame) -> list[_Used]:
    return [_Used(*row) for row in _in_seconds(reviews[USED]).itertuples(index=False, name=None)]


def _named(row: _Used, why: str) -> str:
    return f"review {row.review}, of user {row.user} on item {row.item}: {why}"


class _Past(NamedTuple):
    """What one user met first when, in order of time."""

    times: NDArray[np.int64]
    items: tuple[str, ...]

    def before(self, moment: int) -> tuple[str, ...]:
        return self.items[: int(np.searchsorted(self.times, moment, side="left"))]


def _pasts(met: pd.DataFrame, users: Iterable[str]) -> dict[str, _Past]:
    """Of these users; in `met` each user's rows lie together, in order of time."""
    own = met[met["user_id"].isin(set(users))]
    user, item, time = (own[name].to_numpy() for name in ("user_id", "item_id", "time"))
    bounds = [*np.flatnonzero(~own.duplicated("user_id")), len(own)]
    return {user[a]: _Past(time[a:b], tuple(item[a:b])) for a, b in pairwise(bounds)}


def _in_seconds(reviews: pd.DataFrame) -> pd.DataFrame:
    """The same reviews, numbered anew, their time as whole seconds since 1970."""
    times = pd.to_datetime(reviews["time"], utc=True).dt.as_unit("s").astype("int64")
    return reviews.assign(time=times).reset_index(drop=True)


def _first_meetings(timed: pd.DataFrame) -> pd.DataFrame:
    """Each user's first review of each item, in the order of users, time and review."""
    ordered = timed.sort_values(["user_id", "time", "review_id"])
    return ordered[~ordered.duplicated(["user_id", "item_id"])]


def _is_liked(reviews: pd.DataFrame, liked: float | None) -> Any:
    """A review without a rating is a choice made freely, and nothing says that it was regretted."""
    if liked is None:
        return pd.Series(True, index=reviews.index)
    return reviews["rating"].isna() | (reviews["rating"] >= liked)


def _window(moments: Moments, part: Part) -> tuple[int, float]:
    """From when on an item counts as new, and until when."""
    begins = int(getattr(moments, part).timestamp())
    return begins, int(moments.test.timestamp()) if part == "valid" else float("inf")


def _user_item_time(reviews: pd.DataFrame) -> Iterable[tuple[str, str, int]]:
    columns = (reviews[name].tolist() for name in ("user_id", "item_id", "time"))
    return zip(*columns, strict=True)
