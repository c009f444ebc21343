"""A task from its events: the list of its condition, edits, ratings in their order, a choice; whatever is sent twice or too early."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from persona_core.engine import Engine
from persona_core.profiles.edits import EditRefused
from persona_core.study import doing
from persona_core.study.design import FACTORS, Study, StudyRefused, settled
from persona_core.study.doing import CHOOSING, EDITING, NOTHING, RATING, Doing
from persona_core.study.showing import check_that_it_can_be_shown, showing
from persona_core.study.sitting import Hall, NotYourTurn, Sitting
from persona_core.study.store import StudyStore
from tests.study.made import DRAFT, study
from tests.study.test_sitting import answers_to

TASK = DRAFT["tasks"][0]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StudyStore]:
    one = StudyStore(f"sqlite:///{tmp_path}/study.sqlite")
    yield one
    one.close()


def at_task(store: StudyStore, condition: Mapping[str, str] | None = None, made: Study | None = None) -> tuple[Hall, Sitting]:
    hall = Hall(made or study(), store, condition or {"explanation": "persona"})
    sitting, _ = hall.admit()
    for step in ("consent", "profile"):
        sitting = hall.finish(sitting, step, answers_to(next(one for one in hall.study.path if one.id == step)))
    return hall, sitting


def rated_all(hall: Hall, sitting: Sitting, engine: Engine) -> list[Doing]:
    pages = []
    while (now := doing.doing(engine, hall, sitting)).stage == RATING:
        pages.append(now)
        doing.rate(hall, sitting, engine, now.place, dict.fromkeys(now.asks, 3))
    return pages


def kinds(hall: Hall, sitting: Sitting) -> list[str]:
    return [one.kind for one in hall.events(sitting)]


def test_first_everything_at_first_sight_then_with_reasons_then_each_after_reading(engine: Engine, store: StudyStore) -> None:
    hall, sitting = at_task(store)
    pages = rated_all(hall, sitting, engine)
    items = pages[0].shown.items
    assert [(one.at, one.asks) for one in pages] == [("before", items), ("after", items), *(("read", (one,)) for one in items)]
    assert len({one.place for one in pages}) == len(pages)
    after = doing.choose(hall, sitting, engine, items[0])
    assert after.done["0.choose"] == {
        "chosen": items[0],
        "ratings": {one: dict.fromkeys(("before", "after", "read"), 3) for one in items},
    }


def test_where_nothing_is_told_nobody_is_asked_what_telling_did(engine: Engine, store: StudyStore) -> None:
    hall, sitting = at_task(store, {"explanation": "none"})
    assert {one.at for one in rated_all(hall, sitting, engine)} == {"before", "read"}


def test_a_page_sent_twice_counts_once_and_one_of_before_not_at_all(engine: Engine, store: StudyStore) -> None:
    hall, sitting = at_task(store)
    first = doing.doing(engine, hall, sitting)
    doing.rate(hall, sitting, engine, first.place, dict.fromkeys(first.asks, 2))
    many = len(hall.events(sitting))
    doing.rate(hall, sitting, engine, first.place, dict.fromkeys(first.asks, 5))
    assert len(hall.events(sitting)) == many
    assert doing.doing(engine, hall, sitting).rated[first.asks[0]] == {"before": 2}


@pytest.mark.parametrize("values", [{}, {"strange": 3}, 0, 6, True])
def test_ratings_are_of_what_is_asked_and_from_1_to_5(engine: Engine, store: StudyStore, values: Any) -> None:
    hall, sitting = at_task(store)
    now = doing.doing(engine, hall, sitting)
    with pytest.raises(NotYourTurn):
        doing.rate(hall, sitting, engine, now.place, values if isinstance(values, dict) else dict.fromkeys(now.asks, values))
    assert "rated" not in kinds(hall, sitting)


def test_nobody_chooses_before_they_have_rated_or_what_is_not_there(engine: Engine, store: StudyStore) -> None:
    hall, sitting = at_task(store)
    with pytest.raises(NotYourTurn):
        doing.choose(hall, sitting, engine, doing.doing(engine, hall, sitting).shown.items[0])
    rated_all(hall, sitting, engine)
    with pytest.raises(NotYourTurn):
        doing.choose(hall, sitting, engine, "something else")
    assert doing.choose(hall, sitting, engine, NOTHING).done["0.choose"]["chosen"] == NOTHING


def test_an_editable_profile_is_edited_until_the_list_is_right_and_stays_so(engine: Engine, store: StudyStore) -> None:
    hall, sitting = at_task(store, {"profile": "editable"})
    assert doing.doing(engine, hall, sitting).stage == EDITING
    doing.edit(hall, sitting, engine, "like", "wants kind 1")
    doing.edit(hall, sitting, engine, "drop", "travels light")
    with pytest.raises(EditRefused):
        doing.edit(hall, sitting, engine, "drop", "travels light")
    now = doing.doing(engine, hall, sitting)
    assert ([one.text for one in now.profile.likes], now.edits) == (["wants kind 1"], 2)
    doing.settle(hall, sitting, engine)
    held = doing.doing(engine, hall, sitting)
    assert (held.stage, held.shown.items) == (RATING, now.shown.items)
    doing.settle(hall, sitting, engine)
    with pytest.raises(NotYourTurn):
        doing.edit(hall, sitting, engine, "like", "too late")
    assert kinds(hall, sitting).count("settled") == 1


def test_a_fixed_profile_cannot_be_edited(engine: Engine, store: StudyStore) -> None:
    hall, sitting = at_task(store)
    with pytest.raises(NotYourTurn):
        doing.edit(hall, sitting, engine, "like", "anything")


def test_what_is_shown_is_kept_with_what_it_was_made_from(engine: Engine, store: StudyStore) -> None:
    hall, sitting = at_task(store, {"explanation": "persona_quotes", "counter": "shown"})
    now = doing.doing(engine, hall, sitting)
    for _ in range(2):
        doing.note_shown(hall, sitting, engine, now)
    noted = [one.payload for one in hall.events(sitting) if one.kind == "shown"]
    assert len(noted) == 1
    assert noted[0]["things"] == [{"item": one, "rank": rank} for rank, one in enumerate(now.shown.items, 1)], (
        "at first sight, no reasons"
    )
    assert noted[0]["versions"]["personas"]
    doing.rate(hall, sitting, engine, now.place, dict.fromkeys(now.asks, 3))
    after = doing.doing(engine, hall, sitting)
    doing.note_shown(hall, sitting, engine, after)
    told = [one.payload for one in hall.events(sitting) if one.kind == "shown"][-1]["things"]
    assert [one["item"] for one in told] == list(now.shown.items)
    assert [one["rank"] for one in told] == [1, 2, 3]
    assert all(one["because"] for one in told)


def test_a_task_without_ratings_goes_straight_to_the_choice(engine: Engine, store: StudyStore) -> None:
    hall, sitting = at_task(store, made=study(tasks=[{**TASK, "rate": False}]))
    assert doing.doing(engine, hall, sitting).stage == CHOOSING
    shown = doing.doing(engine, hall, sitting).shown
    assert doing.choose(hall, sitting, engine, shown.items[1]).done["0.choose"] == {"chosen": shown.items[1]}


def test_there_is_no_task_on_another_page(engine: Engine, store: StudyStore) -> None:
    hall = Hall(study(), store)
    sitting, _ = hall.admit()
    with pytest.raises(NotYourTurn):
        doing.doing(engine, hall, sitting)


# What each condition shows -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", FACTORS["explanation"])
def test_a_condition_tells_what_it_names_and_nothing_else(engine: Engine, store: StudyStore, style: str) -> None:
    task = study().tasks[0]
    profile = engine.newcomer("x", ("wants kind 1",))
    for told in showing(engine, profile, settled({"explanation": style}), task).things:
        assert bool(told.parts) == (style == "parts")
        assert bool(told.because) == style.startswith("persona")
        assert style == "persona_quotes" or not any(one.quotes for one in told.because)
        assert told.counter is None
        assert told.explains == (style != "none")
        reviews = {one.id: one for one in engine.reviews_of(told.item.id)}
        assert all(quote.stands_in(reviews[quote.review_id]) for one in told.because for quote in one.quotes)


def test_the_rankings_differ_and_their_parts_add_up(engine: Engine) -> None:
    task = study(tasks=[{**TASK, "items": 10}]).tasks[0]
    profile = engine.newcomer("x", ("wants kind 1",), [engine.items[0].id, engine.items[3].id])
    lists = {}
    for ranking in FACTORS["ranking"]:
        shown = showing(engine, profile, settled({"ranking": ranking, "explanation": "parts"}), task)
        lists[ranking] = shown.items
        for told in shown.things:
            assert told.score == pytest.approx(sum(one.value for one in told.parts))
        if ranking == "popularity":
            assert all(not one.value for told in shown.things for one in told.parts if one.name != "popularity")
    assert len(set(lists.values())) > 1


def test_a_study_that_this_workspace_cannot_show_is_refused_with_what_lacks(engine: Engine) -> None:
    check_that_it_can_be_shown(study(factors={"explanation": ["none"]}), engine)
    wrong = study(factors={"trend": ["shown"]}, tasks=[{**TASK, "scenarios": ["nowhere"]}])
    with pytest.raises(StudyRefused, match="nowhere"):
        check_that_it_can_be_shown(wrong, engine)
