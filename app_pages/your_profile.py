"""Your profile: text and phrases to edit in place, and beside them, live, what each edit did to the list and why."""

import streamlit as st

from ui import frame, resources, state
from ui.foryou import controls
from ui.look import tame
from ui.profile import changed, newcomer, phrases, versions, ways

engine = frame.engine_or_stop()
names = resources.names(engine.workspace)
options = controls.options_kept(engine)
profile = state.profile(engine)

st.title("Your profile", anchor=False)
st.markdown(f"What is known of **{tame(frame.name_of(engine, state.who()))}**. Change it: the list beside it follows, and says why.")

left, right = st.columns([5, 6], gap="large")
with left:
    if state.is_new() and not profile.likes:
        newcomer.draw(engine)
    phrases.draw(engine, profile, names)
with right, st.container(key="changes"):
    versions.buttons()
    since = st.segmented_control("Compare the list of now with", ["the last edit", "what was built"], default="the last edit",
                                 required=True, key="since", persist_state="session")  # fmt: skip
    before = state.built(engine) if since == "what was built" else state.profile_before(engine)
    after = engine.rank(profile, options)
    if state.journal().can_undo:
        changed.draw(engine, engine.rank(before, options), after)
    else:
        st.caption("Nothing is changed yet. These are the first ten as built:")
        changed.draw_first(engine, after)
    versions.draw(engine, options)
    versions.files(engine)
ways.draw(engine, profile)
