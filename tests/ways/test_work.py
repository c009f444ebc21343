"""Exploring, judging and pairing on a small world: nothing held out reaches a way or a pair, and what fits better is worth more."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import orjson
import pytest
from click.testing import CliRunner

from persona_core.alignment.pairs import World
from persona_core.alignment.steps import world_in
from persona_core.catalog.store import Catalog
from persona_core.cli import main
from persona_core.evaluation.worlds import known_reviews
from persona_core.profiles.evidence import Visit
from persona_core.profiles.steps import INPUTS
from persona_core.profiles.ways import now, work
from persona_core.profiles.ways.exploring import ways_of
from persona_core.profiles.ways.judging import Person, RankingJudge
from persona_core.profiles.ways.now import ship_standings, standings_in
from persona_core.profiles.ways.second import AGREEMENTS, heard_in, in_words
from persona_core.profiles.ways.work import CARD, LATELY, PAIRS, TRAINING, WAYS, WORTH, people_in, ways_world, worths_of
from persona_core.ranking.parts import Weights
from persona_core.ranking.steps import interactions_in
from persona_core.schema import Phrase, Profile
from persona_core.workspace import Workspace
from tests.evaluation.test_worlds import CUTS, held_out, nothing_of, source_for, words_in
from tests.support.scripted import Scripted
from tests.support.shops import FakeBook, built_shop, kind_of
from tests.support.tastes import some_head
from tests.support.tiny_lm import write_tiny_lm

pytestmark = pytest.mark.xdist_group("encoder")
CUT = CUTS[0]
MISSING = [name for name in ("transformers", "tokenizers") if importlib.util.find_spec(name) is None]
needs_a_language_model = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Workspace]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PERSONA_OLLAMA_USE", "never")
        source = source_for(CUT, tmp_path_factory.mktemp("ways") / "tiny")
        return source, ways_world(source, TRAINING)


def test_nothing_held_out_reaches_a_way_a_prompt_or_a_pair(worlds: tuple[Workspace, Workspace]) -> None:
    source, place = worlds
    assert known_reviews(source, CUT)
    for step in ("ways", "worth", "pairs"):
        nothing_of(held_out(source, CUT), words_in(place.artefact(step).file(next(iter(place.artefact(step).manifest.files))).parent))


def test_everybody_with_a_past_is_explored_and_judged_with_a_future(worlds: tuple[Workspace, Workspace]) -> None:
    _, place = worlds
    ways, worths = ways_of(place.artefact("ways").file(WAYS)), worths_of(place.artefact("worth").file(WORTH))
    assert ways
    assert set(worths) <= set(ways)
    for user, judged in worths.items():
        assert set(judged["ways"]) == {way.key for way in ways[user]}
        assert all(0 <= one.found <= one.cases == judged["cases"] == len(one.gains) for one in judged["ways"].values())
    for line in place.artefact("pairs").file(PAIRS).read_bytes().splitlines():
        assert {"prompt", "chosen", "rejected", "margin"} <= set(orjson.loads(line))


def test_for_learning_the_test_is_not_looked_at(worlds: tuple[Workspace, Workspace]) -> None:
    source, place = worlds
    world = world_in({name: place.artefact(name) for name in INPUTS})
    learning, lately = (people_in(source, place, world, window, 10) for window in (TRAINING, LATELY))
    cases = {one.user_id: one.next for one in lately}
    assert sum(len(one.next) for one in learning) < sum(len(one) for one in cases.values())
    assert all(set(one.next) <= set(cases[one.user_id]) for one in learning)


# What ships, and what models write ---------------------------------------------------------------------------------------


def test_what_was_judged_ships_and_is_found_where_nobody_judged(
    worlds: tuple[Workspace, Workspace], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, _ = worlds
    ways_world(source, LATELY, upto=LATELY.name)
    here = standings_in(source)
    assert here
    file = ship_standings(source, tmp_path / "ways.jsonl")
    assert file is not None
    monkeypatch.setattr(now, "cut_place", lambda *_: Workspace.at(tmp_path / "nothing"))
    there = standings_in(source, file)
    assert there.keys() == here.keys()
    for user, row in here.items():
        assert {key: worth.found for key, worth in there[user]["ways"].items()} == {k: w.found for k, w in row["ways"].items()}
    monkeypatch.setenv("PERSONA_PROFILES_RECENT", "3")
    assert standings_in(source, file) == {}, "it was judged with other newest visits"
    assert ship_standings(source, tmp_path / "none.jsonl") is None


def test_models_are_asked_about_some_people_each_once(worlds: tuple[Workspace, Workspace], monkeypatch: pytest.MonkeyPatch) -> None:
    _, place = worlds
    good = {"likes": [{"cites": [1], "phrase": "wants it quiet", "strength": 2}], "dislikes": [], "text": ""}
    models = [Scripted(good, name="one:1b"), Scripted("nonsense", name="two:2b")]
    monkeypatch.setattr(work, "opened_models", lambda *_: models)
    monkeypatch.setenv("PERSONA_PROFILES_PEOPLE", "2")
    pasts = work.pasts_in(place)[1]
    asked_of: list[str] = []

    def mapped(function: Any, things: list[str], **_: Any) -> list[Any]:
        asked_of.extend(things)
        return [orjson.loads(orjson.dumps(function(one))) for one in things]

    context = SimpleNamespace(settings=place.settings, workspace=place, because={"file model": "one:1b@x, two:2b@y"}, map=mapped)
    told, counts = work._told_by_models(context, pasts)  # type: ignore[arg-type]
    assert len(asked_of) == min(2, len(pasts))
    assert set(told) == set(asked_of) <= set(pasts)
    spoke = [user for user in told if told[user]]
    assert spoke
    assert all(one.source == "one:1b" for user in spoke for one in told[user])
    assert counts["to ask again"] > 0
    assert counts["by"] == "one:1b, two:2b"


# The slow judges, and the commands ----------------------------------------------------------------------------------------


def run(place: Workspace, *words: str, fails: bool = False) -> Any:
    ran = CliRunner().invoke(main, ["profiles", *words, "--workspace", str(place.root), "--json"])
    assert (ran.exit_code != 0) is fails, ran.output
    return orjson.loads(ran.stdout.splitlines()[-1])


def test_the_slow_judges_hear_only_what_came_after_the_cut(worlds: tuple[Workspace, Workspace]) -> None:
    source, place = worlds
    people = heard_in(source, place, TRAINING)
    reviews = Catalog.of(source.artefact("catalog")).reviews(["review_id", "time"])
    begins, ends = work.bounds_of(source, reviews, TRAINING)
    assert people
    for one in people:
        assert all(begins.timestamp() <= visit.time < ends.timestamp() for visit in one.since)
        assert all(visit.time < begins.timestamp() for visit in one.recent)


@needs_a_language_model
def test_the_command_hears_a_model_that_reads_on_and_says_how_far_it_agrees(
    worlds: tuple[Workspace, Workspace], tmp_path: Path
) -> None:
    source, place = worlds
    titles = [f"{one.title}. {one.description}" for one in Catalog.of(source.artefact("catalog")).all_items()]
    lines = [way.lines for own in ways_of(place.artefact("ways").file(WAYS)).values() for way in own]
    found = run(source, "judge", "--likelihood", str(write_tiny_lm(tmp_path / "lm", [*titles, *lines])), "--people", "4")
    assert found["counts"]["people"] > 0
    for row in found["agreement"]:
        assert row["judge"] == "lm, reading on"
        assert 0 <= row["low"] <= row["same"] <= row["high"] <= 1
        assert row["judge"] in in_words(row)
    assert (place.root / AGREEMENTS).exists()


def test_without_a_server_nobody_is_asked_and_that_is_said(worlds: tuple[Workspace, Workspace]) -> None:
    assert "no model to ask" in run(worlds[0], "judge", "--ask", fails=True)["what"]


def test_the_command_explores_and_pairs(worlds: tuple[Workspace, Workspace]) -> None:
    source, _ = worlds
    assert run(source, "explore")["counts"]["ways"] > 0
    assert [Path(one).name for one in run(source, "pairs")["files"]] == [PAIRS, CARD]


# The judge ---------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, RankingJudge]:
    place = built_shop(tmp_path_factory.mktemp("ways-shop"))
    world = world_in({name: place.artefact(name) for name in INPUTS})
    interactions = interactions_in(Catalog.of(place.artefact("catalog")))
    return world, RankingJudge.of(world, some_head(), FakeBook(), interactions, Weights(0.8, 0.1, 0.1))  # type: ignore[arg-type]


def person(world: World, wanted: tuple[int, ...]) -> Person:
    rest = [item for item in range(len(world.items)) if item not in wanted]
    visits = tuple(Visit(f"r{item}", item, 1_700_000_000 + item, 0.5) for item in rest[:4])
    return Person("u", 1_800_000_000, visits[:2], visits[2:], wanted)


def says(*likes: str) -> Profile:
    return Profile(user_id="u", version=1, text="", likes=tuple(Phrase(text=one) for one in likes))


def test_a_profile_that_says_nothing_adds_nothing(shop: tuple[World, RankingJudge]) -> None:
    world, judge = shop
    _, (worth,) = judge.worths(person(world, (8, 12, 16)), [says()])
    assert worth.gain == 0
    assert worth.gains == (0.0, 0.0, 0.0)


def test_what_fits_the_next_items_is_worth_more_than_what_does_not(shop: tuple[World, RankingJudge]) -> None:
    world, judge = shop
    wanted = tuple(place for place, item in enumerate(world.items) if kind_of(item) == kind_of(world.items[8]))[1:4]
    right, wrong = kind_of(world.items[8]), kind_of(world.items[9])
    _, (good, bad) = judge.worths(person(world, wanted), [says(right), says(wrong)])
    assert good.gain > bad.gain
    assert good.error is not None


def test_ways_are_judged_alike_alone_and_together(shop: tuple[World, RankingJudge]) -> None:
    world, judge = shop
    one = person(world, (8, 12))
    profiles = [says(kind_of(world.items[8])), says("something else"), says()]
    _, together = judge.worths(one, profiles)
    assert together == [judge.worths(one, [profile])[1][0] for profile in profiles]
    assert judge.worths(one, profiles)[1] == together


def test_sets_hold_the_next_item_and_only_strangers(shop: tuple[World, RankingJudge]) -> None:
    world, judge = shop
    one = person(world, (8, 12))
    met = {visit.item for visit in (*one.older, *one.recent)}
    for item, pools in zip(one.next, judge._pools(one), strict=True):
        for pool in pools:
            assert pool[-1] == item
            assert not set(pool.tolist()) & (met | (set(one.next) - {item}))
            assert len(set(pool.tolist())) == len(pool)


def test_one_next_item_has_no_error(shop: tuple[World, RankingJudge]) -> None:
    world, judge = shop
    _, (worth,) = judge.worths(person(world, (8,)), [says("x")])
    assert worth.error is None
    assert np.isfinite(worth.gain)


def test_the_steps_leave_manifests_and_are_not_done_twice(worlds: tuple[Workspace, Workspace], tmp_path: Path) -> None:
    source, place = worlds
    made = place.artefact("worth").manifest.created
    ways_world(source, TRAINING)
    assert place.artefact("worth").manifest.created == made
