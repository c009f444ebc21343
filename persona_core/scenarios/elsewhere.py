"""Somebody as if they had never been to a scenario: what is left of their profile, and what they truly chose there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from persona_core.schema import Profile

if TYPE_CHECKING:
    from persona_core.engine import Engine, Options


def as_newcomer(engine: Engine, profile: Profile, scenario: str, options: Options | None = None) -> tuple[Profile, Options]:
    """The profile without what it owes to that scenario, and options that rank that scenario's things for a newcomer to it."""
    behind = [review for phrase in (*profile.likes, *profile.dislikes) for review in phrase.review_ids]
    inside = {one.id for one in engine.reviews(behind) if engine.item(one.item_id).scenario == scenario}

    def stays(review_ids: tuple[str, ...]) -> bool:
        return not review_ids or not inside.issuperset(review_ids)

    left = profile.model_copy(
        update={
            "likes": tuple(one for one in profile.likes if stays(one.review_ids)),
            "dislikes": tuple(one for one in profile.dislikes if stays(one.review_ids)),
            "history": tuple(one for one in profile.history if engine.item(one).scenario != scenario),
        }
    )
    only = frozenset([scenario])
    return left, replace(options or engine.options, scenarios=only, as_new=only)


def chosen_there(engine: Engine, profile: Profile, scenario: str) -> list[str]:
    """The items of that scenario that they came to."""
    return [one for one in profile.history if engine.item(one).scenario == scenario]
