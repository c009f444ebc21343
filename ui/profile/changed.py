"""What an edit did to the list: who entered, left, rose and fell, with the phrase that did it; as a picture and in words."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from persona_core.engine import Engine, Ranked
from persona_core.explain import Changes, Move, changes
from persona_core.explain.grammar import clipped
from ui.charts import ink
from ui.markup import Markup, el, show

FIRST = 10
LONGEST_TITLE = 40
GLYPHS = {"in": "→ entered", "out": "← left", "up": "▲ up", "down": "▼ down", "same": "same"}


def draw(engine: Engine, before: Ranked, after: Ranked) -> None:
    found = changes(engine, before, after, FIRST)
    st.markdown(f"**{found.text}**")
    frame = rows(engine, before, after)
    st.vega_lite_chart(frame, _spec(ink()), width="stretch", alt=described(found), key="slopes")
    _list(found)


def tell(engine: Engine, before: Ranked, after: Ranked) -> None:
    """The same in words alone."""
    found = changes(engine, before, after, FIRST)
    st.markdown(found.text)
    _list(found)


def _list(found: Changes) -> None:
    moves = [*(("in", one) for one in found.entered), *(("out", one) for one in found.left), *_sorted(found)]
    if moves:
        show(el("ul", *(_line(kind, one) for kind, one in moves), cls="ps-moves", aria_label="What moved, and why"))
    else:
        st.caption("Nothing among the first ten moved.")


def described(found: Changes) -> str:
    return f"Ranks before and after. {found.text}"


def _sorted(found: Changes) -> list[tuple[str, Move]]:
    """The longest way first."""
    moved = sorted(found.moved, key=lambda one: -abs((one.before or 0) - (one.after or 0)))
    return [("up" if (one.after or 0) < (one.before or 0) else "down", one) for one in moved]


def _line(kind: str, move: Move) -> Markup:
    places = f"{move.before if move.before else '–'} → {move.after if move.after else '–'}"
    way = el("span", GLYPHS[kind], " ", el("span", places, cls="ps-number ps-small"), cls=f"ps-move ps-{kind}")
    return el("li", way, el("span", move.text, cls="ps-small"))


def rows(engine: Engine, before: Ranked, after: Ranked) -> pd.DataFrame:
    """Each item among the first ten of either, at both ends; what is not among them stands just below."""
    old, new = (one.order[:FIRST].tolist() for one in (before, after))
    found = []
    for item in dict.fromkeys([*new, *old]):
        was, now = (side.index(item) + 1 if item in side else FIRST + 1 for side in (old, new))
        kind = "in" if was > FIRST else "out" if now > FIRST else "up" if now < was else "down" if now > was else "same"
        title = engine.items[item].title
        for end, rank in (("before", was), ("now", now)):
            found.append({"title": title, "short": clipped(title, LONGEST_TITLE), "end": end, "rank": rank, "how": GLYPHS[kind]})
    return pd.DataFrame(found)


@st.cache_resource(max_entries=4, show_spinner=False)
def _spec(colour: str) -> dict[str, Any]:
    """The chart without its data, made once: then an edit sends the numbers alone, and the browser moves what it has drawn."""
    sample = pd.DataFrame({"title": [""], "short": [""], "end": ["now"], "rank": [1], "how": [GLYPHS["same"]]})
    spec: dict[str, Any] = _slopes(sample, colour).to_dict()
    del spec["data"], spec["datasets"]
    return spec


def _slopes(frame: pd.DataFrame, colour: str) -> alt.LayerChart | alt.FacetChart:
    how = alt.Color(
        "how:N", title=None, legend=alt.Legend(orient="top", columns=3),
        scale=alt.Scale(domain=list(GLYPHS.values()), range=["#2b83c9", "#d9652b", "#1f9d77", "#a08a5b", "#9a938a"]),
    )  # fmt: skip
    ends = alt.Axis(labelAngle=0, orient="top", domain=False, ticks=False)
    told = {"Item": "title:N", "When": "end:N", "Rank": "rank:Q", "Moved": "how:N"}
    base = alt.Chart(frame).encode(
        x=alt.X("end:N", sort=["before", "now"], title=None, axis=ends, scale=alt.Scale(padding=1)),
        y=alt.Y("rank:Q", title=None, scale=alt.Scale(domain=[0.5, FIRST + 1.2], reverse=True, nice=False), axis=None),
        detail="title:N",
        tooltip=[alt.Tooltip(field, title=title) for title, field in told.items()],
    )
    lines = base.mark_line(point=alt.OverlayMarkDef(size=45), strokeWidth=2).encode(color=how)
    within = alt.datum.rank <= FIRST
    room = alt.ExprRef("width / 3 - 12")  # what is longer ends in dots, on a phone as well
    size = alt.ExprRef("width < 380 ? 10 : 12")
    left = base.transform_filter((alt.datum.end == "before") & within).mark_text(
        align="right", dx=-9, fontSize=size, limit=room, color=colour
    )
    right = base.transform_filter((alt.datum.end == "now") & within).mark_text(
        align="left", dx=9, fontSize=size, limit=room, color=colour
    )
    words = alt.Text("label:N")
    label = "datum.rank + '  ' + datum.short"
    return alt.layer(
        lines, left.transform_calculate(label=label).encode(text=words), right.transform_calculate(label=label).encode(text=words)
    ).properties(height=360)  # fmt: skip


def draw_first(engine: Engine, ranked: Ranked) -> None:
    """The first ten, where nothing has changed yet."""
    first = [engine.items[int(item)] for item in ranked.order[:FIRST]]
    lines = []
    for rank, item in enumerate(first, start=1):
        what = el("span", item.title, " ", el("span", item.scenario, cls="ps-both"))
        lines.append(el("li", el("span", f"{rank}", cls="ps-rank ps-number"), what))
    show(el("ol", *lines, cls="ps-list"))
