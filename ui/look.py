"""The few rules of style that the theme cannot express, and one way to show text that strangers wrote."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

STYLE = Path(__file__).with_name("style.css")
ICON = Path(__file__).with_name("icon.svg")
"""Our own: the named icons of the library would be fetched from another host for the browser's tab."""


def lay_out() -> None:
    st.html(STYLE)


def plain(text: str, *, kind: str, key: str) -> None:
    """Text from reviews, catalogues and people: shown letter for letter, never as Markdown or HTML."""
    with st.container(key=f"{kind}-{key}", gap=None):
        st.text(text)
