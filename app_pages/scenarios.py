"""What scenarios have in common, what one person carries from one to another, and how well that serves newcomers."""

import streamlit as st

from ui import frame, missing, trouble
from ui.scenarios import crossing, gain, together

engine = frame.engine_or_stop()

st.title("Scenarios", anchor=False)
with st.container(key="lead"):
    st.markdown("What people want in one world says something of what they want in another. What it says, why, and how far it helps.")

with trouble.shown():
    scenarios = engine.scenarios
    if scenarios is None:
        missing.draw(engine, missing.SCENARIOS)
        st.stop()
    if len(scenarios.names) < 2:
        together.alone(scenarios)
        st.stop()
    together.draw(scenarios)
    crossing.draw(engine, scenarios)
    gain.draw(engine.workspace)
