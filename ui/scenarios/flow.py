"""The picture of what one person carries over: their wishes on the left, what these speak for on the right, thick where it is much."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

import altair as alt
import pandas as pd
import streamlit as st

from persona_core.personas.needs import read_needs
from persona_core.scenarios.carried import Carry
from persona_core.scenarios.files import Over, Scenarios
from ui.charts import ink
from ui.markup import el, show

MOST, WIDEST = 8, 14.0
LINE, ROW, LEADING = 18, 56, 15
LEFT, RIGHT = 0.34, 0.66
COLOURS = {"light": ["#0b66a8", "#b36b00", "#00795a", "#8a4fa3", "#b04300", "#4d6b77"],
           "dark": ["#6bb8ee", "#f0b23e", "#3ccb9f", "#cf9be6", "#ff8f57", "#a9c7d2"]}  # fmt: skip


def draw(scenarios: Scenarios, over: Over, at: int, target: str) -> None:
    carries = scenarios.flows(over, at, MOST)
    with st.container(key="scenario_flow", gap="small"):
        if not carries:
            show(
                el(
                    "p",
                    f"No single wish of theirs plainly goes with another in {target}: what is below rests on many faint ones.",
                    cls="ps-told",
                )
            )
            return
        st.altair_chart(_chart(scenarios, carries, target), width="stretch", alt=in_words(scenarios, carries, target))
        st.caption(
            f"Left, what they look for where they are known; right, what people who do look for in {target}, more than others. "
            f"Shown is only what goes together plainly in the people who know both."
        )


def in_words(scenarios: Scenarios, carries: Sequence[Carry], target: str) -> str:
    phrases = [need.phrase for need in read_needs()]
    return " ".join(
        f"In {scenarios.names[one.scenario]} {phrases[one.need]}: in {target} {phrases[one.becomes]}." for one in carries
    )  # fmt: skip


def _chart(scenarios: Scenarios, carries: Sequence[Carry], target: str) -> alt.LayerChart | alt.FacetChart:
    picture = placed(scenarios, carries, target)
    theme = "dark" if st.context.theme.type == "dark" else "light"
    order = [name.capitalize() for name in scenarios.names]
    inks = [COLOURS[theme][place % len(COLOURS[theme])] for place in range(len(order))]
    known = [name for name in order if (picture.lefts["from"] == name).any()]
    legend = alt.Legend(orient="top", title="Known from", values=known)
    colour = alt.Color("from:N", scale=alt.Scale(domain=order, range=inks), legend=legend)
    across = alt.X("x:Q", scale=alt.Scale(domain=[0, 1], nice=False), axis=None)
    down = alt.Y("y:Q", scale=alt.Scale(domain=[picture.rows, 0], nice=False), axis=None)
    thick = alt.Size("size:Q", scale=alt.Scale(domain=[0, WIDEST], range=[0, WIDEST]), legend=None)
    text: dict[str, Any] = {"fontSize": 12.5, "lineBreak": "\n", "baseline": "middle", "lineHeight": LEADING}
    return alt.layer(
        alt.Chart(picture.links).mark_trail(opacity=0.55).encode(
            x=across, y=down, detail="link:N", order="step:O", color=colour, size=thick,
            tooltip=alt.Tooltip("says:N", title="Carried over"),
        ),
        alt.Chart(picture.lefts).mark_text(align="right", **text).encode(x=across, y=down, text="text:N", color=colour),
        alt.Chart(picture.rights).mark_text(align="left", color=ink(), fontWeight=600, **text).encode(x=across, y=down, text="text:N"),
    ).properties(height=ROW * picture.rows + 40)  # fmt: skip


class Picture(NamedTuple):
    """Where everything stands: across from 0 to 1, down in rows."""

    links: pd.DataFrame
    lefts: pd.DataFrame
    rights: pd.DataFrame
    rows: int


def placed(scenarios: Scenarios, carries: Sequence[Carry], target: str) -> Picture:
    phrases = [need.phrase for need in read_needs()]
    lefts = list(dict.fromkeys((one.scenario, one.need) for one in sorted(carries, key=lambda one: (one.scenario, -one.adds))))
    rights = list(dict.fromkeys(one.becomes for one in carries))
    rows = max(len(lefts), len(rights))
    left_at = {key: _spread(place, len(lefts), rows) for place, key in enumerate(lefts)}
    right_at = {key: _spread(place, len(rights), rows) for place, key in enumerate(rights)}
    most, links = max(one.adds for one in carries), []
    for number, one in enumerate(carries):
        name = scenarios.names[one.scenario]
        of_all = {"link": number, "size": max(1.5, WIDEST * one.adds / most), "from": name.capitalize(),
                  "says": f"In {name} {phrases[one.need]}; in {target} {phrases[one.becomes]}"}  # fmt: skip
        curve = _curve(left_at[(one.scenario, one.need)], right_at[one.becomes])
        links += [{"step": step, "x": x, "y": y, **of_all} for step, (x, y) in enumerate(curve)]
    begins = [
        _named(LEFT - 0.01, at, phrases[need]) | {"from": scenarios.names[name].capitalize()} for (name, need), at in left_at.items()
    ]
    ends = [_named(RIGHT + 0.01, at, phrases[need]) for need, at in right_at.items()]
    return Picture(pd.DataFrame(links), pd.DataFrame(begins), pd.DataFrame(ends), rows)


def _spread(place: int, many: int, rows: int) -> float:
    """So many entries, evenly over so many rows."""
    return (place + 0.5) * rows / many


def _curve(begin: float, end: float, steps: int = 24) -> list[tuple[float, float]]:
    """A line that leaves and arrives level."""
    found = []
    for step in range(steps + 1):
        part = step / steps
        bend = part * part * (3 - 2 * part)
        found.append((LEFT + (RIGHT - LEFT) * part, begin + (end - begin) * bend))
    return found


def _named(x: float, at: float, text: str) -> dict[str, Any]:
    """A text beside the end of its line; one of several lines is drawn from the first down, so it begins higher."""
    wrapped = "\n".join(textwrap.wrap(text, LINE))
    return {"x": x, "y": at - wrapped.count("\n") * LEADING / 2 / ROW, "text": wrapped}
