"""Which study the desk is about: the one that is served, those in the workspace, and the one that ships."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from persona_core.errors import PersonaError
from persona_core.files import write_beside
from persona_core.study.design import Study, read_study
from persona_core.study.place import TEMPLATE, studies_of, study_files
from persona_core.study.questionnaires import NAME
from persona_core.workspace import Workspace

CHOSEN, NAMED = "desk_study", "desk_new_name"


@dataclass(frozen=True, slots=True)
class Chosen:
    file: Path
    study: Study | None
    error: PersonaError | None

    @property
    def text(self) -> str:
        return self.file.read_text("utf-8", errors="replace")

    @property
    def ships(self) -> bool:
        """It belongs to the project: it is looked at and copied, not changed."""
        return self.file == TEMPLATE


def choose(place: Workspace) -> Chosen:
    served = place.settings.study.file
    files = list(dict.fromkeys(one.resolve() for one in (*([served] if served else []), *study_files(place), TEMPLATE)))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        file = st.selectbox("Study", files, format_func=lambda one: _called(one, served), key=CHOSEN)
        if place.settings.readonly:
            return _read(file)
        with st.popover("A new one", icon=":material/add:"):
            st.text_input("Its name, in small letters", key=NAMED, max_chars=40, placeholder="such as: reasons-in-spring")
            st.caption("It begins as a copy of the chosen one.")
            st.button("Make it", on_click=_make, args=(place, file))
    return _read(file)


def _called(file: Path, served: Path | None) -> str:
    name = "The study that ships" if file == TEMPLATE else file.stem
    return f"{name} (served here)" if served and file == served.resolve() else name


def _read(file: Path) -> Chosen:
    try:
        return Chosen(file, read_study(file), None)
    except PersonaError as error:
        return Chosen(file, None, error)


def _make(place: Workspace, source: Path) -> None:
    name = str(st.session_state.get(NAMED) or "").strip()
    target = studies_of(place) / f"{name}.toml"
    if not re.fullmatch(NAME, name):
        st.toast("A name is small letters, digits and hyphens, and begins with a letter.", icon=":material/edit:")
        return
    if target.exists():
        st.toast("There is one of this name already.", icon=":material/edit:")
        return
    read_study(source)  # what cannot be run is not copied
    write_beside(target, renamed(source.read_text("utf-8"), name).encode())
    st.session_state[CHOSEN] = target.resolve()


def renamed(text: str, name: str) -> str:
    """The file under another id, with its comments."""
    return re.sub(r"(?m)^id\s*=.*$", f'id = "{name}"', text, count=1)
