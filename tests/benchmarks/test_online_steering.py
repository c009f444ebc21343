"""The measures of `benchmarks.online` and `benchmarks.steering`, in worlds so small that what they must say is known."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.online import PARTS, Times, matrices_mb, one_at_a_time, resident_mb, together
from benchmarks.online_models import order_in
from benchmarks.online_world import Clock, Edits, made_head, made_profiles, ordering
from benchmarks.steering import Case, moves, table_of
from benchmarks.steering_edits import Edit, Kind, Move, Served, at_random, edits_for, move_of, niche_motives
from benchmarks.steering_words import SAID
from persona_core.evaluation.truth import TrueUser, Truth
from persona_core.personas.needs import read_needs
from persona_core.profiles.edits import flipped, weighing, with_like, without
from persona_core.schema import Phrase, Profile
from persona_core.text.encoder import DIMENSION
from tests.benchmarks.small_worlds import MIDDLE, MOTIVES, WORDS_AND_TASTE, Book, own_phrase, slow_engine, world


def measured(folder: Path, guesses: bool, people: int, random: bool = False) -> dict[Kind, list[Move]]:
    """Everybody has three motives, as their profile says, and edits it in all ways."""
    engine, truth = world(folder, guesses)
    served, rng = Served.of(truth, [item.id for item in engine.items]), np.random.default_rng(3)
    found: dict[Kind, list[Move]] = {kind: [] for kind in Kind}
    for number in range(people):
        has = rng.choice(MOTIVES, 3, replace=False).tolist()
        strengths = dict(zip(has, (1.0, 0.8, 0.6), strict=True))
        likes = tuple(Phrase(text=own_phrase(motive), strength=strength) for motive, strength in strengths.items())
        profile = Profile(user_id=f"u{number}", version=1, text="", likes=likes, history=(f"i{int(rng.integers(48)):02d}",))
        person = TrueUser(profile.user_id, dict.fromkeys(has, 1.0), {})
        edits = edits_for(profile, person, truth, niche_motives(truth), 2, rng)
        if random:
            edits = [at_random(edit, 100 * number + place, engine.book, MIDDLE, rng) for place, edit in enumerate(edits)]
        for edit, move in moves(engine, WORDS_AND_TASTE, edits, served):
            found[edit.kind].append(move)
    return found


def share(some: list[Move]) -> float:
    return float(np.mean([move.right for move in some]))


# Steering ------------------------------------------------------------------------------------------------------------


def test_with_a_perfect_encoder_every_kind_of_edit_steers_right(tmp_path: Path) -> None:
    found = measured(tmp_path, guesses=False, people=12)
    assert {kind: share(some) for kind, some in found.items() if kind is not Kind.STRENGTHEN} == {
        kind: 1.0 for kind in Kind if kind is not Kind.STRENGTHEN
    }
    assert share(found[Kind.STRENGTHEN]) > 0.5  # the strongest like is first already, and cannot rise
    assert min(move.ranks for move in found[Kind.STRENGTHEN]) >= 0
    assert max(move.rest_moved for some in found.values() for move in some) > 0  # the others' noise is shuffled
    assert np.mean([move.top for move in found[Kind.ADD]]) > 2


@pytest.mark.parametrize("random", [False, True])
def test_with_an_encoder_that_guesses_about_half_of_the_edits_steer_right(tmp_path: Path, random: bool) -> None:
    found = measured(tmp_path, guesses=not random, people=40, random=random)
    for kind in (Kind.ADD, Kind.SENTENCE):
        assert 0.3 < share(found[kind]) < 0.7


def test_a_move_is_counted_as_by_hand() -> None:
    profile = Profile(user_id="u", version=1, text="")
    edit = Edit(Kind.ADD, "m", "phrase", "m", profile, profile)
    serves = np.array([True, True, True, False, False, False, False, False])
    served = Served({"m": serves}, {"m": ~serves & (np.arange(8) != 7)})
    before = np.array([12.0, 2, np.nan, 1, 3, 4, 5, 14])
    after = np.array([1.0, 4, np.nan, 3, 2, 5, 6, 14])
    move = move_of(edit, before, after, served)
    assert move is not None
    assert move.right
    assert (move.ranks, move.top) == (4.5, 1)  # eleven up, two down; the other one was among the first ten before
    assert move.rest_moved == 0.5  # the first two of four changed places, all else made room
    assert move.rest_same == pytest.approx(1 - 6 * 2 / (4 * 15))
    sinks = move_of(Edit(Kind.FLIP, "m", "own", "m", profile, profile), before, after, served)
    assert sinks is not None
    assert (sinks.ranks, sinks.top, sinks.right) == (-4.5, -1, False)
    still = move_of(edit, before, before, served)
    assert still is not None
    assert (still.ranks, still.right, still.rest_same) == (0.0, False, 1.0)
    assert move_of(edit, np.where(serves, np.nan, before), after, served) is None


def test_a_random_direction_takes_the_place_of_what_is_edited_and_of_nothing_else() -> None:
    book, profile = Book(False), Profile(user_id="u", version=1, text="", likes=(Phrase(text="a"), Phrase(text="b", strength=2.0)))
    middle, rng = np.full(DIMENSION, 0.5, np.float32), np.random.default_rng(1)
    edit = at_random(Edit(Kind.REMOVE, "m", "own", "a", profile, without(profile, "a")), 7, book, middle, rng)
    assert [one.text for one in edit.before.likes] == [edit.text, "b"]
    assert edit.after.likes == (Phrase(text="b", strength=2.0),)
    assert np.linalg.norm(book.vectors([edit.text])[0] - middle) == pytest.approx(1.0)


def test_the_table_sets_heads_beside_each_other() -> None:
    profile = Profile(user_id="u", version=1, text="")
    edit = Edit(Kind.ADD, "m", "phrase", "m", profile, profile)

    def cases(head: str, ranks: Sequence[float]) -> list[Case]:
        moved = [Move(rank, 1, 2.0, 0.5) for rank in ranks]
        return [Case(head, "as shipped", f"u{at}", False, edit, move) for at, move in enumerate(moved)]

    (row,) = table_of(
        [*cases("trained", [3, 1, 0, 4, -2]), *cases("frozen", [-1, -1, 2, -1, -1]), *cases("random", [1, -1, 1, -1])], 7
    )
    assert (row["edits"], row["ranks"], row["motives"]) == (5, 1.2, "common")
    assert (row["right"], row["unmoved"], row["wrong"]) == (0.6, 0.2, 0.2)
    assert (row["frozen right"], row["frozen ranks"], row["random right"]) == (0.2, -0.4, 0.5)
    assert row["low"] <= row["right"] <= row["high"]


def test_every_motive_of_the_demo_world_is_said_in_other_words_and_means_needs_that_there_are() -> None:
    truth, needs = Truth.read(), {need.id for need in read_needs()}
    assert set(SAID) == set(truth.motives)
    assert all(set(said.needs) <= needs for said in SAID.values())
    assert len({need for said in SAID.values() for need in said.needs}) == sum(len(said.needs) for said in SAID.values())
    assert not {said.phrase for said in SAID.values()} & {motive.phrase for motive in truth.motives.values()}
    niche = niche_motives(truth)
    assert len(niche) == len(truth.motives) // 2
    assert "watches_wildlife" in niche
    assert "buys_once" not in niche


# Online --------------------------------------------------------------------------------------------------------------


def test_the_parts_of_an_answer_are_measured_and_add_up(tmp_path: Path) -> None:
    engine, clock = slow_engine(tmp_path, encoding=0.004, habit=0.008)
    engine.explain = lambda *_: time.sleep(0.001)
    with ordering(clock):
        row = one_at_a_time(engine, Edits(made_profiles(2, 60, 7)).known_words, clock, Times(4, 2, 2))
    assert row["encoding"] >= 4
    assert row["habit"] >= 8
    assert all(row[name] > 0 for name in (*PARTS, "matching"))
    whole = sum(row[name] for name in (*PARTS, "matching"))
    assert 12 < whole < row["ranked p95 ms"] * 1.1
    assert row["again p50 ms"] >= 10
    assert row["explained p50 ms"] >= row["ranked p50 ms"] * 0.5 + 10
    assert 0 <= row["new items"] <= 10


def test_a_made_engine_is_as_large_as_it_was_asked_for(tmp_path: Path) -> None:
    engine, _ = slow_engine(tmp_path)
    assert len({persona.item_id for persona in engine.personas}) == len(engine.items) == 60
    assert len(engine.personas) == 240
    mapped, middles, habit = (rows * columns * 4 / 2**20 for rows, columns in ((240, DIMENSION), (60, DIMENSION), (60, 60)))
    assert matrices_mb(engine) == pytest.approx(mapped + middles + habit, rel=0.02)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="there is no /proc")
def test_growth_of_the_process_is_seen() -> None:
    before = resident_mb()
    kept = np.ones(2**24)
    assert resident_mb() - before == pytest.approx(kept.nbytes / 2**20, rel=0.1)


def test_an_item_of_a_made_engine_is_explained_from_its_own_quotes(tmp_path: Path) -> None:
    engine, _ = slow_engine(tmp_path)
    for item in ("item-0000003", "item-0000059"):
        reviews = {one.id: one for one in engine.reviews_of(item)}
        quotes = [quote for persona in engine.personas_of(item) for quote in persona.quotes]
        assert len({quote.text for quote in quotes}) == len(quotes) == 12
        assert all(quote.stands_in(reviews[quote.review_id]) for quote in quotes)
        assert {aspect.quote for aspect in engine.aspects_of(item)} == set(quotes)


def test_threads_share_the_work(tmp_path: Path) -> None:
    engine, clock = slow_engine(tmp_path, habit=0.05)
    engine.explain = lambda *_: None
    row = together(engine, Edits(made_profiles(2, 60, 7)).known_words, clock, Times(8, 4, 2))
    assert row["then p95 ms"] >= 50
    assert row["ranked/s"] > 1.5 / 0.05  # they wait side by side, where one alone would give 20 a second
    assert row["explained/s"] > 1.5 / 0.05


def test_the_clock_keeps_threads_apart() -> None:
    clock, seen = Clock(), {}

    def work(name: str, seconds: float) -> None:
        with clock.part(name):
            time.sleep(seconds)
        seen[name] = clock.take()

    threads = [threading.Thread(target=work, args=(name, seconds)) for name, seconds in (("a", 0.02), ("b", 0.04))]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert set(seen["a"]) == {"a"}
    assert seen["a"]["a"] >= 0.02
    assert seen["b"]["b"] >= 0.04
    assert clock.take() == {}


def test_what_a_part_does_within_another_counts_for_the_outer_one_alone() -> None:
    clock = Clock()
    with clock.part("outer"), clock.part("inner"):
        time.sleep(0.01)
    with clock.part("inner"):
        time.sleep(0.001)
    spent = clock.take()
    assert spent["outer"] >= 0.01
    assert 0.001 <= spent["inner"] < 0.01


def test_what_is_timed_in_a_module_is_as_it_was_afterwards() -> None:
    clock, module = Clock(), SimpleNamespace(work=lambda number: number + 1)
    before: Callable[[int], int] = module.work
    with clock.inside(module, work="part", absent="other"):
        assert module.work(1) == 2
    assert module.work is before
    assert set(clock.take()) == {"part"}


def test_edits_are_of_the_two_kinds() -> None:
    edits = Edits(made_profiles(5, 60, 7))
    new = []
    for _ in range(500):
        before, after = edits.new_phrase()
        new.append(words_in(after) - words_in(before))
        assert words_in(before) < words_in(after)
    assert all(len(one) == 1 for one in new)
    assert len(set().union(*new)) == 500
    pairs = [edits.known_words() for _ in range(40)]
    assert all(words_in(after) <= words_in(before) and after.likes != before.likes for before, after in pairs)
    assert {len(after.likes) for _, after in pairs} == {4, 5}
    assert {like.strength for _, after in pairs for like in after.likes} == {1.0, 2.0}


def test_an_order_names_each_candidate_once() -> None:
    assert order_in(str(list(range(20, 0, -1)))) == list(range(20, 0, -1))
    assert order_in(str([1] * 20)) == order_in("[1, 2, 3]") == order_in("[1, 1") == order_in('{"a": 1}') == order_in("7") == []


def words_in(profile: Profile) -> set[str]:
    return {one.text for one in (*profile.likes, *profile.dislikes)}


def test_the_made_head_is_of_the_size_of_a_trained_one() -> None:
    made_head(1).check_shapes()


def test_the_edits_are_those_that_the_app_makes() -> None:
    profile = Profile(user_id="u", version=1, text="", likes=(Phrase(text=own_phrase("winds_down"), strength=1.0),))
    person, rng = TrueUser("u", {"winds_down": 1.0}, {}), np.random.default_rng(2)
    truth = Truth.read()
    edits = {(one.kind, one.words): one for one in edits_for(profile, person, truth, niche_motives(truth), 1, rng)}
    text = profile.likes[0].text
    assert edits[Kind.REMOVE, "own"].after == without(profile, text)
    assert edits[Kind.FLIP, "own"].after == flipped(profile, text)
    assert edits[Kind.STRENGTHEN, "own"].after == weighing(profile, text, 2.0)
    added = edits[Kind.ADD, "phrase"]
    assert added.after == with_like(profile, truth.motives[added.motive].phrase)
    assert added.motive != "winds_down"
    assert edits[Kind.SENTENCE, "sentence"].after.text in {said.sentence for said in SAID.values()}
