"""How the matching of profiles and personas was learned, epoch by epoch."""

from __future__ import annotations

import json
import math
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from persona_core.alignment.steps import CARD
from persona_core.errors import PersonaError
from persona_core.workspace import Workspace

MEASURE = (
    "How high the things that people truly liked stand among the whole catalogue, where the system had not seen that they did "
    "(NDCG@10; 1 would be perfect)."
)


def draw(place: Workspace) -> None:
    card = card_of(place)
    points = points_of(card)
    if not points:
        _say_nothing(place, card)
        return
    first, best = points[0], max(points, key=lambda point: point["ndcg"])
    with st.container(horizontal=True, key="learned"):
        st.metric("Before learning", f"{first['ndcg']:.3f}", border=True, height="stretch", help="The text encoder as it comes.")
        st.metric(
            "After learning",
            f"{best['ndcg']:.3f}",
            f"{best['ndcg'] - first['ndcg']:+.3f}",
            border=True,
            height="stretch",
            help=MEASURE,
        )
        st.metric(
            "Rounds through the data",
            str(points[-1]["epoch"]),
            border=True,
            height="stretch",
            help=f"Round {best['epoch']} was kept, as the best.",
        )
    st.caption(MEASURE)
    left, right = st.columns(2, gap="large")
    with left:
        _curve(points, "loss", "Error in training", "lower is better", None)
    with right:
        _curve(points, "ndcg", "Quality on what was held out", "higher is better", best["epoch"])
    st.caption(teacher_in_words(card))


def card_of(place: Workspace) -> dict[str, Any] | None:
    """What the training left of itself; None where there is none that can be read."""
    try:
        card = json.loads(place.artefact("alignment").file(CARD).read_bytes())
    except (PersonaError, OSError, ValueError, KeyError):
        return None
    return card if isinstance(card, dict) else None


def points_of(card: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The curve's points that are numbers; an epoch without a loss is the start."""
    curve = card.get("curve") if card else None
    rows = [row for row in curve if isinstance(row, dict)] if isinstance(curve, list) else []
    return [
        {"epoch": int(row["number"]), "loss": _number(row.get("loss")), "ndcg": _number(row.get("ndcg"))}
        for row in rows
        if _number(row.get("number")) is not None and _number(row.get("ndcg")) is not None
    ]


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _say_nothing(place: Workspace, card: dict[str, Any] | None) -> None:
    if card is None:
        st.caption(
            ":material/model_training: Nothing has been learned here yet. It comes with the build; under “Steps” you can start it."
        )
    else:
        st.caption("There is too little history here to learn from: the text encoder is used as it comes, and all works.")


def _curve(points: list[dict[str, Any]], measure: str, title: str, says: str, best: int | None) -> None:
    rows = [
        {"epoch": point["epoch"], "value": point[measure], "kept": point["epoch"] == best}
        for point in points
        if point[measure] is not None
    ]
    st.markdown(f"**{title}** :small[{says}]")
    if not rows:
        st.caption("It was not measured.")
        return
    frame = pd.DataFrame(rows)
    base = alt.Chart(frame).encode(
        x=alt.X("epoch:Q", title="round", axis=alt.Axis(tickMinStep=1, format="d")),
        y=alt.Y("value:Q", title=None, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=4)),
        tooltip=[alt.Tooltip("epoch:Q", title="Round", format="d"), alt.Tooltip("value:Q", title=title, format=".3f")],
    )
    ring = base.transform_filter("datum.kept").mark_point(size=190, strokeWidth=2)
    whole = alt.layer(base.mark_line(point=True), ring).properties(height=220)
    st.altair_chart(whole, width="stretch", alt=described(rows, title, best))


def described(rows: list[dict[str, Any]], title: str, best: int | None) -> str:
    first, last = rows[0], rows[-1]
    kept = "" if best is None else f" Round {best} is ringed: it was kept, as the best."
    return f"{title}: {first['value']:.3f} in round {first['epoch']}, {last['value']:.3f} in round {last['epoch']}.{kept}"


def teacher_in_words(card: dict[str, Any] | None) -> str:
    learned = card.get("learned from") if card else None
    numbers = learned if isinstance(learned, dict) else {}
    counts = ", ".join(
        f"{value:,} {name}" for name, value in numbers.items() if isinstance(value, int) and name in ("people", "items", "personas")
    )
    teacher = (card or {}).get("teacher")
    by = teacher.get("by", "hindsight") if isinstance(teacher, dict) else "hindsight"
    said = (
        "Taught by hindsight: what people went on to like."
        if by == "hindsight"
        else "Taught by hindsight, and by a language model as judge."
    )
    return f"{said} Learned from {counts}." if counts else said
