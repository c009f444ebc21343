"""The participant's path as any condition, to be walked by the researcher; what is done here goes into no study."""

from __future__ import annotations

import tempfile
from pathlib import Path

import streamlit as st

from persona_core.engine import Engine
from persona_core.study.design import Study
from persona_core.study.sitting import Hall, HasLeft
from persona_core.study.store import StudyStore
from ui.desk.designing import SAID
from ui.look import tame
from ui.study import path, room
from ui.study.visit import Visit


def draw(study: Study, engine: Engine) -> None:
    columns = st.columns(max(2, len(study.factors)))
    condition = {}
    for at, (name, levels) in enumerate(study.factors.items()):
        condition[name] = str(columns[at % len(columns)].selectbox(tame(SAID[name]), levels, key=f"preview_{name}"))
    room.ready(Hall(study, _store()), engine)
    hall = Hall(study, _store(), condition)
    mark = f"_preview_{study.content}_{sorted(condition.items())}"
    st.button("Begin anew", icon=":material/restart_alt:", on_click=lambda: st.session_state.pop(mark, None))
    with st.container(border=True, key="desk_preview"), st.container(key="study"):
        path.walk(_visit(hall, engine, mark))


def _visit(hall: Hall, engine: Engine, mark: str) -> Visit:
    try:
        sitting = hall.enter(str(st.session_state.get(mark, "")))
    except HasLeft:
        sitting = None
    if sitting is None:
        sitting, st.session_state[mark] = Hall(hall.study.unlimited, hall.store, hall.as_if).admit()
    return Visit(hall, engine, sitting, str(st.session_state[mark]))


@st.cache_resource(show_spinner=False)
def _store() -> StudyStore:
    """Of this server alone, gone with it."""
    return StudyStore(f"sqlite:///{Path(tempfile.mkdtemp(prefix='preview')) / 'preview.sqlite'}")
