"""The engine answers any profile at once and the same each time, filters as asked, and an edit changes what it should."""

from __future__ import annotations

import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest

from persona_core.alignment.taste import Role
from persona_core.catalog.store import Catalog
from persona_core.engine import CLOSE, Engine, Options
from persona_core.profiles.files import ProfileBook
from persona_core.ranking import EASE, Interactions, RecentPopularity
from persona_core.ranking.parts import CAUTION, PARTS, TASTE, Weights
from persona_core.schema import Item, Phrase, PriceBand, Profile, Recommendation, Stance
from persona_core.workspace import Workspace
from tests.support.engines import EVERYTHING, USER, items_of, liking, opened, part
from tests.support.shops import (
    ITEMS,
    KINDS,
    SCENARIOS,
    WITHOUT_PERSONAS,
    FakeBook,
    kind_of,
)
from tests.support.tastes import persona_of, random_units, some_head

# An answer -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [0, 1, 5, 1_000])
def test_the_first_k_unseen_items_come_each_once_with_their_ranks(engine: Engine, k: int) -> None:
    for user in engine.profiles.users():
        profile = engine.profile(user)
        found = engine.recommend(profile, k=k)
        assert len(found) == min(k, ITEMS - len(profile.history))
        assert [one.rank for one in found] == list(range(1, len(found) + 1))
        assert len(set(items_of(found))) == len(found)
        assert not set(items_of(found)) & set(profile.history)


def test_scores_fall_and_are_the_sums_of_their_parts(engine: Engine) -> None:
    for user in engine.profiles.users():
        ranked = engine.rank(engine.profile(user))
        found = engine.recommend(engine.profile(user), k=ITEMS)
        assert all(one.score >= other.score for one, other in pairwise(found))
        for one in found:
            assert [value.name for value in one.parts] == list(PARTS)
            assert one.score == float(ranked.scores.totals[engine.code[one.item_id]])


def test_a_match_is_a_persona_of_the_item_and_the_closest_of_its_side(engine: Engine) -> None:
    profile = liking(KINDS[0], "zips that break")
    ranked = engine.rank(profile, EVERYTHING)
    warned = 0
    for one in engine.recommend(profile, k=ITEMS, options=EVERYTHING):
        own = {persona.id: persona for persona in engine.personas_of(one.item_id)}
        cosines = {persona.id: float(cosine) for persona, cosine in zip(engine.personas, ranked.suits, strict=True)}
        if one.match:
            right = [name for name, persona in own.items() if persona.stance is not Stance.DISAPPOINTS]
            assert one.match.cosine == pytest.approx(max(cosines[name] for name in right), abs=1e-6)
            assert one.match.persona_id in right
        if one.warning:
            warned += 1
            assert own[one.warning.persona_id].stance is Stance.DISAPPOINTS
            assert one.warning.cosine >= CLOSE
            assert part(one, CAUTION) < 0
    assert warned


def test_every_item_says_who_named_it(engine: Engine) -> None:
    for one in engine.recommend(engine.profile(USER), k=ITEMS):
        assert one.sources
        assert set(one.sources) <= {"personas", "habit", "popularity"}


def test_what_is_asked_again_is_answered_the_same(engine: Engine, shop: Workspace) -> None:
    profile = engine.profile(USER)
    first = engine.recommend(profile)
    assert engine.recommend(profile) == first
    assert opened(shop).recommend(profile) == first


def test_eight_threads_at_once_get_the_same_answers_as_one(shop: Workspace, engine: Engine) -> None:
    """Of an engine that nobody has asked yet: what it looks up late is looked up by all of them."""
    fresh, start = opened(shop), Barrier(8)
    users = engine.profiles.users()

    def ask(turn: int) -> list[list[Recommendation]]:
        start.wait(20)
        return [fresh.recommend(fresh.profile(user), options=Options(diversity=0.3)) for user in users[turn:] + users[:turn]]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))
    wanted = [engine.recommend(engine.profile(user), options=Options(diversity=0.3)) for user in users]
    for turn, answer in enumerate(answers):
        assert answer == wanted[turn:] + wanted[:turn]


def test_the_options_of_a_workspace_are_its_settings(engine: Engine, shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    assert engine.options == Options()
    monkeypatch.setenv("PERSONA_RANKING_DIVERSITY", "0.25")
    monkeypatch.setenv("PERSONA_RANKING_HABIT", "0")
    assert Engine.open(shop).options == Options(weights=Weights(habit=0.0), diversity=0.25)


def test_asking_writes_nothing(engine: Engine, shop: Workspace) -> None:
    def files() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in shop.root.rglob("*")}

    before = files()
    engine.recommend(engine.profile(USER))
    engine.reviews_of("i01")
    assert files() == before


# Memory ----------------------------------------------------------------------------------------------------------------


def large_engine(shop: Workspace, items: int = 400, each: int = 10) -> Engine:
    names = [f"n{number:04d}" for number in range(items)]
    rows = Catalog.of(shop.artefact("catalog")).reviews(["user_id", "item_id", "rating", "time"]).assign(item_id=names[0])
    met = Interactions.of(rows, names)
    return Engine(
        shop, [Item(id=name, scenario="books", title=name) for name in names],
        [persona_of(name, number) for name in names for number in range(each)], random_units(items * each),
        ProfileBook(shop.artefact("profiles").file("profiles.jsonl")), some_head(), EASE.fit(met), RecentPopularity.fit(met),
        FakeBook(),  # type: ignore[arg-type]
    )  # fmt: skip


def test_the_matrix_of_personas_is_held_once_and_copied_for_no_answer(shop: Workspace) -> None:
    engine = large_engine(shop)
    profile = liking("light gear", "quiet evenings")
    engine.recommend(profile)
    matrix = engine._mapped
    assert matrix.nbytes > 6_000_000
    tracemalloc.start()
    try:
        ranked = [engine.rank(profile) for _ in range(3)]
        engine.recommend(profile)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < matrix.nbytes / 5
    assert engine._mapped is matrix
    assert all(one.suits.shape == (len(engine.personas),) for one in ranked)


# Filters ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        Options(scenarios=frozenset({"kitchen"})),
        Options(scenarios=frozenset({"kitchen", "books"})),
        Options(price_bands=frozenset({PriceBand.BUDGET})),
        Options(price_bands=frozenset({"premium", "middle"})),
        Options(scenarios=frozenset({"outdoors"}), price_bands=frozenset({"budget"}), diversity=0.5),
        Options(scenarios=frozenset({"outdoors"}), seen_too=True),
    ],
)
def test_only_what_is_let_through_comes_and_all_of_it(engine: Engine, options: Options) -> None:
    profile = engine.profile(USER)
    wanted = {
        item.id
        for item in engine.items
        if (not options.scenarios or item.scenario in options.scenarios)
        and (not options.price_bands or item.price_band in options.price_bands)
        and (options.seen_too or item.id not in profile.history)
    }
    found = engine.recommend(profile, k=ITEMS, options=options)
    assert wanted
    assert set(items_of(found)) == wanted
    assert len(found) == len(wanted)


def test_what_was_seen_comes_again_when_it_is_wished(engine: Engine) -> None:
    profile = engine.profile(USER)
    assert len(engine.recommend(profile, k=ITEMS, options=EVERYTHING)) == ITEMS
    assert set(profile.history) <= set(items_of(engine.recommend(profile, k=ITEMS, options=EVERYTHING)))


@pytest.mark.parametrize("options", [Options(scenarios=frozenset({"music"})), Options(price_bands=frozenset({"free"}))])
def test_a_filter_that_nothing_passes_leaves_nothing(engine: Engine, options: Options) -> None:
    assert engine.recommend(engine.profile(USER), options=options) == []


def test_a_filter_changes_no_score(engine: Engine) -> None:
    scores = {one.item_id: one.parts for one in engine.recommend(engine.profile(USER), k=ITEMS)}
    for scenario in SCENARIOS:
        for one in engine.recommend(engine.profile(USER), k=ITEMS, options=Options(scenarios=frozenset({scenario}))):
            assert one.parts == scores[one.item_id]


def test_variety_changes_the_order_and_nothing_else(engine: Engine) -> None:
    profile = engine.profile(USER)
    plain, varied = (engine.recommend(profile, k=ITEMS, options=Options(diversity=share)) for share in (0.0, 0.9))
    assert items_of(plain) != items_of(varied)
    assert items_of(plain)[0] == items_of(varied)[0]
    assert {one.item_id: one.parts for one in plain} == {one.item_id: one.parts for one in varied}


def test_without_weights_all_items_are_equal_and_stand_as_in_the_catalogue(engine: Engine) -> None:
    found = engine.recommend(engine.profile(USER), k=ITEMS, options=Options(Weights(0, 0, 0)))
    assert {one.score for one in found} == {0.0}
    assert items_of(found) == sorted(items_of(found))


@pytest.mark.parametrize("name", ["taste", "habit", "popularity"])
def test_a_weight_of_nothing_takes_its_part_away(engine: Engine, name: str) -> None:
    found = engine.recommend(engine.profile(USER), k=ITEMS, options=Options(replace(Weights(), **{name: 0.0})))
    assert {part(one, name) for one in found} == {0.0}
    assert len({one.score for one in found}) > 1


# Edits -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_like_changes_the_answer_at_once_and_taking_it_back_does_too(engine: Engine, kind: str) -> None:
    profile = engine.profile(USER)
    before = engine.rank(profile, EVERYTHING)
    edited = profile.model_copy(update={"version": 2, "likes": (*profile.likes, Phrase(text=kind, strength=3.0))})
    after = engine.rank(edited, EVERYTHING)
    near = [row for row, one in enumerate(engine.personas) if kind_of(one.item_id) == kind and one.id.endswith(":p0")]
    assert (after.suits[near] > before.suits[near]).all()
    assert after.order.tolist() != before.order.tolist()
    np.testing.assert_array_equal(engine.rank(profile, EVERYTHING).scores.table, before.scores.table)


def test_who_likes_one_kind_of_thing_gets_it(engine: Engine) -> None:
    found = engine.recommend(liking(KINDS[2]), k=5, options=Options(Weights(taste=1, habit=0, popularity=0)))
    assert {kind_of(one) for one in items_of(found)} == {KINDS[2]}
    disliked = Profile(user_id="new", version=1, text="", dislikes=(Phrase(text=KINDS[2], fault=False),))
    worth: dict[bool, list[float]] = {True: [], False: []}
    for one in engine.recommend(disliked, k=ITEMS):
        worth[kind_of(one.item_id) == KINDS[2]].append(part(one, TASTE))
    assert np.mean(worth[True]) < np.mean(worth[False]) - 0.1


def test_a_feared_fault_takes_from_the_items_that_have_it_and_from_no_other(engine: Engine) -> None:
    profile = liking(KINDS[0])
    fearing = profile.model_copy(update={"dislikes": (Phrase(text="zips that break"),)})
    before, after = (engine.rank(one, EVERYTHING).scores.table for one in (profile, fearing))
    odd = np.array([int(item.id[1:]) % 2 == 1 and item.id != WITHOUT_PERSONAS for item in engine.items])
    assert (after[odd, PARTS.index(CAUTION)] < before[odd, PARTS.index(CAUTION)]).all()
    np.testing.assert_array_equal(after[~odd], before[~odd])
    np.testing.assert_array_equal(after[:, PARTS.index(TASTE)], before[:, PARTS.index(TASTE)])


def test_the_mix_says_whether_words_or_the_past_count(engine: Engine) -> None:
    profile = liking(KINDS[0]).model_copy(update={"history": ("i01", "i09")})  # whose kind is the second one
    only_words, only_past = (engine.taste(profile, Options(mix=mix)) for mix in (1.0, 0.0))
    assert float(np.linalg.norm(only_words.shares[[one.role is Role.PAST for one in only_words.components]])) == 0
    by = Weights(taste=1, habit=0, popularity=0)
    assert kind_of(engine.recommend(profile, options=Options(by, mix=1.0))[0].item_id) == KINDS[0]
    assert kind_of(engine.recommend(profile, options=Options(by, mix=0.0))[0].item_id) == KINDS[1]
    assert only_past.wants @ only_words.wants < 0.9
