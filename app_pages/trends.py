"""What rises and what fades, by item and by people, as of the latest day or an earlier one, with forecasts and their record."""

import streamlit as st

from ui import frame, missing, trouble
from ui.trends import choosing, item, lists, people, table, tested

engine = frame.engine_or_stop()

st.title("Trends", anchor=False)
with st.container(key="lead"):
    st.markdown("What rises and what fades, who brings it about, and how far such forecasts can be trusted.")

with trouble.shown():
    if engine.trends is None:
        missing.draw(engine, missing.TRENDS)
        st.stop()
    seen, scenarios = choosing.draw(engine, engine.trends)
    choosing.say_when(seen)
    listed = choosing.among(seen, scenarios)
    lists.draw(seen, listed)
    table.draw(seen, listed, scenarios)
    st.header("One item", anchor=False)
    place = choosing.item(seen, listed)
    if place is not None:
        item.draw(seen, place)
        people.draw_item(seen, place)
    people.draw(seen)
    tested.draw(engine.trends)
