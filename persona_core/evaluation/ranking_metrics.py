"""How well scores rank the one held-out item of each case, and what is then shown: maths only, no reading and no models.

A case is a row of scores, an item a column. Rows are worked through some at a time, so that no second matrix of that size is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Scores = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]
PerCase = NDArray[np.float64]
Mask = NDArray[np.bool_]
Labels = NDArray[np.str_]
Columns = Sequence[ArrayLike] | Ints
"""For each case some columns, not always equally many; `NOTHING` among them is passed over, so a top k can serve as the pools."""

MISSED = 0
"""The rank of a target that was not among the candidates: every measure gives 0 for it."""
NOTHING = -1
"""Stands in a top k where a case has fewer than k items to choose from."""

_CELLS_AT_ONCE = 1 << 22


def ranks(
    scores: Scores, targets: ArrayLike, excluded: Mask | Columns | None = None, pools: Columns | None = None
) -> NDArray[np.int64]:
    """The place of each case's target among its items, 1 for the best.

    An equal score is a draw, and half of those who draw with the target stand before it, rounded up. So a scorer that says the same
    of everything is put in the middle of the list, where chance would put it on average, never at the top; and neither the order of
    the columns nor a seed decides.

    Args:
        scores: one row a case, one column an item.
        targets: the column of each case's held-out item.
        excluded: what a case leaves out, such as items already met: a mask of the form of the scores, or columns for each case.
        pools: the candidates of each case; without them, all columns are. A target outside its pool is `MISSED`.

    Raises:
        ValueError: a score is not finite, a column does not exist, or a target is itself excluded.
    """
    asked = _checked_targets(scores, targets)
    found = np.empty(len(asked), dtype=np.int64)
    for rows, own, is_open in _open_parts(scores, excluded, pools):
        found[rows] = _ranks_of(own, asked[rows], is_open)
    _refuse_excluded(asked, found, excluded)
    return found


def _ranks_of(scores: Scores, targets: NDArray[np.int64], is_open: Mask) -> NDArray[np.int64]:
    at = np.arange(len(targets))
    own = scores[at, targets][:, None]
    better = np.count_nonzero((scores > own) & is_open, axis=1)
    tied = np.count_nonzero((scores == own) & is_open, axis=1) - 1  # the target itself is no draw
    return np.where(is_open[at, targets], 1 + better + (tied + 1) // 2, MISSED)


def top_k(scores: Scores, k: int, excluded: Mask | Columns | None = None, pools: Columns | None = None) -> NDArray[np.int64]:
    """The columns of each case's k best, best first; of equal scores the lower column. `NOTHING` where there are too few.

    What is shown must be some item, so here columns settle what `ranks` leaves a draw.
    """
    _refuse_no_places(k)
    best = np.full((len(scores), k), NOTHING, dtype=np.int64)
    for rows, own, is_open in _open_parts(scores, excluded, pools):
        width = min(k, own.shape[1])
        if width:
            best[rows, :width] = _best_of(np.where(is_open, own, -np.inf), width)
    return best


def _best_of(scores: Scores, k: int) -> NDArray[np.int64]:
    """Partitioning finds the k-th best score; whom it picks among equals is chance, so the lowest columns are taken instead."""
    least = np.partition(scores, scores.shape[1] - k, axis=1)[:, -k][:, None]
    better, equal = scores > least, scores == least
    room = k - np.count_nonzero(better, axis=1)[:, None]
    chosen = better | (equal & (np.cumsum(equal, axis=1, dtype=np.int32) <= room))
    columns = np.nonzero(chosen)[1].reshape(len(scores), k)
    own = np.take_along_axis(scores, columns, axis=1)
    order = np.argsort(-own, axis=1, kind="stable")
    sorted_columns = np.take_along_axis(columns, order, axis=1)
    return np.where(np.isneginf(np.take_along_axis(own, order, axis=1)), NOTHING, sorted_columns)


def hit(ranks: Ints, k: int) -> PerCase:
    """1 for each case whose target is among the first k."""
    _refuse_no_places(k)
    return np.asarray((ranks != MISSED) & (ranks <= k), dtype=np.float64)


def ndcg(ranks: Ints, k: int) -> PerCase:
    """1 for a target in the first place, 1 / log2(rank + 1) down to the k-th, then 0: with one target, the ideal gain is 1."""
    return np.asarray(hit(ranks, k) / np.log2(np.maximum(ranks, 1) + 1), dtype=np.float64)


def reciprocal(ranks: Ints) -> PerCase:
    return np.asarray((ranks != MISSED) / np.maximum(ranks, 1), dtype=np.float64)


def recall_of_candidates(pools: Columns, targets: ArrayLike, depth: int | None = None) -> PerCase:
    """1 for each case whose target is among its candidates, or among the first `depth` of them."""
    asked = np.asarray(targets)
    _refuse_other_count("pools", pools, len(asked))
    if depth is not None:
        _refuse_no_places(depth)
    return np.array([target in np.asarray(pool)[:depth] for pool, target in zip(pools, asked, strict=True)], dtype=np.float64)


def ceiling(pools: Columns, targets: ArrayLike) -> float:
    """What no reranker of these pools can pass, in hit, NDCG and reciprocal rank alike and whatever k: the share of targets in them.

    The best reranker puts each target that is there in the first place, where all three give 1.
    """
    return _mean(recall_of_candidates(pools, targets))


def coverage(top_items: Ints, n_items: int) -> float:
    """The share of the catalogue that stands in at least one case's top k."""
    return float(np.count_nonzero(_times_shown(top_items, n_items)) / n_items)


def novelty(top_items: Ints, popularity: ArrayLike) -> float:
    """How surprising it is to be shown what is shown: the mean of -log2 p(item), in bits, over all places of all cases.

    One is added to every item's count, so that an item that nobody has met is very surprising, not infinitely so.
    """
    counts = np.asarray(popularity, dtype=np.float64) + 1.0
    information = -np.log2(counts / counts.sum())
    return _mean(information[_shown(top_items, len(counts))])


def gini(top_items: Ints, n_items: int) -> float:
    """How unequally the places are shared out: 0 if every item is shown equally often, near 1 if one item has all the places."""
    times = np.sort(_times_shown(top_items, n_items))
    if not times.sum():
        return 0.0
    place = np.arange(1, n_items + 1)
    return float(((2 * place - n_items - 1) * times).sum() / (n_items * times.sum()))


def _times_shown(top_items: Ints, n_items: int) -> NDArray[np.int64]:
    return np.bincount(_shown(top_items, n_items), minlength=n_items).astype(np.int64)


def _shown(top_items: Ints, n_items: int) -> NDArray[np.int64]:
    shown: NDArray[np.int64] = np.asarray(top_items, dtype=np.int64).ravel()
    shown = shown[shown != NOTHING]
    _refuse_strange(shown, n_items)
    return shown


class Slices(NamedTuple):
    """For each case, what kind of user asks and what kind of item was held out."""

    users: Labels
    items: Labels


def slices(
    history_lengths: ArrayLike,
    popularity_at_moment: Iterable[ArrayLike],
    targets: ArrayLike,
    *,
    cold_below: int,
    warm_from: int,
    head_share: float = 0.5,
) -> Slices:
    return Slices(cold_or_warm(history_lengths, cold_below, warm_from), head_or_tail(popularity_at_moment, targets, head_share))


def cold_or_warm(history_lengths: ArrayLike, cold_below: int, warm_from: int) -> Labels:
    """`cold` for a history shorter than the one bound, `warm` from the other on, `between` if there is room between them."""
    if cold_below > warm_from:
        raise ValueError(f"a history of {warm_from} cannot be warm when one below {cold_below} is cold")
    lengths = np.asarray(history_lengths)
    return np.select([lengths < cold_below, lengths >= warm_from], ["cold", "warm"], default="between")


def head_or_tail(popularity_at_moment: Iterable[ArrayLike], targets: ArrayLike, share: float = 0.5) -> Labels:
    """`head` if the case's target is among the most popular items that together hold the share of all interactions until then.

    Items met equally often stand together: a target is in the head while those met more often than it hold less than the share.
    An item that nobody has met yet is in the tail.

    Args:
        popularity_at_moment: for each case, how often each item was met before its moment: the rows of a matrix, or a generator.
        targets: the column of each case's held-out item.
        share: between 0 and 1.
    """
    if not 0.0 < share < 1.0:
        raise ValueError(f"the head's share must lie between 0 and 1, not at {share}")
    pairs = zip(popularity_at_moment, np.asarray(targets), strict=True)
    return np.array(
        ["head" if _in_head(np.asarray(counts), int(target), share) else "tail" for counts, target in pairs], dtype=np.str_
    )


def _in_head(counts: NDArray[Any], target: int, share: float) -> bool:
    _refuse_strange(np.array([target]), len(counts))
    own = counts[target]
    return bool(own > 0 and counts[counts > own].sum() < share * counts.sum())


def _open_parts(scores: Scores, excluded: Mask | Columns | None, pools: Columns | None) -> Iterator[tuple[slice, Scores, Mask]]:
    """Some rows at a time: which, their scores, and where a case may choose."""
    if scores.ndim != 2:
        raise ValueError(f"scores must be a matrix of cases and items, not of form {scores.shape}")
    if isinstance(excluded, np.ndarray) and excluded.dtype == np.bool_ and excluded.shape != scores.shape:
        raise ValueError(f"the mask of what is excluded has form {excluded.shape}, the scores have {scores.shape}")
    for name, columns in (("excluded", excluded), ("pools", pools)):
        _refuse_other_count(name, columns, len(scores))
    step = max(1, _CELLS_AT_ONCE // max(1, scores.shape[1]))
    for start in range(0, len(scores), step):
        rows = slice(start, min(start + step, len(scores)))
        _refuse_not_finite(scores[rows], start)
        is_open = np.full((rows.stop - start, scores.shape[1]), pools is None)
        if pools is not None:
            _set(is_open, pools[rows], True)
        if isinstance(excluded, np.ndarray) and excluded.dtype == np.bool_:
            is_open &= ~excluded[rows]
        elif excluded is not None:
            _set(is_open, excluded[rows], False)
        yield rows, scores[rows], is_open


def _set(mask: Mask, columns: Iterable[Any], value: bool) -> None:
    own = [np.asarray(one) for one in columns]
    if any(one.size and one.dtype.kind not in "iu" for one in own):
        raise ValueError("columns must be whole numbers; masks of single cases must be put together into one matrix")
    cases = np.repeat(np.arange(len(own)), [one.size for one in own])
    chosen = np.concatenate([one.astype(np.int64).ravel() for one in own])
    some = chosen != NOTHING
    _refuse_strange(chosen[some], mask.shape[1])
    mask[cases[some], chosen[some]] = value


def _checked_targets(scores: Scores, targets: ArrayLike) -> NDArray[np.int64]:
    asked = np.asarray(targets, dtype=np.int64)
    _refuse_other_count("scores", scores, len(asked))
    if scores.ndim == 2:
        _refuse_strange(asked, scores.shape[1])
    return asked


def _refuse_excluded(targets: NDArray[np.int64], found: NDArray[np.int64], excluded: Mask | Columns | None) -> None:
    """Only a missed target can be an excluded one, so only those are looked at."""
    if excluded is None:
        return
    for case in np.flatnonzero(found == MISSED).tolist():
        own = np.asarray(excluded[case])
        if own[targets[case]] if own.dtype == np.bool_ else targets[case] in own:
            raise ValueError(f"the target of case {case} is among what it excludes, so no ranking could ever find it")


def _refuse_not_finite(scores: Scores, first_case: int) -> None:
    strange = ~np.isfinite(scores)
    if strange.any():
        case, item = np.argwhere(strange)[0]
        told = f"the score of item {item} in case {first_case + case} is {scores[case, item]}"
        raise ValueError(f"{told}: scores must be finite numbers; what is not to be ranked belongs in `excluded`")


def _refuse_strange(columns: NDArray[np.int64], n_items: int) -> None:
    """Below 0 is refused too: NumPy would take it for a column counted from the end."""
    strange = columns[(columns < 0) | (columns >= n_items)]
    if len(strange):
        raise ValueError(f"there is no column {strange[0]}: the items are columns 0 to {n_items - 1}")


def _refuse_other_count(name: str, given: Any, cases: int) -> None:
    if given is not None and len(given) != cases:
        raise ValueError(f"there are {cases} cases, but `{name}` is given for {len(given)}")


def _refuse_no_places(k: int) -> None:
    if k < 1:
        raise ValueError(f"at least one place is needed, not {k}")


def _mean(values: PerCase) -> float:
    return float(values.mean()) if len(values) else 0.0
