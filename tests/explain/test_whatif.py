"""The smallest edit: what is promised is what the engine says when it is asked again, and nothing smaller does it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from persona_core.explain import WhatIf, what_if
from persona_core.explain.whatif import applied, tweaks
from persona_core.schema import Phrase, Profile
from tests.explain.worlds import MARKET, SmallEngine, liked

pytestmark = pytest.mark.xdist_group("explain")

READERS = (
    liked("light_to_carry", "easy_upkeep"),
    liked("weather_outdoors", "language", dislikes=(Phrase(text="a dead weight in the bag", fault=True),)),
    liked("looks_style", dislikes=(Phrase(text="war novels", fault=False),), history=("plate",)),
)
K = 3


def ranks(engine: SmallEngine, profile: Profile, item: str) -> int | None:
    return engine.rank(profile).rank(engine.code[item])


def does(rank: int | None, inwards: bool) -> bool:
    return rank is not None and (rank <= K) is inwards


@pytest.fixture(scope="module")
def answers(engine: SmallEngine) -> list[tuple[Profile, WhatIf]]:
    return [(reader, what_if(engine, reader, None, item, K)) for reader in READERS for item in sorted(MARKET)]


def test_asked_again_the_edited_profile_has_the_promised_rank(engine: SmallEngine, answers: list[tuple[Profile, WhatIf]]) -> None:
    found = [(reader, one) for reader, one in answers if one.profile is not None]
    assert len(found) > 5
    for reader, one in found:
        assert one.profile is not None
        assert one.before == ranks(engine, reader, one.item_id)
        assert one.after == ranks(engine, one.profile, one.item_id)
        assert (one.before is not None and one.before <= K) is not (one.after is not None and one.after <= K)
        assert one.profile.version == reader.version + 1
        assert 1 <= len(one.edits) <= 2


def test_no_smaller_edit_of_the_kinds_tried_does_it(engine: SmallEngine, answers: list[tuple[Profile, WhatIf]]) -> None:
    for reader, one in answers:
        if one.before is None:
            continue
        inwards = one.before > K
        singles = tweaks(engine, reader, engine.rank(reader), one.item_id, inwards)
        size = sum(edit.size for edit in one.edits)
        smaller = [edit for edit in singles if len(one.edits) != 1 or edit.size < size]
        assert not any(does(ranks(engine, applied(reader, [edit]), one.item_id), inwards) for edit in smaller)


def test_what_cannot_be_done_is_said_in_words(answers: list[tuple[Profile, WhatIf]]) -> None:
    undone = [one for _, one in answers if one.profile is None and one.before is not None]
    assert undone
    for one in undone:
        assert one.text.startswith("No edit of one phrase, nor of two, would ")
        assert one.after is None
        assert not one.edits


def test_the_edit_is_said_in_words(answers: list[tuple[Profile, WhatIf]]) -> None:
    for _, one in answers:
        if one.profile is not None:
            assert all(edit.words in one.text for edit in one.edits)
            assert f"from {one.before} to {one.after}" in one.text
            assert ("rises" in one.text) is (one.before > K)  # type: ignore[operator]


def test_no_edit_brings_back_what_is_shut_out(engine: SmallEngine) -> None:
    seen = what_if(engine, liked("looks_style", history=("plate",)), None, "plate")
    assert (seen.profile, seen.before, seen.asked) == (None, None, 1)
    assert "you came to it already" in seen.text
    shut = what_if(engine, READERS[0], replace(engine.options, scenarios=frozenset({"books"})), "pan")
    assert "only books are let through" in shut.text


def test_the_options_that_were_asked_with_hold(engine: SmallEngine) -> None:
    options = replace(engine.options, scenarios=frozenset({"outdoors"}))
    one = what_if(engine, liked("weather_outdoors"), options, "flask", k=2)
    assert one.profile is not None
    assert engine.rank(one.profile, options).rank(engine.code["flask"]) == one.after == 2


def test_edits_on_offer_are_small_and_sensible(engine: SmallEngine) -> None:
    reader = READERS[2]
    offered = tweaks(engine, reader, engine.rank(reader), "pan", True)
    assert [one.size for one in offered] == sorted(one.size for one in offered)
    assert {one.kind for one in offered} == {"add", "drop", "flip", "remove", "strength"}
    assert "wants it easy to clean" in {one.phrase for one in offered if one.kind == "add"}
    fearing = tweaks(engine, READERS[1], engine.rank(READERS[1]), "pan", True)
    assert not [one for one in fearing if one.kind == "flip"], "nobody comes to like a fault"


def test_an_empty_profile_can_only_gain(engine: SmallEngine) -> None:
    one = what_if(engine, liked(), None, "scale", k=1)
    assert [edit.kind for edit in one.edits] in (["add"], ["add", "add"])
