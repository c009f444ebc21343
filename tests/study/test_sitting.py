"""A participant's place is read off their events: nothing twice, nobody ahead of themselves, and nobody else's data in reach."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from persona_core.study.assignment import assigned
from persona_core.study.design import FACTORS, Step
from persona_core.study.questionnaires import questionnaires
from persona_core.study.sitting import AnswerRefused, Hall, HasLeft, NotYourTurn, Sitting, faults_of
from persona_core.study.store import StudyStore
from tests.study.made import study


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    store = StudyStore(f"sqlite:///{tmp_path}/study.sqlite")
    yield Hall(study(), store)
    store.close()


def answers_to(step: Step, right: bool = True) -> dict[str, Any]:
    if step.kind == "consent":
        return {"agreed": True, "version": "1"}
    if step.kind == "profile":
        return {"phrases": ["travels light"]}
    if step.kind == "task":
        return {"chosen": "bk-1", "ratings": {"bk-1": {"before": 3, "after": 4, "read": 4}}}
    if step.kind == "check":
        return {"answer": 2 if right else 1}
    if step.kind == "questionnaire":
        return {item.id: 1 for item in questionnaires()[step.of].items if item.kind == "scale"}
    return {}


def walked(hall: Hall, sitting: Sitting, right: bool = True) -> Sitting:
    while sitting.step is not None:
        sitting = hall.finish(sitting, sitting.step.id, answers_to(sitting.step, right))
    return sitting


def test_a_whole_path_ends_with_a_code_and_not_before(hall: Hall) -> None:
    sitting, token = hall.admit()
    assert sitting.code == ""
    done = walked(hall, sitting)
    assert done.share == 1.0
    assert len(done.code) == 8
    assert hall.enter(token) == done
    other, _ = hall.admit()
    assert walked(hall, other).code != done.code


def test_after_a_reload_they_are_where_they_were(hall: Hall) -> None:
    sitting, token = hall.admit()
    for _ in range(3):
        assert sitting.step is not None
        sitting = hall.finish(sitting, sitting.step.id, answers_to(sitting.step))
        assert hall.enter(token) == sitting
    assert sitting.step is not None
    assert sitting.step.kind == "check"


def test_a_double_click_and_a_second_tab_change_nothing(hall: Hall) -> None:
    first, token = hall.admit()
    second = hall.enter(token)
    assert second is not None
    after = hall.finish(first, "consent", answers_to(first.study.path[0]))
    assert hall.finish(second, "consent", {"agreed": False}) == after
    assert hall.finish(first, "consent", answers_to(first.study.path[0])) == after


def test_nobody_gets_ahead_of_where_they_are(hall: Hall) -> None:
    sitting, _ = hall.admit()
    for step in sitting.study.path[1:]:
        with pytest.raises(NotYourTurn):
            hall.finish(sitting, step.id, answers_to(step))
    with pytest.raises(NotYourTurn):
        hall.finish(sitting, "no such page", {})
    assert hall.enter("guess") is None


def test_conditions_follow_the_order_in_which_they_came(hall: Hall) -> None:
    for number in range(8):
        sitting, _ = hall.admit()
        assert sitting.conditions == assigned(hall.study, number)
        assert set(sitting.condition) == set(FACTORS)


def test_within_subjects_the_condition_changes_with_the_period(tmp_path: Path) -> None:
    hall = Hall(study(within=True), StudyStore(f"sqlite:///{tmp_path}/within.sqlite"))
    sitting, _ = hall.admit()
    met = []
    while sitting.step is not None:
        if sitting.step.kind == "task":
            met.append({name: sitting.condition[name] for name in hall.study.factors})
        sitting = hall.finish(sitting, sitting.step.id, answers_to(sitting.step))
    assert met == [dict(one) for one in sitting.conditions]
    assert len({tuple(one.items()) for one in met}) == 4


def test_what_is_shown_is_noted_under_its_page_and_condition(hall: Hall) -> None:
    sitting, _ = hall.admit()
    hall.note(sitting, "shown", {"items": ["a"]}, "first")
    hall.note(sitting, "shown", {"items": ["a"]}, "first")
    noted = [event for event in hall.store.events(sitting.participant) if event.kind == "shown"]
    assert [event.payload for event in noted] == [{"step": "consent", "period": 0, "condition": sitting.condition, "items": ["a"]}]
    with pytest.raises(NotYourTurn):
        hall.note(sitting, "done", {"step": "debrief", "answers": {}}, "trick")
    with pytest.raises(NotYourTurn):
        hall.note(walked(hall, sitting), "shown", {}, "late")


def test_who_does_not_read_is_found_out(hall: Hall) -> None:
    sitting, _ = hall.admit()
    assert walked(hall, sitting).failed_checks == ()
    careless, _ = hall.admit()
    assert walked(hall, careless, right=False).failed_checks == ("0.choose.reads",)


def test_who_left_comes_in_no_more(hall: Hall) -> None:
    sitting, token = hall.admit()
    hall.leave(sitting)
    with pytest.raises(HasLeft):
        hall.enter(token)
    with pytest.raises(ValueError, match="left"):
        hall.finish(sitting, "consent", answers_to(sitting.study.path[0]))


def test_a_changed_design_is_not_mixed_with_the_one_they_began(hall: Hall) -> None:
    _, token = hall.admit()
    with pytest.raises(NotYourTurn, match="has been changed"):
        Hall(study(debrief="Other words."), hall.store).enter(token)
    assert Hall(study(id="another"), hall.store).enter(token) is None


HUGE = ["x"] * 41


@pytest.mark.parametrize(
    ("kind", "answers"),
    [
        ("consent", {"agreed": False, "version": "1"}), ("consent", {"agreed": True, "version": "0"}), ("consent", {}),
        ("profile", {}), ("profile", {"phrases": []}), ("profile", {"phrases": HUGE}), ("profile", {"phrases": ["x" * 201]}),
        ("profile", {"phrases": "text"}), ("profile", {"phrases": [7]}), ("profile", {"phrases": ["x"], "more": ["y"]}),
        ("task", {"chosen": "a"}), ("task", {"chosen": 7, "ratings": {"a": {"before": 1}}}),
        ("task", {"chosen": "a", "ratings": {"a": {"before": 6}}}), ("task", {"chosen": "a", "ratings": {"a": {"then": 1}}}),
        ("task", {"chosen": "a", "ratings": {"a": {"before": True}}}), ("task", {"chosen": "a", "ratings": [1], "x": 1}),
        ("check", {"answer": 3}), ("check", {"answer": "2"}), ("check", {"answer": 2, "x": 1}),
        ("questionnaire", {"control_1": 9}), ("debrief", {"x": 1}),
    ],
)  # fmt: skip
def test_answers_that_cannot_be_kept_are_refused(kind: str, answers: dict[str, Any]) -> None:
    one = study()
    step = next(step for step in one.path if step.kind == kind)
    assert faults_of(one, step, answers)


def test_a_refused_answer_leaves_everything_as_it_was(hall: Hall) -> None:
    sitting, token = hall.admit()
    with pytest.raises(AnswerRefused) as caught:
        hall.finish(sitting, "consent", {})
    assert "consent" in caught.value.why
    assert hall.enter(token) == sitting


def test_what_was_said_on_an_unfinished_page_is_there_again(hall: Hall) -> None:
    sitting, token = hall.admit()
    sitting = hall.finish(sitting, "consent", answers_to(sitting.study.path[0]))
    for value in (["a"], ["a", "b"]):
        hall.draft(sitting, "phrases", value)
    again = hall.enter(token)
    assert again is not None
    assert again.drafts == {"profile": {"phrases": ["a", "b"]}}
    assert [event.kind for event in hall.events(again)].count("answered") == 2, "a change of mind is an event of its own"
    with pytest.raises(AnswerRefused):
        hall.draft(sitting, "phrases", "x" * 30_000)


def test_a_condition_can_be_looked_at(hall: Hall) -> None:
    sitting, _ = Hall(hall.study, hall.store, {"explanation": "parts"}).admit()
    assert sitting.condition["explanation"] == "parts"


def test_questions_stand_in_an_order_of_everybodys_own_and_always_the_same(hall: Hall) -> None:
    control, about = questionnaires()["explanation_goals"], questionnaires()["demographics"]
    orders = set()
    for _ in range(6):
        sitting, _ = hall.admit()
        order = sitting.order_of(control)
        assert order == sitting.order_of(control)
        assert sorted(one.id for one in order) == sorted(one.id for one in control.items)
        orders.add(tuple(one.id for one in order))
        assert sitting.order_of(about) == list(about.items)
    assert len(orders) > 3
