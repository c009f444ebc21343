"""Nobody chooses a condition: blocks are full, orders are balanced, and the same number always gets the same."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_core.study.assignment import assigned, square_row, williams
from tests.study.made import study


@given(seed=st.integers(0, 2**31), block=st.integers(0, 50))
def test_in_each_block_every_condition_stands_once(seed: int, block: int) -> None:
    one = study(seed=seed)
    many = len(one.conditions)
    met = Counter(tuple(assigned(one, block * many + place)[0].items()) for place in range(many))
    assert set(met.values()) == {1}
    assert len(met) == many


@given(number=st.integers(0, 10_000), seed=st.integers(0, 2**31))
def test_the_same_number_gets_the_same(number: int, seed: int) -> None:
    for within in (False, True):
        one = study(seed=seed, within=within)
        assert assigned(one, number) == assigned(study(seed=seed, within=within), number)
        assert len(assigned(one, number)) == one.periods


def test_blocks_are_not_all_in_one_order() -> None:
    one = study()
    orders = {tuple(tuple(assigned(one, block * 4 + place)[0].items()) for place in range(4)) for block in range(30)}
    assert len(orders) > 10


@pytest.mark.parametrize("many", range(1, 10))
def test_a_square_balances_places_and_what_follows_what(many: int) -> None:
    rows = williams(many)
    assert all(sorted(row) == list(range(many)) for row in rows)
    for place in range(many):
        assert len(set(Counter(row[place] for row in rows).values())) == 1
    after = Counter(pair for row in rows for pair in pairwise(row))
    assert len(after) == many * (many - 1)
    assert len(set(after.values())) <= 1


@pytest.mark.parametrize("many", [2, 3, 4, 5])
def test_over_a_whole_square_every_row_is_used_once(many: int) -> None:
    rows = len(williams(many))
    for block in range(4):
        used = {tuple(square_row(many, 9, block * rows + place)) for place in range(rows)}
        assert len(used) == rows
