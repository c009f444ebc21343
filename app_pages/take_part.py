"""Take part: the one page that a study's participants see."""

import streamlit as st

from persona_core.errors import PersonaError
from persona_core.study.design import said
from ui import resources
from ui.study import path, room

file = room.served()
assert file is not None  # nosec B101 # for the type checker
try:
    place = resources.workspace()
    hall, engine = room.hall(place, file), resources.engine(place)
    room.ready(hall, engine)
    path.draw(hall, engine)
except PersonaError as error:
    room.note_for_the_researcher(error)
    st.error(said()["trouble"], title=said()["trouble_title"], icon=":material/sync_problem:")
