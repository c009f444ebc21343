"""Cards that show one thing each: a row of numbers, a scenario, a reviewer's voice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import streamlit as st

from persona_core.schema import Quote
from ui.look import plain
from ui.markup import Markup, el

NARROWEST = 3
"""Scenarios are shown side by side, this many a row."""


def numbers(facts: dict[str, str]) -> None:
    with st.container(horizontal=True, key="numbers"):
        for label, value in facts.items():
            st.metric(label, value, border=True)


def scenarios(facts: list[dict[str, Any]], voices: list[dict[str, Any]]) -> None:
    """Each scenario with its size and a few of its voices."""
    for start in range(0, len(facts), NARROWEST):
        row = facts[start : start + NARROWEST]
        for column, fact in zip(st.columns(len(row), gap="medium"), row, strict=True):
            with column:
                scenario(fact, [quoted for quoted in voices if quoted["scenario"] == fact["name"]])


def scenario(fact: dict[str, Any], voices: list[dict[str, Any]]) -> None:
    plain(str(fact["name"]).capitalize(), kind="scenario", key=fact["name"])
    rating = "" if fact["rating"] is None else f" · {fact['rating']:.1f} stars on average"
    st.caption(f"{fact['items']:,} items · {fact['users']:,} people{rating}")
    for quoted in voices:
        voice(quoted)


def voice(quoted: dict[str, Any]) -> None:
    """A review in the words it was written in, with who wrote it about what."""
    key = quoted["review_id"]
    with st.container(border=True, key=f"voice-{key}", gap="xsmall"):
        plain(stars(quoted["rating"]), kind="stars", key=key)
        plain(quoted["text"], kind="quote", key=key)
        plain(f"{quoted['name']}, on {quoted['title']}", kind="byline", key=key)


def marked(text: str, quotes: Iterable[Quote]) -> list[Markup | str]:
    """A review's text with its quotes marked where they stand; of quotes that overlap, the first."""
    pieces: list[Markup | str] = []
    at = 0
    for quote in sorted(quotes, key=lambda one: one.start):
        if quote.start >= at:
            pieces += [text[at : quote.start], el("mark", text[quote.start : quote.end])]
            at = quote.end
    return [*pieces, text[at:]]


def stars(rating: float) -> str:
    full = round(rating)
    return "★" * full + "☆" * (5 - full)
