"""The k-core is what is left when whoever has fewer than k is dropped, again and again."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from persona_core.catalog.kcore import in_core

pairs = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=60)


def by_hand(rows: list[tuple[int, int]], k: int) -> list[bool]:
    """The same, done slowly and plainly."""
    left = set(rows)
    while True:
        still = {
            (u, i) for u, i in left if sum(a == u for a, _ in left) >= k and sum(b == i for _, b in left) >= k
        }  # fmt: skip
        if still == left:
            return [row in left for row in rows]
        left = still


@given(pairs, st.integers(1, 4))
def test_agrees_with_the_slow_way(rows: list[tuple[int, int]], k: int) -> None:
    users, items = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    assert in_core(users, items, k).tolist() == by_hand(rows, k)


@given(pairs)
def test_a_larger_core_lies_within_a_smaller_one(rows: list[tuple[int, int]]) -> None:
    users, items = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    two, three = in_core(users, items, 2), in_core(users, items, 3)
    assert not (three & ~two).any()
