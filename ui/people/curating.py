"""What a curator can do: rename or hide a persona, with a note, and take each back."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from persona_core.engine import Engine
from persona_core.errors import PersonaError
from persona_core.personas import curation
from persona_core.personas.curation import LONGEST_NAME, LONGEST_NOTE, Action, Entry
from persona_core.personas.files import PERSONAS, read_personas
from persona_core.schema import Persona
from persona_core.workspace import Workspace
from ui import state
from ui.look import tame
from ui.markup import el, joined, show

READ_ONLY = "This app only reads: personas cannot be renamed or hidden here."


def tools(engine: Engine, persona: Persona) -> None:
    """A small sheet with the two things that can be done."""
    with st.popover("Curate", type="tertiary", icon=":material/edit_note:", key=f"people_curate_{persona.id}"):
        if engine.workspace.settings.readonly:
            st.caption(READ_ONLY)
            return
        with st.form(f"people_form_{persona.id}", border=False):
            st.text_input("Name", value=persona.name, max_chars=LONGEST_NAME, key=_key("name", persona))
            st.text_input("Note", max_chars=LONGEST_NOTE, key=_key("note", persona), placeholder="why, for whoever comes after")
            with st.container(horizontal=True):
                st.form_submit_button(
                    "Rename", icon=":material/edit:", key=_key("rename", persona), on_click=_rename, args=(engine.workspace, persona)
                )
                st.form_submit_button(
                    "Hide",
                    icon=":material/visibility_off:",
                    key=_key("hide", persona),
                    on_click=_hide,
                    args=(engine.workspace, persona),
                )
        st.caption("Hidden personas neither match nor explain. What is built stays as it is, and everything can be undone.")


def _key(what: str, persona: Persona) -> str:
    return f"people_{what}_{persona.id}"


def _rename(place: Workspace, persona: Persona) -> None:
    name, note = (str(st.session_state.get(_key(what, persona)) or "") for what in ("name", "note"))
    if name.strip() == persona.name:
        state.say("That is its name already.")
    else:
        _try(lambda: curation.rename(place, persona, name, note), "Renamed. It can be undone under what curators changed.")


def _hide(place: Workspace, persona: Persona) -> None:
    note = str(st.session_state.get(_key("note", persona)) or "")
    _try(lambda: curation.hide(place, persona, note), "Hidden. It can be undone under what curators changed.")


def _undo(place: Workspace, persona: Persona, entry: Entry) -> None:
    _try(lambda: curation.undo(place, persona, entry), "Undone.")


def _try(act: Callable[[], Entry], done: str) -> None:
    try:
        act()
    except PersonaError as error:
        state.say(tame(f"{error.what} {error.mend}".strip()))
    else:
        state.say(done)


# What was done -----------------------------------------------------------------------------------------------------------


def history(engine: Engine, item_id: str | None = None) -> None:
    """What holds now of all that curators said, of one item or of all, each with its way back."""
    place = engine.workspace
    said = held(place)
    if item_id is not None:
        said = [(persona, entry) for persona, entry in said if persona.item_id == item_id]
    if not said:
        return
    with st.expander(f"What curators changed ({len(said)})", icon=":material/history:", key=f"people_history_{item_id or 'all'}"):
        for persona, entry in said:
            _line(engine, persona, entry)
        if place.settings.readonly:
            st.caption(READ_ONLY)


def held(place: Workspace) -> list[tuple[Persona, Entry]]:
    """Every persona that something holds of, as built, with the last thing said; the latest first."""
    entries = curation.read_entries(place.root)
    if not entries:
        return []
    built = _built(str(place.root), place.version_now("personas"))
    found = curation.held(built, entries)
    return sorted(((one, found[one.id][-1]) for one in built if one.id in found), key=lambda one: one[1].time, reverse=True)


@st.cache_resource(max_entries=2, show_spinner=False)
def _built(root: str, version: str) -> tuple[Persona, ...]:
    return tuple(read_personas(Workspace.at(root).artefact("personas").file(PERSONAS)))


def _line(engine: Engine, persona: Persona, entry: Entry) -> None:
    hidden = entry.action is Action.HIDE
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"people-said-{persona.id}"):
        what = (
            joined(el("b", persona.name), " is hidden") if hidden else joined(el("b", persona.name), " is now ", el("b", entry.name))
        )
        item = engine.item(persona.item_id).title if persona.item_id in engine.code else persona.item_id
        when = f"{entry.time.day} {entry.time:%B %Y}"
        show(
            el("p", what),
            el("p", " · ".join(part for part in (f"on {item}", when, entry.note) if part), cls="ps-meta"),
        )
        if not engine.workspace.settings.readonly:
            st.button(
                "Undo",
                icon=":material/undo:",
                key=f"people_undo_{persona.id}",
                on_click=_undo,
                args=(engine.workspace, persona, entry),
            )
