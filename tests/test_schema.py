"""The words of the project hold what they promise."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from persona_core.schema import Forecast, Quote, Recommendation, Review, ScorePart

NOW = datetime(2025, 1, 1, tzinfo=UTC)


def review(text: str) -> Review:
    return Review(id="r", user_id="u", item_id="i", rating=None, time=NOW, text=text)


@given(st.text(min_size=1), st.data())
def test_a_quote_is_what_stands_in_the_review(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    quote = Quote.cut(review(text), start, end)
    assert text[quote.start : quote.end] == quote.text
    assert quote.stands_in(review(text))
    assert not quote.stands_in(review(text[:start] + chr(ord(text[start]) ^ 1) + text[start + 1 :]))


def test_a_quote_of_another_length_than_its_span_cannot_be_made() -> None:
    with pytest.raises(ValidationError, match="cannot span"):
        Quote(review_id="r", start=0, end=3, text="four")
    with pytest.raises(ValidationError):
        Quote(review_id="r", start=2, end=2, text="")


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=6))
def test_the_score_is_the_sum_of_its_parts(values: list[float]) -> None:
    parts = tuple(ScorePart(name=f"p{n}", value=value) for n, value in enumerate(values))
    assert Recommendation(item_id="i", rank=1, parts=parts).score == sum(values)


def test_types_are_frozen_and_refuse_what_they_do_not_know() -> None:
    part = ScorePart(name="match", value=1.0)
    with pytest.raises(ValidationError):
        part.value = 2.0  # type: ignore[misc]
    with pytest.raises(ValidationError):
        ScorePart(name="match", value=1.0, weight=2.0)  # type: ignore[call-arg]


@pytest.mark.parametrize(("low", "expected", "high"), [(5, 4, 9), (1, 10, 9)])
def test_a_forecast_lies_within_its_bounds(low: float, expected: float, high: float) -> None:
    with pytest.raises(ValidationError, match="bounds"):
        Forecast(item_id="i", window_start=NOW, window_end=NOW.replace(month=2), expected=expected, low=low, high=high)
