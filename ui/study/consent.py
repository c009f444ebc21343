"""What somebody agrees to before anything else."""

from __future__ import annotations

import streamlit as st

from ui.look import tame
from ui.study.visit import Visit, refuse, words


def draw(visit: Visit) -> None:
    study = visit.hall.study
    st.title(tame(study.title), anchor=False)
    st.subheader(tame(visit.word("consent_title")), anchor=False)
    words(study.consent.text)
    agreed = visit.key("agreed")
    st.checkbox(tame(visit.word("agree")), key=agreed)
    st.button(tame(visit.word("start")), type="primary", key=visit.key("go"), on_click=_start, args=(visit, agreed))


def _start(visit: Visit, key: str) -> None:
    if not st.session_state.get(key):
        refuse(visit.word("agree_first"))
        return
    visit.finish(lambda: {"agreed": True, "version": visit.hall.study.consent.version})
