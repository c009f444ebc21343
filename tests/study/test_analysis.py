"""From made-up people through the very path of people to the figures: an effect that is there is found, one that is not is not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from persona_core.engine import Engine
from persona_core.study.analysis import Analysis, analysed
from persona_core.study.design import Study
from persona_core.study.sitting import ARRIVED, DONE, Hall
from persona_core.study.store import Event, Participant, StudyStore
from persona_core.study.synthetic import Crowd, Effect, simulate
from persona_core.study.tables import Tables, tables_from, tables_of
from tests.study.made import DRAFT, study

PLANNED = [
    {"outcome": "control", "factor": "explanation", "level": "persona", "against": "none", "direction": "more"},
    {"outcome": "misjudged", "factor": "explanation", "level": "persona", "against": "none", "direction": "less"},
]
FACTORS = {"explanation": ["none", "persona"]}
REAL = (Effect("control", "explanation", "persona", 1.6), Effect("misjudged", "explanation", "persona", -0.8))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StudyStore]:
    one = StudyStore(f"sqlite:///{tmp_path}/study.sqlite")
    yield one
    one.close()


def asked(**changes: Any) -> Study:
    return study(**{"factors": FACTORS, "hypotheses": PLANNED} | changes)


def gone_through(made: Study, engine: Engine, store: StudyStore, many: int, crowd: Crowd, seed: int = 0) -> tuple[Analysis, Tables]:
    simulate(Hall(made, store), engine, many, crowd, seed)
    tables = tables_of(made, store, rehearsals=True)
    return analysed(made, tables), tables


def test_a_known_effect_is_found_and_what_was_planned_stands_apart(engine: Engine, store: StudyStore) -> None:
    found, tables = gone_through(asked(), engine, store, 40, Crowd(REAL))
    assert [one.contrast.outcome for one in found.planned] == ["control", "misjudged"]
    assert all(one.holds for one in found.planned)
    assert found.planned[0].contrast.effect == pytest.approx(1.6, abs=0.9)
    assert {one.contrast.outcome for one in found.exploratory}.isdisjoint({"control", "misjudged"})
    assert found.people == {"came": 40, "finished": 40, "left": 0, "failed_a_check": 0, "analysed": 40}
    assert [one.construct for one in found.reliabilities] == ["control"]
    assert found.reliabilities[0].alpha is not None
    assert found.reliabilities[0].alpha > 0.5
    assert len(tables.ratings) == 40 * 3
    assert set(tables.units["factor_explanation"]) == {"none", "persona"}


def test_within_subjects_too(engine: Engine, store: StudyStore) -> None:
    found, tables = gone_through(asked(within=True), engine, store, 24, Crowd(REAL))
    assert len(tables.units) == 48
    assert found.planned[0].holds
    assert found.planned[0].contrast.people == 24


def test_where_nothing_is_nothing_holds_but_by_chance(engine: Engine, store: StudyStore) -> None:
    found, _ = gone_through(asked(), engine, store, 30, Crowd(), seed=1)
    assert not any(one.holds for one in found.planned)
    assert all(one.p_corrected >= one.contrast.p for one in found.findings)


def test_the_careless_and_those_who_stop_are_counted_and_left_out(engine: Engine, store: StudyStore) -> None:
    found, tables = gone_through(asked(), engine, store, 24, Crowd(careless=0.4, drops=0.4), seed=3)
    assert found.people["failed_a_check"] > 0
    assert found.people["analysed"] < found.people["finished"] < 24
    kept = tables.participants.loc[tables.participants["kept"], "participant"]
    assert len(kept) == found.people["analysed"]
    assert sum(one["came"] for one in found.by_condition) == 24
    reached = list(found.reached.values())
    assert reached == sorted(reached, reverse=True), "nobody finishes a page without those before it"
    everybody, _ = tables.units, asked(leave_out_failed=False)
    assert len(everybody)


def test_simulated_people_are_never_counted_among_people(engine: Engine, store: StudyStore) -> None:
    simulate(Hall(asked(), store), engine, 2, Crowd())
    assert len(tables_of(asked(), store).participants) == 0
    assert len(tables_of(asked(), store, rehearsals=True).participants) == 2


def test_nobody_yet_is_an_analysis_without_figures(store: StudyStore) -> None:
    found = analysed(asked(), tables_of(asked(), store))
    assert found.people["came"] == 0
    assert (found.levels, found.findings, found.reliabilities) == ((), (), ())
    assert len(found.unanswered) == 2
    assert found.as_dict()


# The tables --------------------------------------------------------------------------------------------------------------


def by_hand(made: Study, answers: dict[str, Any], number: int = 0) -> Tables:
    who = Participant(f"p{number}", made.id, made.content, number, datetime(2026, 1, 1, tzinfo=UTC))
    events = [Event(0, ARRIVED, ARRIVED, who.created, 0, {})]
    for at, (step, given) in enumerate(answers.items(), 1):
        events.append(Event(at, f"done {step}", DONE, who.created, at * 60_000_000_000, {"step": step, "answers": given}))
    return tables_from(made, [(who, events)])


def test_what_is_measured_is_what_the_ratings_say() -> None:
    ratings = {"a": {"before": 1, "after": 4, "read": 5}, "b": {"before": 3, "read": 3}}
    made = asked(tasks=[{**DRAFT["tasks"][0], "after": []}], checks=[], hypotheses=[], **{"finally": []})
    unit = by_hand(made, {"consent": {}, "profile": {}, "0.choose": {"chosen": "nothing", "ratings": ratings}}).units.iloc[0]
    assert unit["misjudged"] == pytest.approx((1 + 0) / 2)
    assert unit["misjudged_before"] == pytest.approx((4 + 0) / 2)
    assert unit["persuaded"] == pytest.approx((3 + 0) / 2)
    assert unit["chose"] == 0.0
    assert unit["edits"] == 0.0


def test_reversed_items_are_turned_and_free_text_stands_apart() -> None:
    made = asked()
    given = {"control_1": 5, "control_2": 5, "control_3": 1}
    about = {"age": 2, "remarks": "My name is Bond"}
    path = {"consent": {}, "profile": {}, "0.choose": {"chosen": "a", "ratings": {"a": {"before": 1, "after": 1, "read": 1}}},
            "0.choose.reads": {"answer": 2}, "0.choose.control": given, "finally.demographics": about, "debrief": {}}  # fmt: skip
    tables = by_hand(made, path)
    assert tables.units.iloc[0]["control"] == 5.0
    assert list(tables.answers.query("item == 'control_3'")["score"]) == [5]
    assert list(tables.free_text["free_text"]) == ["My name is Bond"]
    for name, table in tables.named().items():
        if name not in ("free_text", "events"):
            assert "Bond" not in table.to_csv(), name
    assert "age" not in tables.units, "about somebody is no outcome"
    assert tables.participants.iloc[0]["finished"]


def test_a_long_pause_is_no_time_on_the_task_and_a_clock_may_begin_anew() -> None:
    made = asked()
    who = Participant("p", made.id, made.content, 0, datetime(2026, 1, 1, tzinfo=UTC))
    seconds = [0, 30, 30 + 3600, 30 + 3630, 10, 40]
    events = [Event(at, str(at), "shown", who.created, second * 10**9, {"step": "consent"}) for at, second in enumerate(seconds)]
    assert tables_from(made, [(who, events)]).participants.iloc[0]["minutes"] == pytest.approx(1.5)


def test_the_same_tables_give_the_same_figures(engine: Engine, store: StudyStore) -> None:
    _, tables = gone_through(asked(), engine, store, 12, Crowd(REAL))
    again = Tables(**{name: pd.DataFrame(one) for name, one in tables.named().items()})
    assert analysed(asked(), tables).as_dict() == analysed(asked(), again).as_dict()
    assert np.isfinite([one.contrast.p for one in analysed(asked(), tables).findings]).all()


def test_what_was_shown_says_how_long_it_stood_there() -> None:
    made = asked()
    who = Participant("p", made.id, made.content, 0, datetime(2026, 1, 1, tzinfo=UTC))
    shown = {"step": "0.choose", "period": 0, "stage": "rating", "at": "before", "things": [{"item": "a", "rank": 1}]}
    extra = {"question": "q", "value": 1, "answers": {"chosen": "a"}}
    kinds = [("shown", 0), ("answered", 2), ("shown", 5), ("done", 9)]
    events = [Event(at, str(at), kind, who.created, second * 10**9, shown | extra)
              for at, (kind, second) in enumerate(kinds)]  # fmt: skip
    assert list(tables_from(made, [(who, events)]).shown["seconds"]) == [5.0, 4.0]
