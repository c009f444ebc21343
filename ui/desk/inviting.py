"""The links that participants get: one for all, one for a panel, or one for each."""

from __future__ import annotations

import csv
import io
from urllib.parse import urlsplit

import streamlit as st

from persona_core.study.design import Study
from persona_core.study.entry import INVITATION, invitations
from persona_core.study.store import StudyStore

CODES = "_desk_codes"


def draw(study: Study, store: StudyStore, served: bool) -> None:
    if not served:
        st.info(
            "Another study is served here, or none. Links lead to the study that a server was started for.", icon=":material/link_off:"
        )
    home = st.text_input("The address at which participants reach this server", _home(), key="invite_home").rstrip("/")
    if study.entry == "open":
        st.caption("Everybody with this address may begin.")
        st.code(home, language=None)
    elif study.entry == "panel":
        st.caption("Give this to the panel: it puts the number of each participant into it. Those shorter than 12 signs are "
                   "refused: they could be guessed.")  # fmt: skip
        st.code(f"{home}/?{study.panel_field}={{{{%{study.panel_field}%}}}}", language=None)
    else:
        _codes(study, store, home)


def _home() -> str:
    parts = urlsplit(str(st.context.url or "http://127.0.0.1:8501"))
    return f"{parts.scheme}://{parts.netloc}"


def _codes(study: Study, store: StudyStore, home: str) -> None:
    st.caption("Each of these links lets one person in, on whatever machine they come back. Nothing is kept of whom you send it to.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        many = st.number_input("How many", 1, 5_000, 10, key="invite_many")
        if st.button("Make links", type="primary", icon=":material/add_link:"):
            st.session_state[CODES] = invitations(study, store, int(many))
    codes = st.session_state.get(CODES, [])
    if codes:
        links = [f"{home}/?{INVITATION}={code}" for code in codes]
        st.code("\n".join(links[:20]) + ("\n…" if len(links) > 20 else ""), language=None)
        out = io.StringIO()
        csv.writer(out).writerows([["link"], *([one] for one in links)])
        st.download_button(f"All {len(links)} as CSV", out.getvalue(), f"{study.id}-links.csv", "text/csv", on_click="ignore")
