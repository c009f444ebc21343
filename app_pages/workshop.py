"""The Workshop: what is built from what, how it learned, whether all is well, and data of one's own."""

import streamlit as st

from persona_core.errors import PersonaError
from ui import resources, trouble
from ui.workshop import actions, evaluations, graph, health, learning, own_data, rejected, steps, ways

PARTS = ("Steps", "Learning", "Health", "Your own data")

st.title("Workshop", anchor=False)
with st.container(key="lead"):
    st.markdown("What everything here is made of, whether it is well, and the tools to make it anew.")

place = resources.workspace()
try:
    states = resources.step_states(place)
except PersonaError as error:
    trouble.show(error)
    health.draw(place)
    st.stop()

busy = actions.running_or_failed(place)
part = st.segmented_control(
    "Part of the Workshop", PARTS, default=PARTS[0], required=True, key="workshop_part", label_visibility="collapsed"
)

if part == "Learning":
    st.header("How it learned", anchor=False)
    learning.draw(place)
    st.header("Which profiles earn their place", anchor=False)
    ways.draw(place, busy)
    st.header("What was measured", anchor=False)
    evaluations.draw(place)
elif part == "Health":
    health.draw(place)
elif part == "Your own data":
    own_data.draw(place)
else:
    tellings = steps.told_all(states)
    st.header("What is built from what", anchor=False)
    st.caption(steps.summary(tellings))
    actions.draw(place, states, busy)
    graph.draw([one.step for one in states], tellings)
    steps.list_of(tellings)
    rejected.draw(place, states)
