"""Teaching a generator which profiles work: begun from here with weights of one's own, and what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from persona_core.profiles.ways.aligning import curves_in
from persona_core.profiles.ways.teaching import MOVED
from persona_core.workspace import Workspace
from ui import resources


def draw(place: Workspace, busy: bool) -> None:
    with st.expander("Teach a generator to write the profiles that work", icon=":material/school:", key="workshop_teach"):
        st.caption(
            "A small language model first imitates the better profile of each pair and then learns to prefer it. It takes about "
            "an hour on two cores; stopped, it goes on where it was."
        )
        _begin(place, busy)
        found = curves_in(place)
        if found:
            _what_came(found)


def _begin(place: Workspace, busy: bool) -> None:
    with st.form("workshop_teach_form", border=False):
        given = st.text_input("Its weights: a GGUF file or a Hugging Face folder", placeholder="/models/gemma-3-270m.gguf").strip()
        off = busy or place.settings.readonly
        if st.form_submit_button("Teach", icon=":material/school:", disabled=off) and not off:
            if not given or not Path(given).exists():
                st.error("There is nothing at that path. Give the full path of a file or folder on the machine that runs this app.")
                return
            resources.build_job(str(place.root)).start("profiles", "align", "--weights", given)
            st.rerun()


def _what_came(found: dict[str, Any]) -> None:
    moved = found.get(MOVED)
    st.markdown(f"**{found.get('model', 'The model')}** learned from {found.get('pairs', 0):,} pairs.")
    if isinstance(moved, int | float):
        st.caption(
            f"Of {found.get('held', 0)} pairs of people it never saw, preference moved it towards the better profile in {moved:.0%}; "
            "half of them is chance."
        )
    left, right = st.columns(2, gap="large")
    with left:
        _curve(points_of(found, "sft", "loss"), "Imitation: surprise at the better profile", "lower is better")
    with right:
        _curve(points_of(found, "dpo", "rewards/accuracies"), "Preference: share of pairs it tells rightly", "higher is better")


def points_of(found: dict[str, Any], stage: str, name: str) -> pd.DataFrame:
    """Step by step, smoothed over a few, since each step sees a handful of pairs."""
    rows = (found.get("curves") or {}).get(stage) or []
    values = [row[name] for row in rows if isinstance(row, dict) and isinstance(row.get(name), int | float)]
    frame = pd.DataFrame({"step": range(1, len(values) + 1), "value": values}, dtype=float)
    return frame.assign(value=frame["value"].rolling(5, min_periods=1).mean()) if len(frame) else frame


def _curve(points: pd.DataFrame, title: str, better: str) -> None:
    if points.empty:
        return
    line = alt.Chart(points).mark_line(strokeWidth=2).encode(
        x=alt.X("step:Q", title="step", axis=alt.Axis(tickMinStep=1)),
        y=alt.Y("value:Q", title=None, scale=alt.Scale(zero=False)),
        tooltip=[alt.Tooltip("step:Q", format=".0f"), alt.Tooltip("value:Q", format=".3f")],
    )  # fmt: skip
    first, last = points["value"].iloc[0], points["value"].iloc[-1]
    st.caption(f"**{title}** ({better})")
    st.altair_chart(line.properties(height=200), width="stretch", alt=f"{title}: from {first:.2f} to {last:.2f}.")
