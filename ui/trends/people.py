"""Who comes: which of an item's people brought it about, and which regions and scenarios of the whole catalogue rise and fade."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd
import streamlit as st

from persona_core.engine import Engine
from persona_core.errors import ArtefactBroken, WorkspaceMissing
from persona_core.explain.drivers import Driver, Drivers, Group, drivers
from persona_core.personas.map import read_map
from persona_core.workspace import Workspace
from ui.charts import INK
from ui.markup import Markup, el, show
from ui.people import choosing as people_choosing
from ui.people.chip import chip
from ui.trends.drawing import COLOURS
from ui.trends.seen import Seen, many, people

BY_WANT, BY_SCENARIO = "what they want", "scenario"
BY = "trends_by"
MOSTLY = 0.4
"""Who makes up so great a share of the visits, and the greatest, is named."""


def of(engine: Engine) -> Drivers:
    return _drivers(str(engine.workspace.root), id(engine), engine)


@st.cache_resource(max_entries=2, show_spinner="Looking who came …")
def _drivers(root: str, opened: int, _engine: Engine) -> Drivers:
    return drivers(_engine)


# One item ----------------------------------------------------------------------------------------------------------------


def draw_item(seen: Seen, place: int) -> None:
    """Which of its people came lately, against as long a time before."""
    item, found = seen.trends.items[place], of(seen.engine)
    told = found.of_item(item, seen.back)
    lately, before = totals(found, item, seen.back, told)
    if not lately and not before:
        return
    with st.container(key="trends_drivers", gap="small"):
        show(el("p", "Who drives it", cls="ps-label"), el("p", headline(seen, told, lately, found.span(seen.back)), cls="ps-told"))
        show(*(_line(one, lately, before) for one in told if one.lately or one.before), _others(found.nobodys(item, seen.back)))
        if told:
            st.button(
                "All about its people", icon=":material/groups:", type="tertiary", key="trends_people", on_click=_open, args=(item,)
            )
    if st.session_state.pop("_trends_to_people", False):
        st.switch_page("app_pages/personas.py")


def _open(item: str) -> None:
    people_choosing.open_item(item)
    st.session_state["_trends_to_people"] = True


def totals(found: Drivers, item: str, back: int, told: Sequence[Driver]) -> tuple[int, int]:
    left_lately, left_before = found.nobodys(item, back)
    return sum(one.lately for one in told) + left_lately, sum(one.before for one in told) + left_before


def headline(seen: Seen, told: Sequence[Driver], lately: int, span: int) -> str:
    """Whose people came most of all, where it is somebody's."""
    time = f"the last {seen.word}" if span == 1 else f"the last {many(span, seen.word)}"
    if not told:
        return f"{people(lately)} came in {time}; its reviews tell of nobody whom it suits."
    if not lately:
        return f"Nobody came in {time}."
    first, others = told[0], told[1].lately if len(told) > 1 else 0
    if first.lately >= max(MOSTLY * lately, others + 1):
        return f"Above all: {first.persona.name}, {first.lately} of the {people(lately)} who came in {time}."
    return f"Several kinds of people alike, among the {people(lately)} who came in {time}."


def _line(one: Driver, lately: int, before: int) -> Markup:
    share = 100 * one.lately / lately if lately else 0.0
    now = f"{one.lately} of the last {lately}" if lately else "nobody lately"
    then = f"{one.before} of {before} before" if before else "nobody before"
    return el(
        "div",
        el("div", chip(one.persona)),
        el(
            "div",
            el("span", el("span", style=f"width: {share:.0f}%"), cls="ps-share", aria_hidden="true"),
            f" {now}, {then}", cls="ps-small ps-quiet",
        ),
        cls="ps-drive",
    )  # fmt: skip


def _others(left: tuple[int, int]) -> Markup | None:
    if not any(left):
        return None
    return el("p", f"Of {left[0]} lately and {left[1]} before nobody can say whose people they are.", cls="ps-meta")


# The whole catalogue -----------------------------------------------------------------------------------------------------


def draw(seen: Seen) -> None:
    """Which regions of the map of personas come more and which less, or which scenarios."""
    st.header("Who comes", anchor=False)
    regions = regions_of(seen.engine)
    kinds = [BY_WANT, BY_SCENARIO] if regions else [BY_SCENARIO]
    if BY in st.session_state and st.session_state[BY] not in kinds:
        del st.session_state[BY]
    with st.container(key="trends_who", gap="small"):
        by = kinds[0]
        if len(kinds) > 1:
            by = st.segmented_control("People by", kinds, default=kinds[0], key=BY, required=True) or kinds[0]
        found = of(seen.engine)
        groups = regions if by == BY_WANT else {one.id: seen.engine.item(one.item_id).scenario for one in seen.engine.personas}
        told = [one for one in found.by_group(groups, seen.back) if one.lately or one.before]
        span = many(found.span(seen.back), seen.word)
        if not told:
            st.caption(f"Nobody whose taste is known came in the last {span}.")
            return
        show(el("p", said(told, span), cls="ps-told"))
        st.altair_chart(_chart(told, span), width="stretch", alt=f"{said(told, span)} {_listed(told)}")
        st.caption(
            f"People who came: ○ in the {span} before, ● in the last {span}. Every visit counts for the persona of that item which "
            "the visitor is most like, by their profile of today."
        )


def regions_of(engine: Engine) -> dict[str, str]:
    """Each persona's region on the map of personas; empty where there is no map."""
    place = engine.workspace
    try:
        return _regions(str(place.root), place.version_now("map"))
    except (WorkspaceMissing, ArtefactBroken):
        return {}


@st.cache_data(max_entries=2, show_spinner=False)
def _regions(root: str, version: str) -> dict[str, str]:
    places, _ = read_map(Workspace.at(root).artefact("map"))
    return dict(zip(places["persona_id"].astype(str), places["region"].astype(str), strict=True))


def said(groups: Sequence[Group], span: str) -> str:
    """Who rises most and who fades most, in a sentence or two."""
    up, down = groups[0], groups[-1]
    told = []
    if up.change > 0:
        told.append(f"Up most: {_name(up.name)}, {people(up.lately)} in the last {span} after {up.before:,} in the {span} before.")
    if down.change < 0:
        told.append(f"Down most: {_name(down.name)}, {people(down.lately)} after {down.before:,}.")
    return " ".join(told) or f"As many came in the last {span} as in the {span} before, of every kind."


def _listed(groups: Sequence[Group]) -> str:
    return "; ".join(f"{one.name}: {one.before:,} before, {one.lately:,} lately" for one in groups) + "."


def _chart(groups: Sequence[Group], span: str) -> alt.LayerChart | alt.FacetChart:
    """From an open ring, what came before, to a full dot, what came lately."""
    theme = "dark" if st.context.theme.type == "dark" else "light"
    colours, ink = COLOURS[theme], INK[theme]
    before, lately = f"the {span} before", f"the last {span}"
    order = [_name(one.name) for one in groups]
    frame = pd.DataFrame([
        {"name": _name(one.name), "before": one.before, "lately": one.lately,
         "change": f"{one.change:+,}"} for one in groups
    ])  # fmt: skip
    y = alt.Y("name:N", sort=order, title=None, axis=alt.Axis(labelLimit=240, domain=False, ticks=False))
    x = alt.X("before:Q", title=None, scale=alt.Scale(zero=False, padding=14), axis=alt.Axis(tickCount=4))
    tips = [alt.Tooltip("name:N", title="Who"), alt.Tooltip("before:Q", title=before.capitalize()),
            alt.Tooltip("lately:Q", title=lately.capitalize()), alt.Tooltip("change:N", title="Change")]  # fmt: skip
    base = alt.Chart(frame).encode(y=y, tooltip=tips)
    return alt.layer(
        base.mark_rule(strokeWidth=2, color=colours["came"], opacity=0.55).encode(x=x, x2="lately:Q"),
        base.mark_point(filled=False, size=70, strokeWidth=1.8, color=colours["came"]).encode(x=x),
        base.mark_point(filled=True, size=90, opacity=1, color=colours["came"]).encode(x="lately:Q"),
        base.mark_text(align="left", dx=9, color=ink, fontSize=12).encode(x=alt.X("most:Q"), text="change:N").transform_calculate(
            most="max(datum.before, datum.lately)"),
    ).properties(height=34 * len(groups) + 50)  # fmt: skip


def _name(name: str) -> str:
    return name[:1].upper() + name[1:]
