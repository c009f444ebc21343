"""What the trend model said of the demo world, as it ships: of these very counts, true, and readable to the last sentence."""

from __future__ import annotations

from persona_core.trends.files import Trends
from persona_core.trends.model.examples import examples_at
from persona_core.trends.model.working import opened
from persona_core.trends.words import wholly_borne_out
from persona_core.workspace import Workspace


def test_the_words_that_ship_are_shown_and_hold(built_demo: Workspace) -> None:
    trends = Trends.of(built_demo.artefact("trends"))
    assert trends.model == "gemma3-270m"
    panel, items = opened(built_demo)
    known = {one.item: one for one in examples_at(panel, items, None, 0)}
    assert set(trends.told) <= set(known)
    assert len(trends.told) > 0.9 * len(known)
    for item, told in trends.told.items():
        one = known[item]
        assert wholly_borne_out(told.reason, one.values, one.by_chance, one.way(told.expected)), told.reason
