"""Search results and other lists of items and personas: each line says what it is, and opens it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from persona_core.engine import Engine
from persona_core.errors import PersonaError
from persona_core.personas import curation
from persona_core.personas.files import PERSONAS, VECTORS, read_personas, read_vectors
from persona_core.personas.search import Found, Shelf, search
from persona_core.schema import Item, Persona
from persona_core.workspace import Workspace
from ui.look import tame
from ui.markup import el, show
from ui.people import choosing
from ui.people.chip import chip

HOW = {"words": "by its words", "meaning": "by what it means"}
MOST = 8


def draw(engine: Engine, query: str) -> list[str]:
    """What is found, items beside personas, and the ids of the personas found."""
    found = look_for(engine, query)
    if not found:
        st.info(
            "Try fewer words, or other ones: a need, a place, a thing.",
            title="Nothing is like that here",
            icon=":material/search_off:",
        )
        return []
    items = [one for one in found if one.kind == "item"]
    personas = [one for one in found if one.kind == "persona"]
    left, right = st.columns(2, gap="large")
    with left:
        show(el("p", f"Items ({len(items)})", cls="ps-label"))
        for one in items:
            item_line(engine.item(one.id), how_of(one))
    with right:
        show(el("p", f"Personas ({len(personas)})", cls="ps-label"))
        for one in personas:
            persona_line(engine, engine.persona(one.id), "found", how_of(one))
    return [one.id for one in personas]


def how_of(one: Found) -> str:
    return f"found {HOW[one.by]}" + (f" ({one.cosine:.2f})" if one.cosine is not None else "")


def look_for(engine: Engine, query: str) -> list[Found]:
    """By words and by meaning; by words alone where the encoder cannot be had."""
    place = engine.workspace
    shelf = _shelf(str(place.root), place.version_now("personas"), curation.fingerprint(place.root), engine)
    try:
        with st.spinner("Looking for it …", show_time=False):
            return search(query, shelf, engine.book.vectors, MOST)
    except PersonaError:
        st.caption("Only words are compared now: what they mean cannot be read here.")
        return search(query, shelf, None, MOST)


@st.cache_resource(max_entries=2, show_spinner=False)
def _shelf(root: str, version: str, curated: str, _engine: Engine) -> Shelf:
    made = Workspace.at(root).artefact("personas")
    row = {one.id: number for number, one in enumerate(read_personas(made.file(PERSONAS)))}
    known = [one for one in _engine.personas if one.id in row]
    return Shelf.of(_engine.items, known, read_vectors(made.file(VECTORS))[[row[one.id] for one in known]])


# Lines -------------------------------------------------------------------------------------------------------------------


def item_line(item: Item, note: str) -> None:
    with st.container(key=f"people-line-item-{item.id}", gap=None):
        st.button(
            tame(item.title or item.id), key=f"people_item_{item.id}", type="tertiary", on_click=choosing.open_item, args=(item.id,)
        )
        show(el("p", " · ".join(part for part in (item.scenario, item.maker, note) if part), cls="ps-meta"))


def persona_line(engine: Engine, persona: Persona, where: str, note: str = "") -> None:
    item = engine.item(persona.item_id)
    with st.container(key=f"people-line-{where}-{persona.id}", gap=None):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            show(chip(persona), width="content")
            st.button(
                f"on {tame(item.title or item.id)}",
                key=f"people_{where}_{persona.id}",
                type="tertiary",
                on_click=choosing.open_item,
                args=(item.id, persona.id),
            )
        if note or persona.traits:
            show(
                el(
                    "p",
                    " · ".join(part for part in (item.scenario, persona.traits[0] if persona.traits else "", note) if part),
                    cls="ps-meta",
                )
            )


def persona_lines(engine: Engine, personas: Sequence[Persona], where: str) -> None:
    """In two columns, read down the first."""
    half = (len(personas) + 1) // 2
    for column, some in zip(st.columns(2, gap="large"), (personas[:half], personas[half:]), strict=True):
        with column:
            for one in some:
                persona_line(engine, one, where)
