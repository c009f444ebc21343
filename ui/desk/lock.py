"""The desk's lock: it opens with the token that the environment names, and with nothing else."""

from __future__ import annotations

import hmac
import time

import streamlit as st

from persona_core.cli_study import SHORTEST_TOKEN
from persona_core.workspace import Workspace

OPEN, TYPED, WRONG = "_desk_open", "desk_token", "_desk_wrong"
PAUSE_S = 1.0
"""After a wrong one: nobody tries thousands."""


def open_or_stop(place: Workspace) -> None:
    """Lets the page go on for who has the token; otherwise asks for it and ends the page there."""
    token = place.settings.study.desk_token
    if len(token) < SHORTEST_TOKEN:
        _say_how(place)
        st.stop()
    if st.session_state.get(OPEN) == _mark(token):
        return
    with st.container(key="desk_lock"):
        st.text_input("The desk's token", type="password", key=TYPED, max_chars=200, autocomplete="off")
        st.button("Open", type="primary", on_click=_try, args=(token,))
        if st.session_state.pop(WRONG, None):
            st.error("This is not the token.", icon=":material/lock:")
    st.stop()


def _try(token: str) -> None:
    typed = str(st.session_state.get(TYPED) or "")
    if hmac.compare_digest(typed.encode("utf-8", "replace"), token.encode()):
        st.session_state[OPEN] = _mark(token)
        st.session_state[TYPED] = ""
        return
    time.sleep(PAUSE_S)
    st.session_state[WRONG] = True


def _mark(token: str) -> str:
    """What an open session remembers: another token shuts it."""
    return hmac.new(b"desk", token.encode(), "sha256").hexdigest()


def _say_how(place: Workspace) -> None:
    st.info(
        f"It opens with a token of at least {SHORTEST_TOKEN} letters that the environment names. The command below makes one, "
        "says it, and serves a study to participants with the desk beside it; participants see nothing else of the app.",
        title="The desk is locked", icon=":material/lock:",
    )  # fmt: skip
    st.code(f"{place.command('study new my-study.toml')}\n{place.command('study run my-study.toml')}", language=None, wrap_lines=True)
    st.caption("Or set PERSONA_STUDY_DESK_TOKEN before you start the app.")
