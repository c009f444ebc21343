"""Pairs are beyond noise, few for each person, true of the person, and not won by length."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from persona_core.profiles.ways.judging import Worth
from persona_core.profiles.ways.preferences import Judged, Pair, Rules, apart, balanced, card_of, pairs_for

RULES = Rules()
gains = st.lists(st.floats(-5, 5), min_size=4, max_size=4)


def worth(*gains: float) -> Worth:
    return Worth(gain=float(np.mean(gains)), error=0.1, found=0, cases=len(gains), gains=gains)


def way(style: str, *gains: float, lines: str = "", borne_out: float = 1.0) -> Judged:
    return Judged(style, "extraction", lines or f"Likes: {style}", worth(*gains), borne_out)


def made(chosen: str, rejected: str, user: str = "u", sureness: float = 2.0) -> Pair:
    return Pair("p", chosen, rejected, 1.0, user, "a", "b", sureness)


def test_a_plain_difference_makes_a_pair_and_noise_makes_none() -> None:
    (found,) = pairs_for("u", "p", [way("good", 2, 2.2, 1.9, 2.1), way("bad", 0, 0.1, -0.1, 0)], RULES)
    assert (found.chosen_style, found.rejected_style, found.prompt, found.user_id) == ("good", "bad", "p", "u")
    assert found.margin == 2.05
    assert not pairs_for("u", "p", [way("good", 9, -8, 7, -6), way("bad", 0, 0.1, -0.1, 0)], RULES)
    assert not pairs_for("u", "p", [way("good", 0.01, 0.01, 0.01, 0.01), way("bad", 0, 0, 0, 0)], RULES), "too little to matter"
    assert not pairs_for("u", "p", [way("good", 5.0), way("bad", 0.0)], RULES), "one next item proves nothing"


def test_what_helps_but_is_not_true_of_the_person_is_never_chosen() -> None:
    ways = [way("good", 2, 2.2, 1.9, 2.1, borne_out=0.8), way("bad", 0, 0.1, -0.1, 0)]
    assert not pairs_for("u", "p", ways, RULES)
    rejected = [way("good", 2, 2.2, 1.9, 2.1), way("bad", 0, 0.1, -0.1, 0, borne_out=0.2)]
    assert len(pairs_for("u", "p", rejected, RULES)) == 1


@given(st.lists(gains, min_size=2, max_size=8))
def test_each_person_gives_a_few_and_each_way_stands_in_one(rows: list[list[float]]) -> None:
    found = pairs_for("u", "p", [way(f"s{number}", *row) for number, row in enumerate(rows)], RULES)
    assert len(found) <= RULES.most_of_one
    used = [style for one in found for style in (one.chosen_style, one.rejected_style)]
    assert len(used) == len(set(used))
    for one in found:
        assert one.margin >= RULES.least
        assert one.sureness >= RULES.sure


@given(gains, gains)
def test_a_difference_is_the_contrary_of_its_contrary(one: list[float], other: list[float]) -> None:
    assert apart(worth(*one), worth(*other))[0] == -apart(worth(*other), worth(*one))[0]


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9), st.floats(1.5, 9)), max_size=40))
def test_the_better_one_is_as_often_the_longer_as_the_shorter(rows: list[tuple[int, int, float]]) -> None:
    pairs = [made("x" * one, "y" * other, f"u{number}", sureness) for number, (one, other, sureness) in enumerate(rows)]
    kept = balanced(pairs, RULES)
    longer = sum(len(one.chosen) > len(one.rejected) for one in kept)
    assert 2 * longer == len(kept)
    assert set(kept) <= set(pairs)
    assert balanced(pairs, RULES) == kept


def test_the_least_sure_are_left_out() -> None:
    longer = [made("xx", "y", "sure", 5.0), made("xx", "y", "unsure", 1.6)]
    kept = balanced([*longer, made("x", "yy", "other")], RULES)
    assert {one.user_id for one in kept} == {"sure", "other"}


def test_the_card_counts_what_is_there() -> None:
    pairs = [made("xx", "y", "one"), made("x", "yyy", "other")]
    card = card_of(pairs, before=5, people=9, rules=RULES, notes={"seed": 7})
    assert (card["pairs"], card["people"], card["people looked at"], card["left out to balance lengths"]) == (2, 2, 9, 3)
    assert (card["characters, chosen"], card["characters, rejected"], card["chosen is longer"]) == (1.5, 2.0, 0.5)
    assert card["chosen styles"] == {"a": 2}
    assert card_of([], before=0, people=0, rules=RULES, notes={})["chosen is longer"] is None
