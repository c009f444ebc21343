"""The few rules of style that the theme cannot express, and one way to show text that strangers wrote."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

STYLES = sorted(Path(__file__).parent.glob("style*.css"))
ICON = Path(__file__).with_name("icon.svg")
"""Our own: the named icons of the library would be fetched from another host for the browser's tab."""


def lay_out() -> None:
    for style in STYLES:
        st.html(style)


def plain(text: str, *, kind: str, key: str) -> None:
    """Text from reviews, catalogues and people: shown letter for letter, never as Markdown or HTML."""
    with st.container(key=f"{kind}-{key}", gap=None):
        st.text(text)


_MARKDOWN = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_{}[]()<>#+-!|~$:^="})


def tame(text: str) -> str:
    """The text for a label, where the library reads Markdown: every sign that could mean something is taken by its letter."""
    return " ".join(text.split()).translate(_MARKDOWN)
