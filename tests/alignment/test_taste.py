"""A taste is the sum of its components, moves the way an edit points, and is the same in training and in serving."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persona_core.alignment.head import Head, unit
from persona_core.alignment.matching import FEAR_SAY, matches
from persona_core.alignment.pairs import Pairs, World, item_middles, pairs_of, past_weights, pooled
from persona_core.alignment.taste import MOST_SENTENCES, TEXT_SAY, Role, Taste, refused_in, taste_of, words_of
from persona_core.alignment.training import Recipe, _head_of, _net
from persona_core.profiles.building import Rules, build_profile
from persona_core.profiles.evidence import NeedEvidence, Visit
from persona_core.schema import Phrase, Profile, Stance
from persona_core.text.encoder import Matrix
from tests.support.tastes import NEEDS, days, encode, persona_of, plain_head, random_units, some_head, vector_of

patient = settings(deadline=None, max_examples=60)
ITEMS = tuple("abcdef")
TOLERANCE = 1e-5

texts = st.sampled_from(
    ["quiet evenings", "light gear", "sharp knives", "long sagas", "bright colours", "war novels", "zips that jam"]
)
strengths = st.floats(0.1, 3.0)
likes = st.lists(st.builds(Phrase, text=texts, strength=strengths), max_size=4, unique_by=lambda one: one.text).map(tuple)
dislikes = st.lists(
    st.builds(Phrase, text=texts.map("no {}".format), strength=strengths, fault=st.sampled_from([True, False, None])),
    max_size=3, unique_by=lambda one: one.text,
).map(tuple)  # fmt: skip
sentences = st.sampled_from(
    ["They want peace.", "They also want old maps.", "They dislike rain.", "They would rather not have noise."]
)
profiles = st.builds(
    Profile,
    user_id=st.just("u"),
    version=st.just(1),
    text=st.lists(sentences, max_size=4).map(" ".join),
    likes=likes,
    dislikes=dislikes,
)
pasts = st.dictionaries(st.sampled_from([*ITEMS, "unknown"]), st.floats(-0.7, 1.0), max_size=5)
mixes = st.floats(0.05, 0.95)
heads = st.sampled_from([plain_head(), some_head()])


def is_fault(text: str) -> bool:
    return "zips" in text or "noise" in text


def middle_of(item: str) -> Matrix | None:
    return None if item == "unknown" else vector_of(f"item {item}")


def taste(profile: Profile, past: dict[str, float] | None = None, head: Head | None = None, mix: float = 0.5) -> Taste:
    return taste_of(words_of(profile, is_fault), past or {}, middle_of, encode, head or plain_head(), mix)


def profile_of(*likes: str, dislikes: Sequence[Phrase] = (), text: str = "") -> Profile:
    return Profile(user_id="u", version=1, text=text, likes=tuple(Phrase(text=one) for one in likes), dislikes=tuple(dislikes))


# Sums ------------------------------------------------------------------------------------------------------------------


@given(profiles, pasts, heads, mixes, st.integers(0, 100))
@patient
def test_what_components_add_sums_to_the_match_with_any_persona(
    profile: Profile, past: dict[str, float], head: Head, mix: float, seed: int
) -> None:
    found = taste(profile, past, head, mix)
    for persona in head.of_personas(random_units(3, seed)):
        added = found.contributions(persona)
        assert [one for one, _ in added] == list(found.components)
        assert sum(value for _, value in added) == pytest.approx(float(found.wants @ persona), abs=TOLERANCE)


@given(profiles, pasts, heads, mixes)
@patient
def test_a_taste_has_length_one_or_is_nothing(profile: Profile, past: dict[str, float], head: Head, mix: float) -> None:
    found = taste(profile, past, head, mix)
    for vector in (found.wants, found.fears):
        assert np.isfinite(vector).all()
        assert float(np.linalg.norm(vector)) == pytest.approx(1.0, abs=TOLERANCE) or not np.abs(vector).max() > TOLERANCE
    assert len(found.components) == len(found.shares)
    words = words_of(profile, is_fault)
    assert bool(np.abs(found.fears).max()) is bool(words.feared)
    if words.components and not past:
        assert float(np.linalg.norm(found.wants)) == pytest.approx(1.0, abs=TOLERANCE)


def test_somebody_of_whom_nothing_is_known_has_no_taste() -> None:
    for found in (taste(profile_of()), taste(profile_of(), {"unknown": 1.0}), taste(profile_of(text=" … \u202e !"))):
        assert found.components == ()
        assert found.contributions(vector_of("anybody")) == []
        assert not found.wants.any()
        assert not found.fears.any()


# Words and past --------------------------------------------------------------------------------------------------------


@given(profiles, pasts, heads)
@patient
def test_a_mix_of_one_ignores_the_past_and_of_nothing_the_words(profile: Profile, past: dict[str, float], head: Head) -> None:
    done = any(one.role is Role.PAST for one in taste(profile, past, head).components)
    if words_of(profile, is_fault).components:
        only_words = taste(profile, past, head, mix=1.0)
        np.testing.assert_allclose(only_words.wants, taste(profile, {}, head).wants, atol=TOLERANCE)
        assert not only_words.shares[[one.role is Role.PAST for one in only_words.components]].any()
    if done:
        only_past = taste(profile, past, head, mix=0.0)
        np.testing.assert_allclose(only_past.wants, taste(profile_of(), past, head).wants, atol=TOLERANCE)
        assert not only_past.shares[[one.role is not Role.PAST for one in only_past.components]].any()


@given(profiles, pasts, heads, mixes, mixes)
@patient
def test_where_one_of_the_two_is_missing_the_other_is_all(
    profile: Profile, past: dict[str, float], head: Head, one_mix: float, other_mix: float
) -> None:
    for words, done in ((profile, {}), (profile_of(), past)):
        np.testing.assert_allclose(
            taste(words, done, head, one_mix).wants, taste(words, done, head, other_mix).wants, atol=TOLERANCE
        )  # fmt: skip


@given(mixes, mixes)
@patient
def test_the_more_the_words_weigh_the_nearer_they_are(one: float, other: float) -> None:
    profile, past = profile_of("quiet evenings"), {"a": 1.0}
    low, high = sorted((one, other))
    to_words, to_past = vector_of("quiet evenings"), vector_of("item a")
    assert taste(profile, past, mix=low).wants @ to_words <= taste(profile, past, mix=high).wants @ to_words + TOLERANCE
    assert taste(profile, past, mix=low).wants @ to_past >= taste(profile, past, mix=high).wants @ to_past - TOLERANCE


def test_a_past_that_let_down_pushes_away() -> None:
    near_b = vector_of("item b")
    both = taste(profile_of(), {"a": 1.0, "b": -0.7})
    assert both.wants @ near_b < -0.3
    assert dict(both.contributions(near_b))[both.components[1]] < 0


# Edits -----------------------------------------------------------------------------------------------------------------


@given(profiles, pasts, mixes, strengths)
@patient
def test_a_new_like_moves_the_match_with_whoever_is_near_it_up(
    profile: Profile, past: dict[str, float], mix: float, strength: float
) -> None:
    likes = (*profile.likes, Phrase(text="folding boats", strength=strength))
    near = vector_of("folding boats")
    before, after = taste(profile, past, mix=mix), taste(profile.model_copy(update={"likes": likes}), past, mix=mix)
    assert after.wants @ near > before.wants @ near
    assert {one.label: value for one, value in after.contributions(near)}["folding boats"] > 0


@given(profiles, pasts, mixes, strengths)
@patient
def test_a_dislike_of_a_kind_of_thing_pushes_away_from_it(
    profile: Profile, past: dict[str, float], mix: float, strength: float
) -> None:
    disliked = Phrase(text="folding boats", strength=strength, fault=False)
    near = vector_of("folding boats")
    before = taste(profile, past, mix=mix)
    after = taste(profile.model_copy(update={"dislikes": (*profile.dislikes, disliked)}), past, mix=mix)
    assert after.wants @ near < before.wants @ near
    np.testing.assert_array_equal(after.fears, before.fears)


@given(profiles, pasts, heads, mixes, strengths)
@patient
def test_a_dislike_of_a_fault_changes_only_what_is_feared(
    profile: Profile, past: dict[str, float], head: Head, mix: float, strength: float
) -> None:
    feared = Phrase(text="leaks", strength=strength, fault=True)
    before = taste(profile, past, head, mix)
    after = taste(profile.model_copy(update={"dislikes": (*profile.dislikes, feared)}), past, head, mix)
    np.testing.assert_array_equal(after.wants, before.wants)
    assert after.components == before.components
    assert not np.allclose(after.fears, before.fears)


def test_a_stronger_like_counts_for_more() -> None:
    near = vector_of("light gear")
    found = []
    for strength in (0.2, 1.0, 3.0):
        likes = (Phrase(text="quiet evenings"), Phrase(text="light gear", strength=strength))
        found.append(float(taste(profile_of().model_copy(update={"likes": likes})).wants @ near))
    assert found == sorted(found)
    assert found[0] < 0.3 < 0.9 < found[-1]


@given(profiles, pasts, heads)
@patient
def test_the_order_of_phrases_and_of_the_past_does_not_matter(profile: Profile, past: dict[str, float], head: Head) -> None:
    mixed = {"likes": profile.likes[::-1], "dislikes": profile.dislikes[::-1]}
    other = taste(profile.model_copy(update=mixed), dict(reversed(past.items())), head)
    here = taste(profile, past, head)
    np.testing.assert_allclose(here.wants, other.wants, atol=TOLERANCE)
    np.testing.assert_allclose(here.fears, other.fears, atol=TOLERANCE)


def test_nor_does_the_order_of_sentences() -> None:
    said = ["They want peace.", "They hate noise.", "They also want old maps."]
    found = [taste(profile_of("light gear", text=" ".join(order))) for order in permutations(said)]
    for one in found[1:]:
        np.testing.assert_allclose(one.wants, found[0].wants, atol=TOLERANCE)
        np.testing.assert_allclose(one.fears, found[0].fears, atol=TOLERANCE)


# The words sorted out --------------------------------------------------------------------------------------------------


def test_likes_weigh_one_together_and_the_text_half_as_much() -> None:
    words = words_of(profile_of("a b", "c d", "e f", text="They want peace. They want maps. They hate noise."), is_fault)
    weights = {role: sum(one.weight for one in words.components if one.role is role) for role in Role}
    assert weights[Role.LIKE] == pytest.approx(1)
    assert weights[Role.TEXT] == pytest.approx(TEXT_SAY * 2 / 3)
    assert [(one.label, one.weight) for one in words.feared] == [("noise", pytest.approx(TEXT_SAY / 3))]


def test_a_dislike_that_says_what_it_is_needs_no_guess() -> None:
    told = [Phrase(text="zips that jam", fault=False), Phrase(text="war novels", fault=True)]
    words = words_of(profile_of(dislikes=told), is_fault)
    assert [one.label for one in words.feared] == ["war novels"]
    assert [(one.label, one.weight) for one in words.components] == [("zips that jam", -1.0)]
    guessed = words_of(profile_of(dislikes=[Phrase(text="zips that jam"), Phrase(text="war novels")]), is_fault)
    assert [one.label for one in guessed.feared] == ["zips that jam"]


def test_a_refusal_in_the_text_that_a_phrase_says_already_does_not_count_twice() -> None:
    words = words_of(profile_of(dislikes=[Phrase(text="noise", fault=False)], text="They hate noise. They hate leaks."), is_fault)
    assert words.feared == ()
    assert [(one.label, one.weight) for one in words.components] == [("noise", -1.0), ("leaks", -TEXT_SAY / 2)]


def test_only_the_first_sentences_are_heard() -> None:
    words = words_of(profile_of(text="They want peace. " * 50), is_fault)
    assert len(words.components) == MOST_SENTENCES


@pytest.mark.parametrize(
    ("sentence", "refused"),
    [
        ("They would rather not have noise.", "noise"),
        ("I'd rather not have noise!", "noise"),
        ("She avoids crowds, and rain.", "crowds, and rain"),
        ("I can't stand horror", "horror"),
        ("I can’t stand horror", "horror"),
        ("I cannot bear horror", "horror"),
        ("I can not abide horror", "horror"),
        ("I don't like horror", "horror"),
        ("I don’t want horror", "horror"),
        ("He does not care for horror", "horror"),
        ("We HATE horror", "horror"),
        ("Tired of: plastic;", "plastic"),
        ("No more plastic.", "plastic"),
        ("I hate.", "I hate."),
        ("They want peace.", ""),
        ("I do not mind rain.", ""),
        ("I like to avert disaster.", ""),
        ("", ""),
    ],
)
def test_a_refusal_is_known_by_its_words(sentence: str, refused: str) -> None:
    assert refused_in(sentence) == refused


# Training and serving --------------------------------------------------------------------------------------------------


def some_world() -> World:
    """Six items with two personas each, one of them disappointed, and three people with a few things behind them."""
    rng = np.random.default_rng(11)
    personas = tuple(
        persona_of(item, number, Stance.DISAPPOINTS if number else Stance.SUITS) for item in ITEMS[:5] for number in range(2)
    )
    evidence = NeedEvidence(
        rng.normal(scale=0.3, size=(8, len(NEEDS))).astype(np.float32),
        np.array([False, True] * 4),
        rng.normal(scale=0.3, size=(len(ITEMS), len(NEEDS))).astype(np.float32),
    )
    visits = {
        "u": [Visit("r0", 0, days(0), 1.0, (0, 1)), Visit("r1", 1, days(90), 0.5), Visit("r2", 5, days(99), 1.0, (2, 3))],
        "v": [Visit("r3", 2, days(10), -0.7, (4, 5)), Visit("r4", 3, days(20), 1.0), Visit("r5", 2, days(95), 0.6, (6,))],
        "w": [Visit("r6", 5, days(50), 1.0), Visit("r7", 4, days(60), 0.4, (7,))],
    }
    return World(ITEMS, personas, random_units(len(personas), 12), visits, evidence, random_units(8, 13), days(100))


@pytest.mark.parametrize("mix", [0.5, 0.2, 1.0, 0.0])
def test_training_and_serving_give_the_same_scores(mix: float) -> None:
    """One text builder and one pooling: the net that learns from a pair sees just what the engine would show for its profile."""
    import torch

    world, start = some_world(), some_head()
    torch.manual_seed(5)
    net = _net(world, start, Recipe(rank=4)).eval()
    with torch.no_grad():
        for one in net.maps.values():
            one.normal_(0, 0.08)  # as if it had learned a good deal
    head = _head_of(net, start)
    pairs = pairs_of(world, head, encode, is_fault)
    assert "".join(ITEMS[item] for item in pairs.item) == "abfcdef"
    with torch.inference_mode():
        inputs = [torch.tensor(one) for one in (pairs.words, pairs.fears, pairs.past)]
        learnt, suits = net(*inputs, torch.full((len(pairs), 1), mix), net.everything)
        (best, worst), _ = net.matches(*inputs, torch.full((len(pairs), 1), mix), net.everything)
    mapped = head.of_personas(world.vectors)
    for row in range(len(pairs)):
        served = served_taste(world, pairs, row, head, mix)
        match, alarm = matches(mapped, served.wants[None], served.fears[None])
        right = ~world.disappoints
        np.testing.assert_allclose(suits[row].numpy()[right], match[0][right], atol=TOLERANCE)
        for place in range(5):
            own = world.persona_items == place
            assert float(best[row, place]) == pytest.approx(match[0][own & right].max(), abs=TOLERANCE)
            assert float(worst[row, place]) == pytest.approx(max(alarm[0][own & ~right].max(), 0.0), abs=TOLERANCE)
            assert float(learnt[row, place]) == pytest.approx(
                match[0][own & right].max() - head.penalty * max(alarm[0][own & ~right].max(), 0.0), abs=TOLERANCE
            )  # fmt: skip


def test_what_a_pair_knows_is_what_its_profile_says() -> None:
    world, head = some_world(), some_head()
    pairs = pairs_of(world, head, encode, is_fault)
    for row in range(len(pairs)):
        words, fears = pooled(served_profile(world, pairs, row), head, encode, is_fault)
        np.testing.assert_allclose(pairs.words[row], words, atol=TOLERANCE)
        np.testing.assert_allclose(pairs.fears[row], fears, atol=TOLERANCE)
        served = served_taste(world, pairs, row, head, 1.0)
        np.testing.assert_allclose(served.wants, unit(head.words(words)), atol=TOLERANCE)
        np.testing.assert_allclose(served.fears, unit(head.words(fears)), atol=TOLERANCE)


def test_what_is_feared_is_looked_for_beside_what_is_wanted() -> None:
    head, found = plain_head(), taste(profile_of("light gear", dislikes=[Phrase(text="leaks", fault=True)]))
    mapped = head.of_personas(encode(["light gear", "leaks"]))
    match, alarm = matches(mapped, found.wants[None], found.fears[None])
    length = (1 + FEAR_SAY**2) ** 0.5
    assert match[0].tolist() == pytest.approx([1.0, 0.0], abs=0.2)
    assert alarm[0].tolist() == pytest.approx([1 / length, FEAR_SAY / length], abs=0.2)


def without_its_item(world: World, pairs: Pairs, row: int) -> list[Visit]:
    return [one for one in world.visits[pairs.users[pairs.user[row]]] if one.item != pairs.item[row]]


def served_profile(world: World, pairs: Pairs, row: int) -> Profile:
    return build_profile("u", without_its_item(world, pairs, row), world.items, world.known, world.now)


def served_taste(world: World, pairs: Pairs, row: int, head: Head, mix: float) -> Taste:
    middles = dict(zip(world.items, item_middles(world.items, world.personas, world.vectors, head), strict=True))
    weights = past_weights(without_its_item(world, pairs, row), world.now, Rules().half_life_days)
    past = {world.items[item]: weight for item, weight in weights.items()}
    words = words_of(served_profile(world, pairs, row), is_fault)
    return taste_of(words, past, lambda item: middles[item] if middles[item].any() else None, encode, head, mix)
