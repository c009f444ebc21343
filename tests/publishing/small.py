"""A workspace of two small steps, to publish and to fetch."""

from __future__ import annotations

from persona_core.workspace import Workspace
from tests.support.steps import two_steps, writing

STEPS = ("one", "two")


def build(place: Workspace, text: str = "hello", module: str = "errors") -> None:
    two_steps(place, run=writing(text), code=(f"persona_core.{module}",)).build()


def held(place: Workspace) -> str:
    return place.artefact("two", deep=True).file("out.txt").read_text()
