"""Opening an engine on a made shop, and reading its answers."""

from __future__ import annotations

from persona_core.engine import Engine, Options
from persona_core.schema import Phrase, Profile, Recommendation
from persona_core.workspace import Workspace
from tests.support.shops import (
    FakeBook,
)

USER = "u03"
EVERYTHING = Options(seen_too=True)


def opened(place: Workspace) -> Engine:
    engine = Engine.open(place)
    engine.book = FakeBook()  # type: ignore[assignment]
    return engine


def items_of(found: list[Recommendation]) -> list[str]:
    return [one.item_id for one in found]


def part(one: Recommendation, name: str) -> float:
    return next(value.value for value in one.parts if value.name == name)


def liking(*texts: str) -> Profile:
    return Profile(user_id="new", version=1, text="", likes=tuple(Phrase(text=text) for text in texts))
