"""Two ways to hide the future, both strict in time: each user's last items, and one moment for all.

Each gives every review one of `train`, `valid`, `test`, or `unused` (it would blur the line: see the functions).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

PARTS = ("train", "valid", "test", "unused")


def last_item_out(reviews: pd.DataFrame) -> pd.Series:
    """Per user, the last item they came to is the test, the one before it validation.

    An item counts from the user's *first* review of it, so a held-out item was never met before. `train` is strictly
    earlier than the user's validation review, and that strictly earlier than the test one; what happens at the same second
    as a held-out review, later repeats, and anything after are `unused`. Users with fewer than three items that can be told
    apart in time are all `train`.

    Args:
        reviews: columns user_id, item_id, time, review_id; any order.

    Returns:
        The part of each review, on the same index.
    """
    ordered = _in_order(reviews)
    first = ordered[~ordered.duplicated(["user_id", "item_id"])]
    test = first[~first.duplicated("user_id", keep="last")]
    test_time = _moment_of(first, test)
    before_test = first[first["time"] < test_time]
    valid = before_test[~before_test.duplicated("user_id", keep="last")]
    valid_time = _moment_of(first, valid)
    history = first[first["time"] < valid_time]
    able = history["user_id"].unique()

    part = pd.Series("unused", index=ordered.index, name="last_item_out")
    of_able = ordered["user_id"].isin(able)
    part[~of_able] = "train"
    valid_moment = _moment_of(ordered, valid)
    part[of_able & (ordered["time"] < valid_moment)] = "train"
    part[valid.index[valid["user_id"].isin(able)]] = "valid"
    part[test.index[test["user_id"].isin(able)]] = "test"
    return part.reindex(reviews.index)


def _in_order(reviews: pd.DataFrame) -> pd.DataFrame:
    """Each user's reviews by time, those of one second by their ids; users and items as numbers.

    Only the ids of one second are compared: to sort millions of texts is dear.
    """
    users, items = (pd.factorize(reviews[name])[0] for name in ("user_id", "item_id"))
    times = reviews["time"].astype("int64").to_numpy()
    tied = pd.DataFrame({"user": users, "time": times}).duplicated(keep=False).to_numpy()
    ids = np.zeros(len(reviews), np.int64)
    ids[tied] = pd.factorize(reviews["review_id"][tied], sort=True)[0]
    ordered = pd.DataFrame({"user_id": users, "item_id": items, "time": reviews["time"]}, index=reviews.index)
    return ordered.iloc[np.lexsort((ids, times, users))]


def _moment_of(reviews: pd.DataFrame, held_out: pd.DataFrame) -> pd.Series:
    """For each review, when its user's held-out one was written."""
    return held_out.set_index("user_id")["time"].reindex(reviews["user_id"]).set_axis(reviews.index)


@dataclass(frozen=True, slots=True)
class Moments:
    """When validation begins and when the test begins."""

    valid: pd.Timestamp
    test: pd.Timestamp


def moments_of(reviews: pd.DataFrame, valid_share: float, test_share: float) -> Moments:
    """The moments that leave about these shares of the reviews after them."""
    times = reviews["time"].sort_values(ignore_index=True)
    last = len(times) - 1
    at = [times.iloc[min(last, int(len(times) * (1 - share)))] for share in (valid_share + test_share, test_share)]
    return Moments(*at)


def point_in_time(reviews: pd.DataFrame, moments: Moments) -> pd.Series:
    """One moment for everybody: nothing in `train` is as late as anything in `valid`, nor that as anything in `test`."""
    part = pd.Series("train", index=reviews.index, name="point_in_time")
    part[reviews["time"] >= moments.valid] = "valid"
    part[reviews["time"] >= moments.test] = "test"
    return part
