"""What all visits to one study share: its file as it stands, its store, and the engine it is shown with."""

from __future__ import annotations

import logging
from pathlib import Path

import streamlit as st

from persona_core.engine import Engine
from persona_core.errors import PersonaError
from persona_core.study.design import Study, read_study
from persona_core.study.place import database_of, open_store
from persona_core.study.showing import check_that_it_can_be_shown
from persona_core.study.sitting import Hall
from persona_core.study.store import StudyStore
from persona_core.workspace import Workspace


def hall(place: Workspace, file: Path) -> Hall:
    """Raises StudyRefused and StoreUnavailable."""
    return Hall(_study(str(file), file.stat().st_mtime_ns if file.exists() else 0), store(place))


def store(place: Workspace) -> StudyStore:
    return _store(database_of(place), place)


def ready(hall: Hall, engine: Engine) -> None:
    """Raises StudyRefused where this workspace cannot show it."""
    _ready(hall.study.content, id(engine), hall.study, engine)


@st.cache_data(max_entries=8, show_spinner="Getting ready …")
def _ready(content: str, engine_id: int, _study: Study, _engine: Engine) -> bool:
    check_that_it_can_be_shown(_study, _engine)
    _engine.rank(_engine.newcomer("nobody", ("ready",)))  # the first ranking of a server opens the encoder, which takes seconds
    return True


@st.cache_data(max_entries=8, show_spinner=False)
def _study(file: str, changed: int) -> Study:
    return read_study(Path(file))


@st.cache_resource(max_entries=8, show_spinner=False)
def _store(url: str, _place: Workspace) -> StudyStore:
    return open_store(_place)


def note_for_the_researcher(error: PersonaError) -> None:
    """Into the server's log: a participant can do nothing about it, and need not read where files lie."""
    logging.getLogger("personascope.study").error("%s", error)
