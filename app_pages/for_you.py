"""For you: what suits the person we look through, in its order, each with its reasons."""

from functools import partial

import streamlit as st

from ui import frame, parts, resources, state
from ui.foryou import asking, card, comparing, controls, export
from ui.look import tame
from ui.markup import show
from ui.profile import newcomer

engine = frame.engine_or_stop()
names = resources.names(engine.workspace)
whose = frame.name_of(engine, state.who())

st.title("For you", anchor=False)
with st.container(key="whose"):
    st.markdown(f"Looking through the eyes of **{tame(whose)}**. {tame(frame.about(engine, state.profile(engine)))}")
if state.is_new():
    newcomer.draw(engine)

options, k = controls.draw(engine)
profile = state.profile(engine)
ranked = engine.rank(profile, options)
found = [engine.recommendation(ranked, int(item)) for item in ranked.order[:k]]
explained = {one.item_id: engine.explain(ranked, one.item_id) for one in found}

if not found:
    st.info("Let more scenarios or prices through, above.", title="Nothing is left to show", icon=":material/filter_alt_off:")
    st.stop()

other = None
with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="tools"):
    other = comparing.choose(engine)
    with st.popover("Take it along", icon=":material/download:"):
        st.download_button(
            "As a table (CSV)", partial(export.as_csv, engine, found, explained), "for-you.csv", "text/csv", on_click="ignore"
        )
        page = partial(export.as_page, engine, ranked, whose, found, explained, names)  # made when it is asked for
        st.download_button("As a page to print (HTML)", page, "for-you.html", "text/html", on_click="ignore")

if other is not None:
    comparing.draw(engine, ranked, other, options, k)
else:
    show(parts.legend(ranked))
    for one in found:
        card.draw(engine, ranked, one, explained[one.item_id], names)

st.header("Something is missing?", anchor=False)
asking.draw(engine, ranked, k)
