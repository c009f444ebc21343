"""Each signal finds in a series what was put into it, and says it in plain words; where it cannot know, it is silent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_core.trends.signals import SIGNALS, Signal, as_signals, by_chance, number, signals_of
from persona_core.trends.windows import DAY, Windows, Word, windows_of, with_said
from tests.trends.made import END, assert_same_answers, interactions_of, patient, poisson, turns, windows_with

NONE = float("nan")
ANCHOR = [1] * 30
"""Somebody comes to another item in each window, so that none is left out."""


@dataclass(frozen=True, slots=True)
class Made:
    """A series that was made to have a signal, which value that is, and how it is said."""

    windows: Windows
    """The item in question is the first."""
    value: float
    sentence: str
    groups: tuple[int, ...] = ()
    """All items are in one scenario where nothing is given."""

    def signals(self) -> dict[str, np.ndarray]:
        return dict(signals_of(self.windows, np.array(self.groups or [0] * len(self.windows.counts), np.int32)))


def alone(counts: list[int], word: Word = "week") -> Windows:
    """The series, beside one to which somebody comes each time."""
    return windows_with([counts, ANCHOR[: len(counts)]], word)


def rated(*stars: float) -> Windows:
    """One rating in each window."""
    return windows_with([[1] * len(stars)], rated=lambda _, window: stars[window])


def said(praise: list[list[bool]]) -> Windows:
    """Of one item, what was said in each window."""
    windows = windows_with([[1] * len(praise)])
    rows = [(windows.start_of(window), good) for window, all_of_it in enumerate(praise) for good in all_of_it]
    times, goods = (np.array([row[k] for row in rows], kind) for k, kind in enumerate((np.int64, bool)))
    return with_said(windows, np.zeros(len(rows), np.int32), times, goods)


MADE: dict[str, list[Made]] = {
    "last": [
        Made(alone([2, 0, 7]), 7, "In the last week, 7 people came to it."),
        Made(alone([2, 4, 1], "day"), 1, "In the last day, 1 person came to it."),
        Made(alone([3, 3, 0]), 0, "In the last week, nobody came to it."),
    ],
    "level": [
        Made(alone([4, 2, 6]), 4, "Since it is known, 4 came in a week."),
        Made(alone([0, 0, 5, 2]), 3.5, "Since it is known, 3.5 came in a week."),  # the time before its first day does not count
        Made(alone([0, 1, 0, 0, 0], "month"), 0.25, "Since it is known, 0.25 came in a month."),
    ],
    "momentum": [
        Made(alone([90, 4, 4, 4, 4, 4, 4, 12]), 3, "The last week was 3 times its usual."),  # six make the usual
        Made(alone([4, 4, 1]), 0.25, "The last week was 0.25 times its usual."),
        Made(alone([0, 0, 0, 3, 5, 6], "day"), 1.5, "The last day was 1.5 times its usual."),  # from its first day on
    ],
    "slope": [
        Made(alone([1, 3, 7, 15, 31]), 1.0, "It has been growing by 100% a week."),  # one more than that doubles
        Made(alone([31, 15, 7, 3, 1]), -0.5, "It has been shrinking by 50% a week."),
        Made(alone([*[40] * 8, *[5] * 12]), 0.0, "It neither grows nor shrinks."),  # of late; what was before twelve does not count
        Made(alone([0, 0, 0, 1, 3, 7]), 1.0, "It has been growing by 100% a week."),  # nor what was before its first day
    ],
    "acceleration": [
        Made(alone([1, 1, 1, 2, 2, 2, 6, 6, 6]), 3, "Lately a week brought 3 more than if it had gone on as before."),
        Made(alone([9, 9, 9, 8, 8, 8, 4, 4, 5]), -8 / 3, "Lately a week brought 2.7 fewer than if it had gone on as before."),
        Made(alone([2, 2, 2, 4, 4, 4, 6, 6, 6]), 0, "Lately it went on as before."),  # it grows, but no quicker
    ],
    "season": [
        Made(alone([12, 2, 2, 2, 2, 2, 6] * 2, "day"), 3, "In the periods before, the coming day brought 3 times their mean."),
        Made(alone([9, 9, 9, *[1, 5, 5, 5, 9, 5, 5] * 2], "day"), 0.2,
             "In the periods before, the coming day brought 0.20 times their mean."),
        Made(alone(([6] + [2] * 11) * 2, "month"), 18 / 7, "In the periods before, the coming month brought 2.6 times their mean."),
    ],
    "burstiness": [
        Made(alone([24] + [0] * 11), (44**0.5 - 2) / (44**0.5 + 2), "People come to it in bursts."),
        Made(alone([5] * 12), -1, "People come to it evenly."),
        Made(alone([2, 0] * 6), 0, "People come to it now and then."),
    ],
    "age": [
        Made(alone([0, 0, 2, 0, 1]), 3, "It has been known for 3 weeks."),
        Made(alone([0, 0, 2], "month"), 1, "It has been known for 1 month."),
    ],
    "recency": [
        Made(alone([5, 1, 0, 0]), 2, "Nobody has come to it for 2 weeks."),
        Made(alone([5, 1, 0]), 1, "Nobody has come to it for 1 week."),
        Made(alone([5, 1, 1]), 0, "Somebody came to it in the last week."),
    ],
    "share": [
        Made(windows_with([[90, 1, 1, 1], [1, 3, 3, 1], [5, 50, 50, 50]]), 0.3,
             "Lately, 30.0% of what its scenario got went to it.", (1, 1, 0)),
    ],
    "share_change": [
        Made(windows_with([[2, 1, 1, 4, 2, 2], [6, 3, 3, 4, 2, 2]]), 2, "Its share of its scenario is 2 times what it was."),
        Made(windows_with([[3, 3, 3, 3, 3, 3], [1, 1, 1, 9, 9, 9], [4] * 6]), 1 / 3,
             "Its share of its scenario is 0.33 times what it was.", (0, 0, 1)),  # it got no fewer, but the others got more
    ],
    "rating_change": [
        Made(rated(3, 3, 3, 3, 4, 5, 4.5), 1.5, "Lately it is rated 1.5 stars higher than before."),
        Made(rated(4, 4, 4, 3.5, 3.5, 3), -2 / 3, "Lately it is rated 0.7 stars lower than before."),
        Made(rated(4, 3, 2, 2, 3, 4), 0, "Lately it is rated as before."),
    ],
    "praise_change": [
        Made(said([[True, False], [False, False], [True], [True], [True]]), 0.75,
             "Lately 75% more of what reviewers say of it is praise."),
        Made(said([[True, True, True], [True, False], [False], [False]]), -0.75,
             "Lately 75% less of what reviewers say of it is praise."),
        Made(said([[True, False, True, False], [True, False], [True, False], []]), 0,
             "Lately no more of what reviewers say of it is praise."),
    ],
}  # fmt: skip
CASES = [pytest.param(one, made, id=f"{one.name} {place}") for one in SIGNALS for place, made in enumerate(MADE.get(one.name, []))]


def test_every_signal_has_a_series_that_was_made_to_have_it() -> None:
    assert {one.name for one in SIGNALS} == set(MADE), "make a series that has the new signal"
    assert all(MADE.values())
    assert len(SIGNALS) == len({one.name for one in SIGNALS}) == len({one.title for one in SIGNALS})


@pytest.mark.parametrize(("signal", "made"), CASES)
def test_a_signal_finds_what_was_put_into_the_series(signal: Signal, made: Made) -> None:
    assert made.signals()[signal.name][0] == pytest.approx(made.value, abs=1e-9)


@pytest.mark.parametrize(("signal", "made"), CASES)
def test_a_signal_is_told_with_its_value_and_its_unit(signal: Signal, made: Made) -> None:
    (told,) = (one for one in as_signals(made.signals(), 0, made.windows.word) if one.name == signal.name)
    assert told.sentence == made.sentence
    assert told.value == pytest.approx(made.value, abs=1e-4)
    assert told.unit == signal.unit.replace("{word}", made.windows.word)


# What cannot be known ----------------------------------------------------------------------------------------------------

LEFT_OVER = windows_of(interactions_of([("u", "old", NONE, -15 * DAY), ("u", "other", NONE, -1)], ["old", "other"]), END, "week")
"""The first item was met before the first whole window, and never since."""
SILENT = {
    "momentum": [alone([3]), alone([0, 0, 0, 3, 9]), alone([1, 0, 0, 0, 0, 0, 9])],
    "slope": [alone([1, 3]), alone([0, 0, 0, 1, 3])],
    "acceleration": [alone([1] * 8), alone([0] + [1] * 8)],
    "season": [alone([12, 2, 2, 2, 2, 2, 6, 12, 2, 2, 2, 2, 2], "day"), alone([0, 9, 9, 9, 9, 9, 9, 9, 2, 2, 2, 2, 2, 6], "day"),
               alone([9, 1, 1, 1, 1, 1, 1, 1, 1, 1, 9, 1, 1, 1], "day"), alone([1, 0, 0, 0, 0, 0, 0] * 2, "day")],
    "burstiness": [alone([3, 3]), alone([0, 0, 3, 3])],
    "recency": [LEFT_OVER],
    "share": [windows_with([[2, 0, 0, 0], [1, 1, 1, 1]])],
    "share_change": [alone([1] * 5), alone([0, 1, 1, 2, 2, 2]), alone([1, 1, 1, 2, 2, 2])],
    "rating_change": [rated(3, 3, 4, 4, 4), rated(3, 3, 3, 4, 4, NONE)],
    "praise_change": [said([[True, False], [True], [True], [True]]), said([[True] * 3, [True], [True], []])],
}  # fmt: skip
"""Too young, too short, too few, or in disagreement. What is left out can always be said of an item that was met."""


UNSAID = [pytest.param(name, one, id=f"{name} {place}") for name, many in SILENT.items() for place, one in enumerate(many)]


@pytest.mark.parametrize(("name", "windows"), UNSAID)
def test_what_cannot_be_known_is_not_told(name: str, windows: Windows) -> None:
    groups = np.arange(len(windows.counts), dtype=np.int32)  # a scenario each
    found = signals_of(windows, groups)
    assert np.isnan(found[name][0])
    assert name not in {one.name for one in as_signals(found, 0, windows.word)}
    assert {"last", "level", "age"} <= {one.name for one in as_signals(found, 0, windows.word)}


def test_nothing_is_told_of_an_item_that_was_never_met() -> None:
    found = signals_of(windows_with([[0] * 30, ANCHOR], "day"), np.zeros(2, np.int32))
    assert all(np.isnan(values[0]) for values in found.values())
    assert as_signals(found, 0, "day") == ()
    assert as_signals(found, 1, "day")


def test_each_is_told_once_in_the_order_of_the_list() -> None:
    told = as_signals(signals_of(windows_with(turns(items=8)), np.zeros(8, np.int32)), 0, "week")
    names = [one.name for one in SIGNALS]
    assert [one.name for one in told] == [name for name in names if name not in ("season", "rating_change", "praise_change")]


# For any series ----------------------------------------------------------------------------------------------------------


@patient
@given(st.integers(1, 30), st.integers(0, 100), st.randoms())
def test_an_item_goes_by_itself_and_its_scenario_wherever_it_stands(weeks: int, seed: int, random: object) -> None:
    windows, groups = poisson(6, weeks, seed), np.array([0, 1, 0, 1, 1, 0], np.int32)
    order = list(range(6))
    random.shuffle(order)  # type: ignore[attr-defined]
    turned = Windows(windows.word, windows.end, *(getattr(windows, name)[order] for name in TABLES))
    one, other = signals_of(windows, groups), signals_of(turned, groups[order])
    for name, values in one.items():
        assert_same_answers(values[order], other[name])


TABLES = ("counts", "stars", "rated", "first", "spoken", "praised")


@patient
@given(
    st.sampled_from(SIGNALS),
    st.floats(-50, 50) | st.sampled_from([0.0, 1.0, -0.0, 0.999, 1e-9]),
    st.sampled_from(["day", "week", "month"]),
)
def test_any_value_is_said_as_a_sentence(signal: Signal, value: float, word: str) -> None:
    (told,) = as_signals({one.name: np.array([value if one is signal else NONE]) for one in SIGNALS}, 0, word)
    assert told.sentence[0].isupper()
    assert told.sentence.endswith(".")
    assert not set("{}") & set(told.sentence + told.unit)
    assert "nan" not in told.sentence
    if signal.name in ("slope", "acceleration", "rating_change", "praise_change"):
        assert "-" not in told.sentence, "a direction has a word of its own"


@pytest.mark.parametrize(("value", "said"), [(12.4, "12"), (3.0, "3"), (3.44, "3.4"), (0.254, "0.25"), (0.0, "0"), (-2.5, "-2.5")])
def test_numbers_have_as_few_digits_as_tell_them(value: float, said: str) -> None:
    assert number(value) == said


@pytest.mark.parametrize(("counts", "near"), [([4, 4, 4, 6], True), ([4, 4, 4, 8], False), ([4, 4, 4, 1], False), ([0, 0, 0, 1], True),
                                              ([0, 0, 0, 2], False), ([64, 64, 64, 72], True), ([64, 64, 64, 80], False)])  # fmt: skip
def test_a_change_that_chance_alone_may_bring_is_known_as_such(counts: list[int], near: bool) -> None:
    assert bool(by_chance(alone(counts))[0]) is near
