"""Lays histories out as one sparse matrix, checked, each item once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from persona_core.ranking.scorer import History

Places = npt.NDArray[np.int64]


def laid_out(histories: Sequence[History], n_items: int, recency: float = 1.0) -> csr_matrix:
    """Histories x items; the last item of each weighs 1, the one before it `recency`, and so on back."""
    item = _joined(histories)
    case = np.repeat(np.arange(len(histories)), np.array([len(history) for history in histories], np.int64))
    if len(item) and not (item.min() >= 0 and item.max() < n_items):
        raise ValueError(f"a history names items outside 0 to {n_items - 1}")
    first = first_times(case * n_items + item)
    case, item = case[first], item[first]
    ends = np.cumsum(np.bincount(case, minlength=len(histories)))
    later = ends[case] - 1 - np.arange(len(case))
    weights = np.power(recency, later).astype(np.float32)
    return csr_matrix((weights, (case, item)), shape=(len(histories), n_items))  # sorted: so the order of a history rounds nothing


def first_times(keys: npt.NDArray[Any]) -> Places:
    """Where each key stands for the first time, rising."""
    _, first = np.unique(keys, return_index=True)
    return np.sort(first)


def _joined(histories: Sequence[History]) -> Places:
    parts = [np.asarray(history) for history in histories]
    if any(part.ndim != 1 or (part.size and part.dtype.kind not in "iu") for part in parts):
        raise ValueError("a history is a row of item codes, which are whole numbers")
    return np.concatenate(parts).astype(np.int64) if parts else np.empty(0, np.int64)
