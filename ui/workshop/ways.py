"""Which profiles earn their place: exploring and judging begun from here, what each style gained, and the pairs that came of it."""

from __future__ import annotations

import json
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from persona_core.errors import ArtefactBroken, WorkspaceMissing
from persona_core.evaluation.worlds import cut_place
from persona_core.files import json_lines
from persona_core.profiles.ways.choices import as_pairs, read_choices
from persona_core.profiles.ways.exploring import title_of
from persona_core.profiles.ways.second import AGREEMENTS, in_words
from persona_core.profiles.ways.work import CARD, TRAINING, WORTH, worths_of
from persona_core.profiles.ways.written import EXTRACTION
from persona_core.workspace import Workspace
from ui import resources
from ui.workshop import teaching

MEASURE = (
    "How many times the things that people came to next halved their rank when the profile was added to their newest visits alone. "
    "0 means that it added nothing; below 0 it did harm. The line is the range in which the mean lies in 95 of 100 cases."
)
FEWEST = 10
"""Of a style that fewer people have, nothing is drawn."""


def draw(place: Workspace, busy: bool) -> None:
    gains, card = gains_in(place), card_in(place)
    readonly = place.settings.readonly
    pressed = st.button(
        "Explore and judge", icon=":material/travel_explore:", key="workshop_ways", disabled=busy or readonly,
        help="Writes several profiles of everybody and tries each on what its person came to next. Takes a few minutes.",
    )  # fmt: skip
    if pressed and not busy and not readonly:  # a page that was tampered with may press what is greyed out
        resources.build_job(str(place.root)).start("profiles", "pairs")
        st.rerun()
    gains = gains[gains["people"] >= FEWEST] if not gains.empty else gains
    if gains.empty:
        st.caption(":material/travel_explore: Nobody has tried yet which ways to see people find what they come to next.")
    else:
        _chart(gains)
    for row in agreements_in(place):
        st.caption(f":material/balance: {in_words(row)}")
    if card:
        _pairs(card)
        teaching.draw(place, busy)
    _choices(place)


def gains_in(place: Workspace) -> pd.DataFrame:
    """By style: the mean gain over people, between which bounds it lies, and of how many."""
    try:
        worths = worths_of(cut_place(place, TRAINING.cut).artefact(TRAINING.name).file(WORTH))
    except (WorkspaceMissing, ArtefactBroken, OSError, ValueError, KeyError, TypeError):
        return pd.DataFrame()
    by_style: dict[str, list[float]] = {}
    for row in worths.values():
        for key, worth in row["ways"].items():
            by_style.setdefault(key, []).append(worth.gain)
    rows = []
    for key, values in by_style.items():
        mean, error = float(np.mean(values)), float(np.std(values) / max(1, len(values)) ** 0.5)
        rows.append(
            {"style": titled(key), "gain": mean, "low": mean - 1.96 * error, "high": mean + 1.96 * error, "people": len(values)}
        )
    return pd.DataFrame(rows).sort_values("gain", ascending=False, ignore_index=True) if rows else pd.DataFrame()


def titled(key: str) -> str:
    source, _, style = key.partition(": ")
    return title_of(style) if source == EXTRACTION else f"{title_of(style)} ({source})"


def card_in(place: Workspace) -> dict[str, Any]:
    """The data card of the pairs; empty where there are none."""
    try:
        made = cut_place(place, TRAINING.cut).artefact("pairs")
        card = json.loads(made.file(CARD).read_bytes())
    except (WorkspaceMissing, ArtefactBroken, OSError, ValueError, KeyError):
        return {}
    return card if isinstance(card, dict) else {}


def agreements_in(place: Workspace) -> list[dict[str, Any]]:
    """How far the slower judges agreed, where they were heard."""
    try:
        found = json.loads((cut_place(place, TRAINING.cut).root / AGREEMENTS).read_bytes())
    except (OSError, ValueError):
        return []
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _chart(gains: pd.DataFrame) -> None:
    st.caption(MEASURE)
    base = alt.Chart(gains).encode(y=alt.Y("style:N", sort=None, title=None, axis=alt.Axis(labelLimit=190)))
    tips = [
        alt.Tooltip("style:N", title="Profile"),
        alt.Tooltip("gain:Q", title="Gain", format="+.2f"),
        alt.Tooltip("people:Q", title="People"),
    ]
    reach = alt.X("low:Q", title=None)
    bars = base.mark_rule(strokeWidth=2, color="#8a8279").encode(x=reach, x2="high:Q", tooltip=tips)
    dots = base.mark_circle(size=90, opacity=1).encode(x="gain:Q", tooltip=tips)
    zero = alt.Chart(pd.DataFrame({"gain": [0.0]})).mark_rule(strokeDash=[3, 3], color="#8a8279").encode(x="gain:Q")
    best = gains.iloc[0]
    st.altair_chart(
        alt.layer(zero, bars, dots).properties(height=34 * len(gains) + 40), width="stretch",
        alt=f"What each way to see people gained: most “{best['style']}” with {best['gain']:+.2f}.",
    )  # fmt: skip


def _pairs(card: dict[str, Any]) -> None:
    many, people = card.get("pairs", 0), card.get("people", 0)
    st.markdown(
        f"**{many:,} preference pairs** of {people:,} people came of it, for a generator to learn from: "
        "only where the difference is beyond noise, and the better one is as often the longer as the shorter."
    )
    with st.expander("The data card"):
        st.json(card)


def _choices(place: Workspace) -> None:
    pairs = as_pairs(read_choices(place))
    if pairs:
        lines = json_lines(pairs)
        label = f"What people chose themselves ({len(pairs)})"
        st.download_button(label, lines, "choices.jsonl", "application/jsonl", on_click="ignore",
                           icon=":material/download:")  # fmt: skip
