"""Two answers side by side: the sets are those of the two lists, the shares add up, and the edit named is the one that did it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from persona_core.engine import Ranked
from persona_core.explain import changes, edits_between
from persona_core.explain.differences import undone
from persona_core.profiles.edits import flipped, knowing, saying, weighing, with_dislike, with_like, without
from persona_core.schema import Profile
from tests.explain.worlds import MARKET, NEEDS, PROFILES, SmallEngine, liked

pytestmark = pytest.mark.xdist_group("explain")
PHRASES = [NEEDS[need].phrase for need in ("light_to_carry", "easy_upkeep", "language", "looks_style")] + ["war novels"]


@st.composite
def edited(draw: st.DrawFn) -> tuple[Profile, Profile]:
    """A profile, and what one to four edits make of it."""
    before = after = draw(st.sampled_from(PROFILES))
    for _ in range(draw(st.integers(1, 4))):
        own = [one.text for one in (*after.likes, *after.dislikes)]
        kind = draw(st.sampled_from(["like", "dislike", "text", "past"] + (["without", "flip", "weigh"] if own else [])))
        if kind in ("like", "dislike"):
            text = draw(st.sampled_from(PHRASES))
            after = (with_like if kind == "like" else with_dislike)(after, text)
        elif kind == "text":
            after = saying(after, draw(st.sampled_from(["", "They want facts.", "I love the rain. I hate heavy pans."])))
        elif kind == "past":
            after = knowing(after, draw(st.lists(st.sampled_from(sorted(MARKET)), max_size=4, unique=True)))
        else:
            text = draw(st.sampled_from(own))
            made = {"without": without, "flip": flipped}.get(kind)
            after = made(after, text) if made else weighing(after, text, draw(st.sampled_from([0.2, 1.0, 3.0])))
    return before, after


def title(engine: SmallEngine, item: str) -> str:
    return engine.item(item).title


patient = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@patient
@given(edited(), st.integers(1, 9))
def test_changes_are_exact(engine: SmallEngine, pair: tuple[Profile, Profile], k: int) -> None:
    before, after = (engine.rank(profile) for profile in pair)
    found = changes(engine, before, after, k)
    old, new = ([engine.items[int(code)].id for code in one.order[:k]] for one in (before, after))
    assert {one.item_id for one in found.entered} == set(new) - set(old)
    assert {one.item_id for one in found.left} == set(old) - set(new)
    assert {one.item_id for one in found.moved} == {item for item in set(old) & set(new) if old.index(item) != new.index(item)}
    assert found.unchanged + len(found.moved) == len(set(old) & set(new))
    for move in (*found.entered, *found.left, *found.moved):
        code = engine.code[move.item_id]
        assert (move.before, move.after) == (before.rank(code), after.rank(code))
        assert sum(value for _, value in move.parts) == pytest.approx(after.scores.totals[code] - before.scores.totals[code], abs=1e-9)
        if move.persona_id:
            direction = engine.direction_of(move.persona_id)
            gained = float((after.taste.wants - before.taste.wants) @ direction)
            assert sum(shift.difference for shift in move.shifts) == pytest.approx(gained, abs=1e-5)
        assert move.text.startswith(title(engine, move.item_id))
        assert move.cause is None or move.cause in found.edits


@patient
@given(edited())
def test_each_edit_can_be_taken_back_alone_and_all_together(engine: SmallEngine, pair: tuple[Profile, Profile]) -> None:
    before, after = (bare(engine, profile) for profile in pair)
    left = after
    for edit in edits_between(before, after, str):
        profile, options = undone(before, left, edit)
        assert edit not in edits_between(before, replace(left, profile=profile, options=options), str)
        left = replace(left, profile=profile, options=options)
    assert not edits_between(before, left, str)


def bare(engine: SmallEngine, profile: Profile) -> Ranked:
    """An answer of which only the question is looked at."""
    ranked = engine.rank(liked())
    return replace(ranked, profile=profile, order=np.empty(0, np.int64))


def test_nothing_changed_is_said_as_nothing(engine: SmallEngine) -> None:
    ranked = engine.rank(PROFILES[1])
    found = changes(engine, ranked, engine.rank(PROFILES[1]), 5)
    assert (found.edits, found.entered, found.left, found.moved) == ((), (), (), ())
    assert found.text == "Of the first 5: 5 unchanged."


def test_the_one_edit_that_was_made_is_named_with_what_it_does(engine: SmallEngine) -> None:
    before = liked("language", "looks_style")
    after = with_like(before, "wants it easy to clean", 3.0)
    found = changes(engine, engine.rank(before), engine.rank(after), 3)
    pan = next(one for one in (*found.entered, *found.moved) if one.item_id == "pan")
    own = next(one for one in pan.shifts if one.label == "wants it easy to clean")
    assert own.before == 0
    assert f"because you added the like “wants it easy to clean”; that adds {own.after:.3f} to its match" in pan.text


def test_of_several_edits_the_one_that_did_it_is_named(engine: SmallEngine) -> None:
    before = liked("language", "looks_style")
    after = with_like(with_like(before, "wants it easy to clean", 3.0), "is new to this", 0.1)
    found = changes(engine, engine.rank(before), engine.rank(after), 3)
    pan = next(one for one in (*found.entered, *found.moved) if one.item_id == "pan")
    assert pan.cause is not None
    assert pan.cause.labels == {"wants it easy to clean"}
    assert len(found.edits) == 2


def test_other_settings_are_an_edit_too(engine: SmallEngine) -> None:
    profile = liked("easy_upkeep")
    before = engine.rank(profile)
    after = engine.rank(profile, replace(engine.options, scenarios=frozenset({"books"})))
    found = changes(engine, before, after, 2)
    assert [one.words for one in found.edits] == ["the settings changed"]
    assert all(one.after is None or one.item_id in ("novel", "manual") for one in (*found.entered, *found.left))
    assert any("no longer in the list" in one.text for one in found.left)


def test_a_past_item_is_named_by_its_title(engine: SmallEngine) -> None:
    before, after = liked("easy_upkeep"), liked("easy_upkeep", history=("tent",))
    found = changes(engine, engine.rank(before), engine.rank(after), 5)
    assert [one.words for one in found.edits] == ["“The Tent” was added to your past"]
