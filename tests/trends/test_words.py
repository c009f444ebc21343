"""Reasons are true by construction, what is said is read back, and what is turned round does not hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_core.trends.words import (
    ONE_WAY,
    PATTERNS,
    Statement,
    flipped,
    holds,
    outlook,
    reason,
    sentence,
    statements_in,
    told,
    wholly_borne_out,
    worth_saying,
)

WORDS = st.sampled_from(["day", "week", "month"])
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "last": st.integers(0, 400).map(float),
        "momentum": st.floats(0, 40),
        "slope": st.floats(-0.6, 1.5),
        "acceleration": st.floats(-20, 20),
        "season": st.floats(0, 8),
        "share_change": st.floats(0, 12),
        "rating_change": st.floats(-4, 4),
        "praise_change": st.floats(-1, 1),
        "recency": st.integers(0, 30).map(float),
        "age": st.integers(1, 60).map(float),
        "burstiness": st.floats(-1, 1),
    },
)
WAYS = st.sampled_from(["up", "down", "same"])


@given(VALUES, st.booleans(), WAYS, WORDS, st.text(max_size=8))
def test_whatever_a_reason_says_is_read_back_and_holds(values: dict[str, float], chance: bool, way: str, word: str, key: str) -> None:
    text = reason(values, chance, way, word, key)
    found = statements_in(text)
    named = [*worth_saying(values, chance), ("expected", way)]
    assert [(one.signal, one.way) for one in found] == named
    for one in found:
        assert holds(one, values, chance, way), (one, values, text)


@given(VALUES, st.booleans(), WORDS)
def test_the_same_key_gives_the_same_words(values: dict[str, float], chance: bool, word: str) -> None:
    assert reason(values, chance, "up", word, "item 1") == reason(values, chance, "up", word, "item 1")


@given(VALUES, st.booleans())
def test_what_is_turned_round_does_not_hold(values: dict[str, float], chance: bool) -> None:
    what = worth_saying(values, chance)
    turned, changed = flipped(what, values)
    found = statements_in(told(turned, changed, "up", "month", "key"))
    for one in found[:-1]:
        if one.signal not in ONE_WAY and one.signal not in ("momentum", "expected"):
            assert not holds(one, values, chance, "up"), (one, values)


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda one: f"{one.signal}-{one.way}-{one.text[:20]}")
def test_every_pattern_is_read_as_what_it_says(pattern: object) -> None:
    value = {"up": 2.4, "down": 0.41}.get(pattern.way, 1.0)  # type: ignore[attr-defined]
    if pattern.signal in ("slope", "rating_change", "praise_change"):  # type: ignore[attr-defined]
        value = 0.3 if pattern.way == "up" else -0.3  # type: ignore[attr-defined]
    if pattern.signal in ("recency", "age"):  # type: ignore[attr-defined]
        value = 3.0
    text = pattern.said(value, "week")  # type: ignore[attr-defined]
    assert "{" not in text
    (found,) = statements_in(f"Some words before. {text}. And some after.")
    assert (found.signal, found.way) == (pattern.signal, pattern.way)  # type: ignore[attr-defined]
    if found.value is not None:
        assert found.value == pytest.approx(value, abs=0.051)


def test_there_is_more_than_one_way_to_say_each_thing() -> None:
    said = {sentence("momentum", "up", 3.0, "week", f"item {number}") for number in range(40)}
    assert len(said) == 3


def test_a_false_number_and_a_false_direction_do_not_hold() -> None:
    values = {"momentum": 3.0, "slope": -0.2, "last": 9.0}
    assert holds(Statement("momentum", "up", 3.0), values, False, "same")
    assert not holds(Statement("momentum", "up", 5.0), values, False, "same")
    assert not holds(Statement("momentum", "down", 0.4), values, False, "same")
    assert holds(Statement("slope", "down", -0.2), values, False, "same")
    assert not holds(Statement("slope", "up", 0.2), values, False, "same")
    assert not holds(Statement("season", "up", 2.0), values, False, "same"), "what is not known cannot be said"
    assert not holds(Statement("expected", "up"), values, False, "down")


def test_a_text_that_speaks_of_nothing_states_nothing() -> None:
    assert statements_in("") == []
    assert statements_in("<b>It is the best thing ever</b> and 3 times is a charm") == []


@pytest.mark.parametrize(
    ("expected", "usual", "way"),
    [(5.0, 5.0, "same"), (9.0, 5.0, "up"), (2.0, 5.0, "down"), (0.6, 0.4, "same"), (3.0, None, "up"), (0.1, None, "same")],
)
def test_the_outlook_is_more_fewer_or_the_same(expected: float, usual: float | None, way: str) -> None:
    assert outlook(expected, usual) == way


def test_quiet_new_and_ordinary_items_are_told_as_such() -> None:
    assert "quiet" in reason({"recency": 4.0, "last": 0.0}, True, "same", "week", "b") or "Nobody" in reason(
        {"recency": 4.0, "last": 0.0}, True, "same", "week", "b"
    )
    assert "2 weeks" in reason({"age": 2.0, "last": 3.0}, True, "up", "week", "a")
    assert "usual" in reason({"momentum": 1.0, "last": 3.0}, True, "same", "week", "a")
    assert reason({}, True, "same", "week", "a").startswith("Little is known")


def test_a_reason_is_wholly_borne_out_where_every_sentence_can_be_read_and_holds() -> None:
    values = {"momentum": 2.0, "season": 0.54}
    true = "The last month brought 2.0 times the usual. All in all, more than usual are expected."
    assert wholly_borne_out(true, values, False, "up")
    assert not wholly_borne_out(true, values, False, "down")
    assert not wholly_borne_out(true.replace("2.0", "3.0"), values, False, "up")
    assert not wholly_borne_out(f"Its newest ratings are 2 months in the. {true}", values, False, "up")
    assert wholly_borne_out("Little is known of it yet. All in all, about as many as usual are expected.", {}, False, "same")
