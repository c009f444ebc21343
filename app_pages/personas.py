"""The catalogue by its people: search it, see all personas on a map, and look at an item through whom it suits."""

import streamlit as st

from ui import frame, trouble
from ui.people import choosing, curating, found, item, map

engine = frame.engine_or_stop()

st.title("Personas", anchor=False)
with st.container(key="lead"):
    st.markdown("The catalogue by its people: whom each thing suits, whom it disappoints, and the sentences that say so.")

with trouble.shown():
    query, chosen = choosing.draw(engine)
    if chosen is not None:
        item.draw(engine, chosen)
    else:
        named = found.draw(engine, query) if query.strip() else []
        map.draw(engine, named)
        curating.history(engine)
