"""k-core filtering: the largest set of reviews in which every user and every item has at least k."""

from __future__ import annotations

from typing import Any

import numpy as np

Codes = np.ndarray[Any, np.dtype[np.int64]]


def in_core(users: Codes, items: Codes, k: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Marks the rows of the k-core. `users` and `items` are row-aligned codes from 0; repeated pairs count once."""
    pair_codes = users * (int(items.max(initial=0)) + 1) + items
    pairs, first, back = np.unique(pair_codes, return_index=True, return_inverse=True)
    pair_users, pair_items = users[first], items[first]
    kept = np.ones(len(pairs), dtype=bool)
    while True:
        degree_of_user = np.bincount(pair_users[kept], minlength=int(users.max(initial=0)) + 1)
        degree_of_item = np.bincount(pair_items[kept], minlength=int(items.max(initial=0)) + 1)
        still = kept & (degree_of_user[pair_users] >= k) & (degree_of_item[pair_items] >= k)
        if np.array_equal(still, kept):
            return kept[back]
        kept = still
