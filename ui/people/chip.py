"""A persona in one line, the same on every page: a sign and a colour for its stance, and its name."""

from __future__ import annotations

from persona_core.schema import Persona, Stance
from ui.markup import Markup, el

GLYPHS = {Stance.SUITS: "●", Stance.MIXED: "◐", Stance.DISAPPOINTS: "○"}
WORDS = {Stance.SUITS: "suits them", Stance.MIXED: "suits them in part", Stance.DISAPPOINTS: "disappoints them"}


def chip(persona: Persona) -> Markup:
    return named(persona.name, persona.stance)


def named(name: str, stance: Stance) -> Markup:
    glyph = el("span", GLYPHS[stance], cls="ps-glyph", aria_hidden="true")
    return el("span", glyph, " ", name, cls=f"ps-persona ps-{stance}", title=WORDS[stance])


def stances() -> Markup:
    """What the signs mean."""
    return el("div", *(el("span", f"{GLYPHS[one]} {WORDS[one]}") for one in Stance), cls="ps-legend")
