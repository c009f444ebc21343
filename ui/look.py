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


def to_the_top(place: str) -> None:
    """A page that comes new is read from its top, wherever the button of the one before was. `place` is a name of ours."""
    if not place.isascii() or not place.replace("_", "").isalnum():
        raise ValueError(f"{place!r} is no name of a page")
    script = "document.querySelector('[data-testid=stMain]')?.scrollTo(0, 0)"
    st.html(f'<script data-page="{place}">{script}</script>', unsafe_allow_javascript=True)


_MARKDOWN = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_{}[]()<>#+-!|~$:^="})


def tame(text: str) -> str:
    """The text for a label, where the library reads Markdown: every sign that could mean something is taken by its letter."""
    return " ".join(text.split()).translate(_MARKDOWN)
