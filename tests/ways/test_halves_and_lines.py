"""What a profile is made from ends where the newest visits begin, and a profile's lines are read as they were written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from persona_core.profiles.edits import LONGEST_PHRASE
from persona_core.profiles.evidence import Visit
from persona_core.profiles.ways.halves import halved
from persona_core.profiles.ways.written import MOST, from_lines, to_lines
from persona_core.schema import Phrase, Profile

EMPTY = Profile(user_id="u", version=1, text="")
times = st.lists(st.integers(0, 50), max_size=40)
words = st.text(st.characters(categories=["Ll", "Lu"]), min_size=1, max_size=12)


def visits(moments: list[int]) -> list[Visit]:
    return [Visit(f"r{number}", number, moment, 1.0) for number, moment in enumerate(moments)]


@given(times, st.integers(0, 20))
def test_both_parts_are_all_of_it_and_the_newest_part_is_the_newest(moments: list[int], recent: int) -> None:
    found = halved(visits(moments), recent)
    assert sorted(one.review_id for one in (*found.older, *found.recent)) == sorted(f"r{number}" for number in range(len(moments)))
    assert len(found.recent) == min(recent, len(moments) // 2)
    if found.recent:
        assert found.boundary == min(one.time for one in found.recent)
        assert max(one.time for one in found.older) <= found.boundary
    else:
        assert found.boundary is None


def test_the_boundary_moves_with_time() -> None:
    one, later = (halved(visits(list(range(many))), 10).boundary for many in (25, 30))
    assert (one, later) == (15, 20)


@given(st.lists(words, max_size=MOST, unique=True), st.lists(words, max_size=MOST, unique=True), st.lists(words, max_size=6))
def test_lines_are_read_as_they_were_written(likes: list[str], dislikes: list[str], text: list[str]) -> None:
    profile = EMPTY.model_copy(
        update={
            "likes": tuple(Phrase(text=one) for one in likes),
            "dislikes": tuple(Phrase(text=one) for one in dislikes if one not in likes),
            "text": " ".join(text),
        }
    )
    assert from_lines(to_lines(profile), EMPTY) == profile


@given(st.text(max_size=2_000))
def test_whatever_a_model_writes_is_some_profile(text: str) -> None:
    found = from_lines(text, EMPTY)
    assert len(found.likes) <= MOST
    assert all(one.text and len(one.text) <= LONGEST_PHRASE for one in (*found.likes, *found.dislikes))
    assert not {one.text for one in found.likes} & {one.text for one in found.dislikes}


def test_the_strongest_like_comes_first() -> None:
    profile = EMPTY.model_copy(update={"likes": (Phrase(text="weak", strength=0.5), Phrase(text="strong", strength=2.0))})
    assert to_lines(profile) == "Likes: strong; weak"
