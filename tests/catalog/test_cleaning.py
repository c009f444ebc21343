"""Rows that cannot be used are refused for the right reason, and what is kept is kept as it was written."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_core.catalog.cleaning import Cleaner, RejectLog, seconds_since_1970
from persona_core.catalog.fields import Reject

GOOD = ("u", "i", 4.0, 1_700_000_000, "Fine.", None, None)


def judged(tmp_path: Path, *rows: Any, scale: tuple[float, float] | None = None) -> tuple[list[Any], dict[str, int]]:
    with RejectLog(tmp_path / "rejected.jsonl") as rejects:
        batches = list(Cleaner(rejects, scale).batches(Path("data.jsonl"), enumerate(rows, start=1)))
    return [review for batch in batches for review in batch], dict(rejects.counts)


def but(**changes: Any) -> tuple[Any, ...]:
    names = ("user", "item", "rating", "time", "text", "review_id", "name")
    return tuple(changes.get(name, value) for name, value in zip(names, GOOD, strict=True))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (but(user=""), "no user"),
        (but(user=None), "no user"),
        (but(user=[1]), "no user"),
        (but(item="  "), "no item"),
        (but(item=float("nan")), "no item"),
        (but(rating=11), "impossible rating"),
        (but(rating=-1.0), "impossible rating"),
        (but(rating=float("nan")), "impossible rating"),
        (but(rating=float("inf")), "impossible rating"),
        (but(rating="five"), "unreadable rating"),
        (but(rating=[5]), "unreadable rating"),
        (but(time=None), "no date"),
        (but(time=""), "no date"),
        (but(time="last Tuesday"), "unreadable date"),
        (but(time=[2020]), "unreadable date"),
        (but(time="2199-01-01"), "impossible date"),
        (but(time=-5), "impossible date"),
        (but(time="1e400"), "unreadable date"),
        (but(text="x" * 50_001), "text too long"),
        (but(text="half a pair \ud83d"), "broken characters"),
        (Reject("bad JSON", "why"), "bad JSON"),
    ],
)
def test_each_fault_has_its_own_reason(row: Any, reason: str, tmp_path: Path) -> None:
    kept, counts = judged(tmp_path, row, GOOD)
    assert counts == {reason: 1}
    assert len(kept) == 1


def test_the_log_names_file_line_and_reason(tmp_path: Path) -> None:
    judged(tmp_path, GOOD, but(rating=11))
    [row] = [json.loads(line) for line in (tmp_path / "rejected.jsonl").read_text().splitlines()]
    assert row == {"file": "data.jsonl", "line": 2, "reason": "impossible rating", "detail": "11 is outside 0.5 to 5"}


def test_a_review_is_taken_once(tmp_path: Path) -> None:
    kept, counts = judged(tmp_path, GOOD, GOOD, but(text="Other."), but(review_id="r1", item="j"), but(review_id="r1", item="k"))
    assert len(kept) == 3
    assert counts == {"duplicate review": 1, "duplicate review id": 1}


def test_a_rejected_row_does_not_take_the_place_of_a_good_one(tmp_path: Path) -> None:
    kept, _ = judged(tmp_path, but(rating=11, review_id="r1"), but(review_id="r1"))
    assert len(kept) == 1


@pytest.mark.parametrize(("value", "becomes"), [(0.0, 1.0), (10.0, 5.0), (5.0, 3.0)])
def test_another_scale_is_stretched_to_one_to_five(value: float, becomes: float, tmp_path: Path) -> None:
    kept, _ = judged(tmp_path, but(rating=value), scale=(0.0, 10.0))
    assert kept[0][3] == becomes


def test_thumbs_are_ratings_and_no_rating_is_allowed(tmp_path: Path) -> None:
    kept, _ = judged(tmp_path, but(rating=True), but(rating=False, item="j"), but(rating=None, item="k"))
    assert [review[3] for review in kept] == [5.0, 1.0, None]


@pytest.mark.parametrize(
    "time",
    [1_700_000_000, 1_700_000_000.4, 1_700_000_000_123, "1700000000", "2023-11-14T22:13:20Z", "2023-11-14 22:13:20",
     "2023-11-14T23:13:20+01:00", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC), datetime(2023, 11, 14, 22, 13, 20)],
)  # fmt: skip
def test_dates_are_understood_in_many_writings(time: Any) -> None:
    assert seconds_since_1970(time) == 1_700_000_000


def test_a_day_without_an_hour_is_its_midnight() -> None:
    midnight = int(datetime(2023, 11, 14, tzinfo=UTC).timestamp())
    assert seconds_since_1970("2023-11-14") == midnight
    assert seconds_since_1970(date(2023, 11, 14)) == midnight


@given(st.text(max_size=300))
def test_text_is_kept_letter_for_letter(text: str) -> None:
    if any(0xD800 <= ord(letter) <= 0xDFFF for letter in text):
        return
    with RejectLog(Path("/dev/null")) as rejects:
        [[review]] = list(Cleaner(rejects).batches(Path("f"), [(1, ("u", "i", 1.0, 1_700_000_000, text, None, None))]))
    assert review[5] == ("" if text.isspace() else text)


@given(st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=20), st.booleans(), st.lists(st.integers(), max_size=2)))
def test_no_value_of_any_kind_breaks_the_judge(value: Any) -> None:
    rows = [(n, but(**{name: value})) for n, name in enumerate(("user", "item", "rating", "time", "text", "review_id", "name"))]
    with RejectLog(Path("/dev/null")) as rejects:
        kept = [review for batch in Cleaner(rejects).batches(Path("f"), rows) for review in batch]
    assert len(kept) + rejects.counts.total() == len(rows)
