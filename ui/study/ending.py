"""The debriefing, the code that shows that somebody took part, and the way to have everything deleted."""

from __future__ import annotations

import streamlit as st

from ui.look import tame
from ui.markup import el, show
from ui.study.visit import Visit, words


def draw_debrief(visit: Visit) -> None:
    st.title(tame(visit.word("debrief_title")), anchor=False)
    words(visit.hall.study.debrief)
    st.button(tame(visit.word("finish")), type="primary", key=visit.key("go"), on_click=visit.finish, args=(dict,))


def draw_end(visit: Visit) -> None:
    st.title(tame(visit.word("done_title")), anchor=False)
    show(el("p", visit.word("code"), cls="ps-label"))
    st.code(visit.sitting.code, language=None)
    show(el("p", visit.word("code_lead"), cls="ps-told"))
    way_out(visit)


def way_out(visit: Visit) -> None:
    """On every page: whoever wants to can leave, and nothing of them stays."""
    with st.expander(tame(visit.word("withdraw")), icon=":material/delete:", type="compact"):
        show(el("p", visit.word("withdraw_lead"), cls="ps-told"))
        st.button(tame(visit.word("withdraw_sure")), key=visit.key("withdraw"),
                  on_click=lambda: visit.do(lambda: visit.hall.leave(visit.sitting)))  # fmt: skip
