"""What profiles are compared with is what it says, and feelings are foretold by bounds that are found elsewhere."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.profile_forms import json_summary, keywords
from benchmarks.sentiment import FEELINGS, Felt, bounds_on, quality, standing_of, together
from persona_core.profiles.evidence import pleased
from tests.support.pasts import SOME, past

pytestmark = pytest.mark.xdist_group("encoder")
felt = st.lists(st.tuples(st.floats(0, 1), st.sampled_from(FEELINGS)), min_size=1, max_size=30)


def made(rows: list[tuple[float, str]]) -> Felt:
    return Felt(np.array([stand for stand, _ in rows]), [feeling for _, feeling in rows])


def test_fixed_forms_say_what_the_past_says() -> None:
    words = keywords(past(*SOME)).profile
    assert [one.text for one in words.likes] == ["l"]
    assert not words.text
    said = orjson.loads(json_summary(past(*SOME)).profile.text)
    assert said["interactions"] == len(SOME)
    assert said["recent_titles"][0] == "A quiet fan"


@given(felt)
def test_the_bounds_that_are_found_are_no_worse_than_any_other(rows: list[tuple[float, str]]) -> None:
    some = made(rows)
    best = quality(some, bounds_on(some))[1]
    assert best >= quality(some, (0.0, 0.5))[1]
    assert best >= quality(some, (0.2, 0.8))[1]


def test_things_that_stand_high_are_taken_to_be_liked() -> None:
    since = [SimpleNamespace(item=item, pleased=pleased(stars)) for item, stars in ((0, 1.0), (1, 3.0), (2, 5.0))]
    found = standing_of(np.array([0.1, 0.5, 0.9]), since)
    assert found.stands.tolist() == [0.0, 0.5, 1.0]
    assert found.feelings == ["dislike", "neutral", "like"]
    assert quality(found, (0.25, 0.75)) == (1.0, 1.0)
    assert len(together([found, found]).feelings) == 6
    assert np.isnan(quality(together([]), (0.0, 0.5))[0])
