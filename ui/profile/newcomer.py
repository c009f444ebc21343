"""Somebody without a past starts here: a few phrases to pick from, or their own words."""

from __future__ import annotations

from collections import Counter

import streamlit as st

from persona_core.engine import Engine
from ui import state
from ui.look import tame

PICKED, TYPED = "picked", "newcomer_typed"
MOST_OFFERED = 24
PEOPLE_ASKED = 2_000


def draw(engine: Engine) -> None:
    offered = offers(str(engine.workspace.root), engine.workspace.version_now("profiles"), engine)
    with st.container(border=True, key="newcomer"):
        st.subheader("What are you after?", anchor=False)
        st.caption("Pick a few, or say it in your own words. The list below follows at once.")
        own = {one.text for one in state.profile(engine).likes}
        st.session_state[PICKED] = [text for text in offered if text in own]
        st.pills("Phrases", offered, selection_mode="multi", format_func=tame, key=PICKED, label_visibility="collapsed",
                 on_change=_picked, args=(offered, frozenset(own)))  # fmt: skip
        st.text_input("In your own words", key=TYPED, max_chars=200, placeholder="such as: cooking for a crowd",
                      on_change=state.act_typed, args=("like", TYPED))  # fmt: skip


def _picked(offered: tuple[str, ...], own: frozenset[str]) -> None:
    chosen = set(st.session_state[PICKED]) & set(offered)
    for text in offered:
        if text in chosen and text not in own:
            state.act("like", text)
        elif text in own and text not in chosen:
            state.act("drop", text)


@st.cache_data(max_entries=2, show_spinner=False)
def offers(root: str, version: str, _engine: Engine) -> tuple[str, ...]:
    """What people here like most often: the words that this data can answer to."""
    counts = Counter(like.text for user in _engine.profiles.users()[:PEOPLE_ASKED] for like in _engine.profile(user).likes)
    return tuple(text for text, _ in sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:MOST_OFFERED])
