"""The map of all personas: pan and zoom, hover, or drag over an area to list who lies there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from persona_core.engine import Engine
from persona_core.errors import ArtefactBroken, WorkspaceMissing
from persona_core.personas import curation
from persona_core.personas.map import read_map
from persona_core.personas.regions import Region
from persona_core.schema import Persona
from persona_core.workspace import Workspace
from ui import building, resources
from ui.charts import INK
from ui.markup import el, show
from ui.people import found
from ui.people.chip import WORDS

AREA, ONE, VIEW = "area", "one", "view"
MOVE, SELECT = "move around", "select an area"
DRAG = "people_drag"
MOST_DRAWN, MOST_LISTED = 10_000, 24
HEIGHT, LINE = 560, 14
PAPER = {"light": "#fbf8f2", "dark": "#171411"}
"""Of the theme: a drawing cannot look them up."""
EDGE = 108
"""How far the drawing reaches from the middle of the map: a little beyond its farthest persona."""


def draw(engine: Engine, emphasised: Collection[str] = ()) -> None:
    """The map, and beneath it whoever was selected on it; those `emphasised` stand out."""
    frame, regions = _known(engine)
    st.header("The map of personas", anchor=False)
    if frame is None or frame.empty:
        _not_there(engine)
        return
    standing_out = " Those found above stand out." if emphasised else ""
    st.caption(
        f"Every dot is one persona of one item. Those who want alike lie close together; directions mean nothing.{standing_out}"
    )
    drag = st.segmented_control("Drag to", [MOVE, SELECT], default=MOVE, key=DRAG, required=True)
    selecting = drag == SELECT
    drawn = frame if len(frame) <= MOST_DRAWN else frame.sample(MOST_DRAWN, random_state=engine.workspace.settings.seed)
    with st.container(key="map"):
        state = st.altair_chart(
            chart(drawn, regions, selecting, emphasised),
            width="stretch",
            key=f"people_map_{'select' if selecting else 'move'}",
            on_select="rerun",
            selection_mode=[AREA, ONE] if selecting else [ONE],
            alt=described(frame, regions),
        )
    if len(drawn) < len(frame):
        st.caption(f"{len(drawn):,} of {len(frame):,} personas are drawn, chosen by lot; an area lists all that lie in it.")
    _list(engine, [engine.persona(one) for one in chosen(state.get("selection", {}), frame)], selecting)


def _known(engine: Engine) -> tuple[pd.DataFrame | None, list[Region]]:
    place = engine.workspace
    try:
        return _frame(
            str(place.root), place.version_now("map"), place.version_now("personas"), curation.fingerprint(place.root), engine
        )
    except (WorkspaceMissing, ArtefactBroken):
        return None, []


@st.cache_data(max_entries=2, show_spinner=False)
def _frame(root: str, version: str, personas: str, curated: str, _engine: Engine) -> tuple[pd.DataFrame, list[Region]]:
    """Everybody who is shown, with what the map says of them."""
    places, regions = read_map(Workspace.at(root).artefact("map"))
    shown = {one.id: one for one in _engine.personas}
    places = places[places["persona_id"].isin(list(shown))].reset_index(drop=True)
    people = [shown[one] for one in places["persona_id"]]
    items = [_engine.item(one.item_id) for one in people]
    told = {
        "name": [one.name for one in people],
        "item": [one.title for one in items],
        "scenario": [one.scenario for one in items],
        "stance": [WORDS[one.stance] for one in people],
    }
    return places.assign(**told), regions


def _not_there(engine: Engine) -> None:
    """No map, or one of other personas: what is, and what to press."""
    place = engine.workspace
    job = resources.build_job(str(place.root))
    if job.running or job.error is not None:
        building.watch(job, until="map")
    elif place.settings.readonly:
        st.info("The map is not drawn yet, and this app only reads. Search and items work without it.", icon=":material/map:")
    else:
        st.info("The map is not drawn yet. Search and items work without it.", icon=":material/map:")
        st.button("Draw the map", icon=":material/map:", on_click=job.start)


# The drawing -------------------------------------------------------------------------------------------------------------


def chart(
    frame: pd.DataFrame, regions: Sequence[Region], selecting: bool, emphasised: Collection[str] = ()
) -> alt.LayerChart | alt.FacetChart:
    frame = frame.assign(shown=[not emphasised or one in emphasised for one in frame["persona_id"]])
    scale = alt.Scale(domain=[-EDGE, EDGE], nice=False, zero=False)
    x, y = alt.X("x:Q", axis=None, scale=scale), alt.Y("y:Q", axis=None, scale=scale)
    dragged = alt.selection_interval(name=AREA) if selecting else alt.selection_interval(name=VIEW, bind="scales")
    clicked = alt.selection_point(name=ONE, fields=["persona_id"])
    dots = (
        alt.Chart(frame)
        .mark_point(filled=True, size=alt.ExprRef("width < 500 ? 20 : 52"), strokeWidth=0)
        .encode(
            x=x,
            y=y,
            color=alt.Color("scenario:N", title=None, legend=alt.Legend(orient="top", symbolSize=90)),
            shape=alt.Shape("scenario:N", title=None),
            opacity=alt.condition(alt.datum.shown, alt.value(0.82), alt.value(0.14)),
            tooltip=[
                alt.Tooltip("name:N", title="Persona"),
                alt.Tooltip("item:N", title="Item"),
                alt.Tooltip("stance:N", title="The item"),
                alt.Tooltip("region:N", title="Region"),
            ],
        )
        .add_params(dragged, clicked)
    )
    return alt.layer(dots, *_names(regions, x, y)).properties(height=HEIGHT)


def _names(regions: Sequence[Region], x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """The regions' names over the dots, with a seam of the page's colour so that they can be read on any of them."""
    theme = "dark" if st.context.theme.type == "dark" else "light"
    ink, paper = INK[theme], PAPER[theme]
    told = pd.DataFrame([{"x": one.x, "y": one.y, "region": one.name.replace(" and ", "\nand ")} for one in regions])
    layers = []
    for breaks in (0, 1):  # several lines hang from the first: the more there are, the higher it stands
        some = told[told["region"].str.count("\n") == breaks] if len(told) else told
        base = alt.Chart(some).encode(x=x, y=y, text="region:N")
        shape: dict[str, Any] = {
            "fontSize": alt.ExprRef("width < 500 ? 10.5 : 12.5"),
            "fontWeight": 600,
            "lineBreak": "\n",
            "lineHeight": LINE,
            "dy": -10 - LINE * breaks,
        }
        seam = base.mark_text(**shape, color=paper, stroke=paper, strokeWidth=4, strokeJoin="round", opacity=0.8)
        layers += [seam, base.mark_text(**shape, color=ink)] if len(some) else []
    return layers


def described(frame: pd.DataFrame, regions: Sequence[Region]) -> str:
    """The map in a sentence or two."""
    names = ", ".join(f"{one.name.lower()} ({one.count})" for one in regions)
    return f"Map of {len(frame):,} personas by what they want. Its regions, the largest first: {names}."


# What was selected -------------------------------------------------------------------------------------------------------


def chosen(selection: Mapping[str, Any], frame: pd.DataFrame) -> list[str]:
    """The ids of those who lie in the selected area, or else of the one that was clicked; of what makes no sense, nobody."""
    try:
        area = selection.get(AREA) or {}
        if "x" in area and "y" in area:
            (left, right), (low, high) = sorted(map(float, area["x"])), sorted(map(float, area["y"]))
            inside = frame[frame["x"].between(left, right) & frame["y"].between(low, high)]
            return [str(one) for one in inside["persona_id"]]
        clicked = {str(one.get("persona_id")) for one in selection.get(ONE) or []}
        return [one for one in frame["persona_id"] if one in clicked]
    except (AttributeError, TypeError, ValueError):
        return []


def _list(engine: Engine, personas: Sequence[Persona], selecting: bool) -> None:
    if not personas:
        st.caption(
            "Drag over the map to list who lies there; double-click to clear."
            if selecting
            else "Scroll to zoom, click a dot to name it."
        )
        return
    ranked = sorted(personas, key=lambda one: (-one.weight, one.id))
    commonest = Counter(one.traits[0] for one in personas if one.traits).most_common(3)
    said = "1 persona" if len(personas) == 1 else f"{len(personas):,} personas"
    show(
        el("p", f"Selected: {said}", cls="ps-title"),
        el("p", "Mostly: " + ", ".join(f"{trait} ({count})" for trait, count in commonest), cls="ps-meta")
        if len(personas) > 3
        else None,
    )
    found.persona_lines(engine, ranked[:MOST_LISTED], "selected")
    if len(ranked) > MOST_LISTED:
        st.caption(
            f"The {MOST_LISTED} with the largest shares are listed, of {len(ranked):,}. Select a smaller area to see the others."
        )
