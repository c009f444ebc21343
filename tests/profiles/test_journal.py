"""A journal of edits: every version comes back, undo takes back exactly one act, and a link or a file is believed in nothing."""

from __future__ import annotations

import base64
import zlib

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_core.profiles.edits import MOST_PHRASES, EditRefused
from persona_core.profiles.journal import (
    LARGEST_FILE,
    LONGEST_LINK,
    MOST_ACTS,
    Act,
    Journal,
    from_file,
    from_link,
    in_words,
    setting,
    to_file,
    to_link,
)
from persona_core.schema import Phrase, Profile

BUILT = Profile(
    user_id="u1", version=1, text="They want quiet.",
    likes=(Phrase(text="quiet evenings", review_ids=("r1",)), Phrase(text="long walks")),
    dislikes=(Phrase(text="loud fans", fault=True),), history=("i1", "i2"),
)  # fmt: skip
words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)
phrases = st.sampled_from(["quiet evenings", "long walks", "loud fans"]) | words
acts = st.one_of(
    st.builds(Act, st.sampled_from(["like", "dislike", "drop", "weigh", "flip", "say"]), phrases, st.floats(0.1, 3.0)),
    st.builds(Act, st.just("back"), st.just(""), st.integers(0, 9).map(float)),
)


def journal_of(done: list[Act]) -> Journal:
    journal = Journal()
    for act in done:
        journal = journal.did(act)
    return journal


@given(st.lists(acts, max_size=12))
def test_undo_takes_back_one_act_and_redo_does_it_again(done: list[Act]) -> None:
    journal = journal_of(done)
    profiles = [journal.profile(BUILT)]
    while journal.can_undo:
        journal = journal.undone()
        profiles.append(journal.profile(BUILT))
    assert profiles[-1] == BUILT
    for profile in reversed(profiles[:-1]):
        journal = journal.redone()
        assert journal.profile(BUILT) == profile
    assert not journal.can_redo


@given(st.lists(acts, max_size=12), st.integers(0, 12), words)
def test_a_link_brings_every_version_back(done: list[Act], back: int, name: str) -> None:
    journal = journal_of(done)
    for _ in range(min(back, len(done))):
        journal = journal.undone()
    journal = journal.named(name)
    again = from_link(to_link(journal, BUILT))
    assert again.profile(BUILT) == journal.profile(BUILT)
    if journal.acts:
        assert again.versions(BUILT) == journal.versions(BUILT)


@given(st.lists(acts, max_size=8))
def test_a_file_makes_anybodys_profile_say_the_same(done: list[Act]) -> None:
    profile = journal_of(done).profile(BUILT)
    other = Journal().did(from_file(to_file(profile))).profile(Profile(user_id="u2", version=1, text="", history=("i9",)))
    assert (other.text, other.likes, other.dislikes) == (profile.text.strip(), profile.likes, profile.dislikes)
    assert (other.user_id, other.history) == ("u2", ("i9",))


def test_an_act_after_undo_drops_what_lay_behind_and_its_name() -> None:
    journal = journal_of([Act("like", "one"), Act("like", "two")]).named("both").undone()
    after = journal.did(Act("like", "three"))
    assert [one.words for one in after.versions(BUILT)][1:] == ["added the like “one”", "added the like “three”"]
    assert all(one.name == "" for one in after.versions(BUILT))


def test_going_back_is_a_version_of_its_own_that_can_be_undone() -> None:
    journal = journal_of([Act("drop", "long walks"), Act("back", value=0)])
    assert journal.profile(BUILT).likes == BUILT.likes
    assert len(journal.undone().profile(BUILT).likes) == 1


def test_an_act_that_no_longer_fits_changes_nothing() -> None:
    assert journal_of([Act("drop", "not there")]).profile(BUILT) == BUILT


def test_an_edit_keeps_the_reviews_that_a_phrase_rests_on() -> None:
    kept = journal_of([Act("flip", "quiet evenings"), setting(BUILT)]).profile(BUILT)
    assert kept.likes[0].review_ids == ("r1",)


@given(st.sampled_from(["like", "dislike", "drop", "weigh", "flip", "say", "set", "back"]), words)
def test_every_act_can_be_told(kind: str, text: str) -> None:
    assert in_words(Act(kind, text))


def test_a_long_journal_is_cut_to_what_holds_or_left_out_of_the_link() -> None:
    def text(number: int) -> str:
        return "".join(chr(0x4E00 + (number * 131 + place * 977) % 20_000) for place in range(190))

    many = journal_of([Act("like", text(number % 6)) for number in range(60)])
    link = to_link(many, BUILT)
    assert 0 < len(link) <= LONGEST_LINK
    assert from_link(link).profile(BUILT).likes == many.profile(BUILT).likes
    too_many = journal_of([Act("like", text(number)) for number in range(38)])
    assert to_link(too_many, BUILT) == ""


def test_there_is_an_end_to_edits() -> None:
    journal = journal_of([Act("like", "one")] * MOST_ACTS)
    with pytest.raises(EditRefused, match="edits already"):
        journal.did(Act("like", "two"))


def _linked(value: object) -> str:
    return base64.urlsafe_b64encode(zlib.compress(orjson.dumps(value))).decode().rstrip("=")


@pytest.mark.parametrize(
    "link",
    [
        "nonsense",
        "%%%",
        "A",
        _linked("a string"),
        _linked([[["drop table", "x", 1]], 1, []]),
        _linked([[["like", "x", "much"]], 1, []]),
        _linked([[["like", "x", 1]], 7, []]),
        _linked([[["like", "x", 1]], -1, []]),
        _linked([[["like", "x", 1]] * (MOST_ACTS + 1), 1, []]),
        _linked([[["like", "x" * 10_000_000, 1]], 1, []]),
    ],
)
def test_a_hostile_link_is_refused_in_words(link: str) -> None:
    with pytest.raises(EditRefused, match="not understood"):
        from_link(link)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_profile_or_refused(raw: bytes) -> None:
    with pytest.raises(EditRefused):
        from_file(raw)


@pytest.mark.parametrize(
    "given_",
    [
        {"likes": "many"},
        {"likes": [{"text": "x", "strength": "strong"}]},
        {"likes": [{"text": "x" * 500}]},
        {"likes": [{"text": "  "}]},
        {"likes": [{"text": f"phrase {number}"} for number in range(MOST_PHRASES + 1)]},
        {"likes": [{"text": "x", "onclick": "alert(1)"}]},
        {"text": "x" * 5_000},
        {"likes": [[["deep"]]]},
    ],
)
def test_a_hostile_file_is_refused_in_words(given_: dict[str, object]) -> None:
    with pytest.raises(EditRefused):
        from_file(orjson.dumps({"personascope profile": 1, **given_}))


def test_a_file_that_is_too_large_is_not_read() -> None:
    with pytest.raises(EditRefused, match="too large"):
        from_file(b" " * (LARGEST_FILE + 1))


def test_nobody_likes_and_dislikes_the_same() -> None:
    raw = orjson.dumps({"personascope profile": 1, "likes": [{"text": "fog"}], "dislikes": [{"text": "fog"}, {"text": "rain"}]})
    profile = Journal().did(from_file(raw)).profile(BUILT)
    assert [one.text for one in profile.dislikes] == ["rain"]
