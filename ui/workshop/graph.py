"""The steps as a picture: what is built from what, from left to right."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from persona_core.pipeline import Step
from ui.workshop.steps import Told, summary

WIDE, HIGH = 0.78, 0.74
"""Of the room that a step has, so much is its box."""
ROW_PIXELS = 86
LIGHT = {"ink": "#221d17", "line": "#b9ab94", "done": "#3f7350", "stale": "#8d6a1d", "missing": "#8a7f70", "broken": "#b04300"}
DARK = {"ink": "#f0e9dd", "line": "#6b6052", "done": "#86c19a", "stale": "#dcb765", "missing": "#a59b8b", "broken": "#ff8f57"}


def draw(steps: Sequence[Step], tellings: list[Told]) -> None:
    colours = DARK if st.context.theme.type == "dark" else LIGHT
    places = places_of(steps)
    rows = max(y for _, y in places.values()) + 1
    with st.container(key="graph"):
        st.altair_chart(
            picture(steps, tellings, places, colours).properties(height=int(rows * ROW_PIXELS)),
            width="stretch",
            alt=f"The steps of the build and what each is made from. {summary(tellings)} The list below says the same.",
        )


def places_of(steps: Sequence[Step]) -> dict[str, tuple[float, float]]:
    """Where each step stands: as far right as what it reads demands, and each column in the middle of the height."""
    column: dict[str, int] = {}
    for step in steps:
        column[step.name] = 1 + max((column[name] for name in step.reads), default=-1)
    columns = [[name for name in column if column[name] == x] for x in range(max(column.values()) + 1)]
    highest = max(len(names) for names in columns)
    return {
        name: (float(x), (highest - len(names)) / 2 + y) for x, names in enumerate(columns) for y, name in enumerate(names)
    }  # fmt: skip


def edges_of(steps: Sequence[Step]) -> list[tuple[str, str]]:
    """Who reads whom directly; what follows from other edges is left out, so that the picture stays readable."""
    reads = {step.name: set(step.reads) for step in steps}
    behind: dict[str, set[str]] = {}
    for step in steps:
        behind[step.name] = reads[step.name].union(*(behind[name] for name in step.reads))
    return [
        (name, step.name)
        for step in steps
        for name in step.reads
        if not any(name in behind[other] for other in reads[step.name] - {name})
    ]


def picture(
    steps: Sequence[Step], tellings: list[Told], places: dict[str, tuple[float, float]], colours: dict[str, str]
) -> alt.LayerChart:
    titles = {step.name: step.title for step in steps}
    reads = {step.name: ", ".join(titles[name] for name in step.reads) or "the data" for step in steps}
    boxes = pd.DataFrame([_box(one, places[one.name], reads[one.name], colours) for one in tellings])
    lines = pd.DataFrame([row for edge in edges_of(steps) for row in _curve(edge, places)])
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[-0.5, max(x for x, _ in places.values()) + 0.5], nice=False))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[-0.5, max(y for _, y in places.values()) + 0.5], reverse=True, nice=False))
    edges = (
        alt.Chart(lines)
        .mark_line(interpolate="basis", color=colours["line"], strokeWidth=1.5)
        .encode(x=x, y=y, detail="edge:N", order="order:Q", tooltip=alt.value(None))
    )
    told = [alt.Tooltip(f"{name}:N", title=name) for name in ("Step", "State", "Found", "Made", "Took", "Built", "Reads", "Why")]
    base = alt.Chart(boxes).encode(tooltip=told)
    colour = alt.Color("colour:N", scale=None)
    frame = base.mark_rect(cornerRadius=8, strokeWidth=1.5, fillOpacity=0.14).encode(
        x=alt.X("left:Q", axis=None), x2="right:Q", y=alt.Y("top:Q", axis=None), y2="bottom:Q", fill=colour,
        stroke=alt.Stroke("colour:N", scale=None),
    )  # fmt: skip
    name = base.mark_text(fontSize=13, fontWeight=600, lineBreak="\n", color=colours["ink"], baseline="middle", lineHeight=15).encode(
        x=x, y=alt.Y("name_y:Q", axis=None), text="label:N"
    )
    state = base.mark_text(fontSize=12, baseline="middle").encode(x=x, y=alt.Y("state_y:Q", axis=None), text="state:N", color=colour)
    whole: alt.LayerChart = alt.layer(edges, frame, name, state).configure_view(strokeWidth=0)
    return whole


def _box(one: Told, place: tuple[float, float], reads: str, colours: dict[str, str]) -> dict[str, Any]:
    x, y = place
    label = textwrap.fill(one.title, 20)
    lines = label.count("\n") + 1
    return {
        "x": x, "y": y, "left": x - WIDE / 2, "right": x + WIDE / 2, "top": y - HIGH / 2, "bottom": y + HIGH / 2,
        "name_y": y - 0.11 - 0.09 * (lines - 1), "state_y": y + 0.22, "label": label, "state": f"{one.glyph} {one.words}",
        "colour": colours[one.state], "Step": one.title, "State": one.words, "Found": one.found or "–", "Made": one.maker or "–",
        "Took": one.took or "–", "Built": one.built or "–", "Reads": reads, "Why": one.why or "–",
    }  # fmt: skip


def _curve(edge: tuple[str, str], places: dict[str, tuple[float, float]]) -> list[dict[str, Any]]:
    (x0, y0), (x1, y1) = places[edge[0]], places[edge[1]]
    start, end = x0 + WIDE / 2, x1 - WIDE / 2
    bend = max(start, end - (1 - WIDE) / 2)
    points = [(start, y0), (bend, y0), (bend, y1), (end, y1)]
    return [{"edge": "-".join(edge), "order": n, "x": x, "y": y} for n, (x, y) in enumerate(points)]
