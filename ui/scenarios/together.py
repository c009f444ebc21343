"""How scenarios go together: a map of every two of them, and behind each cell the reasons, with what one person said in both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from persona_core.personas.needs import read_needs
from persona_core.scenarios.files import Scenarios
from persona_core.scenarios.knowledge import Between, Reason
from ui.charts import ink
from ui.markup import Markup, el, show

PAIR = "scenario_pair"
LONGEST_QUOTE = 220
TINTS = {
    "light": {"not known": "#f6f2ea", "nothing sure": "#f1ebdf", "a little": "#d5e3ec", "something": "#a9cbe2", "much": "#7db3d8"},
    "dark": {"not known": "#1c1815", "nothing sure": "#241f1a", "a little": "#22394a", "something": "#28526f", "much": "#2f6b95"},
}
"""A cell's colour for each word."""
MUCH, SOME = 0.3, 0.1
"""The words for a likeness of two scenarios change from here on: as in the sentence about them."""


def alone(scenarios: Scenarios) -> None:
    """There is only one: nothing can carry over."""
    says = "Load things of a second kind, and what people carry from one to the other shows here."
    st.info(says, title="There is one scenario only", icon=":material/hub:")
    _what_each_is(scenarios)


def draw(scenarios: Scenarios) -> None:
    st.header("How they go together", anchor=False)
    names = {f"{pair.one} and {pair.other}": pair for pair in scenarios.pairs}
    left, right = st.columns([2, 3], gap="large")
    with left, st.container(key="scenario_map", gap="small"):
        st.altair_chart(_chart(scenarios), width="stretch", alt=" ".join(pair.text for pair in scenarios.pairs))
        st.caption("How much what people look for in one says of what the same people look for in the other, beyond chance.")
    with right, st.container(key="scenario_pair_box", gap="small"):
        chosen = _choose(list(names))
        _behind(names[chosen])
    _what_each_is(scenarios)


def _choose(names: Sequence[str]) -> str:
    if st.session_state.get(PAIR) not in names:
        st.session_state.pop(PAIR, None)
    if len(names) <= 6:  # more would not stand in a row
        return st.segmented_control("Why", names, default=names[0], key=PAIR, format_func=str.capitalize, required=True) or names[0]
    return st.selectbox("Why", names, key=PAIR, format_func=str.capitalize) or names[0]


# The map -----------------------------------------------------------------------------------------------------------------


def word(pair: Between) -> str:
    """How much one says of the other, in a word or two."""
    if pair.strength is None:
        return "not known"
    if pair.low is None or pair.low <= 0:
        return "nothing sure"
    return "much" if pair.strength >= MUCH else "something" if pair.strength >= SOME else "a little"


def _chart(scenarios: Scenarios) -> alt.LayerChart | alt.FacetChart:
    frame, order = pd.DataFrame(cells(scenarios)), [name.capitalize() for name in scenarios.names]
    bare: dict[str, Any] = {"domain": False, "ticks": False, "labelFontSize": 13}
    above = alt.Axis(orient="top", labelAngle=0, labelAlign="center", labelFlush=False, **bare)
    base = alt.Chart(frame).encode(
        x=alt.X("other:N", sort=order, title=None, axis=above), y=alt.Y("one:N", sort=order, title=None, axis=alt.Axis(**bare))
    )
    theme = "dark" if st.context.theme.type == "dark" else "light"
    tint = alt.Color("says:N", scale=alt.Scale(domain=list(TINTS[theme]), range=list(TINTS[theme].values())), legend=None)
    return alt.layer(
        base.transform_filter("datum.one != datum.other").mark_rect(cornerRadius=4).encode(color=tint),
        base.mark_text(dy=-8, fontSize=13, fontWeight=600, color=ink()).encode(text="says:N"),
        base.mark_text(dy=10, fontSize=11.5, color=ink(), opacity=0.75).encode(text="both:N"),
    ).properties(height=86 * len(order) + 30)  # fmt: skip


def cells(scenarios: Scenarios) -> list[dict[str, str]]:
    """What stands in each cell: of two, how much they say of each other; of one and itself, how many come."""
    people = {one.scenario: one.people for one in scenarios.every}
    found = []
    for one in scenarios.names:
        for other in scenarios.names:
            pair = scenarios.between(one, other) if one != other else None
            says, both = (word(pair), f"{pair.people:,} know both") if pair else (f"{people[one]:,} people", "come here")
            found.append({"one": one.capitalize(), "other": other.capitalize(), "says": says, "both": both})
    return found


# Behind a cell -----------------------------------------------------------------------------------------------------------


def _behind(pair: Between) -> None:
    show(el("p", pair.text, cls="ps-told"))
    most = max((one.share for one in pair.reasons), default=1.0)
    phrases = {need.id: need.phrase for need in read_needs()}
    show(*(_reason(one, phrases, pair, most) for one in pair.reasons))


def _reason(one: Reason, phrases: Mapping[str, str], pair: Between, most: float) -> Markup:
    phrase = phrases.get(one.need, one.need)
    quotes = [
        el("div", el("p", f"in {name}", cls="ps-meta"), el("blockquote", _short(quote.text), cls="ps-quote"))
        for name, quote in zip((pair.one, pair.other), one.quotes, strict=False)
    ]
    bar = el("span", el("span", style=f"width: {100 * one.share / most:.0f}%"), cls="ps-share", aria_hidden="true")
    head = el("p", bar, " ", el("b", phrase[:1].upper() + phrase[1:]), f" · {one.share:.0%} of the likeness", cls="ps-small")
    said = el("p", "One and the same person wrote:", cls="ps-small ps-quiet") if quotes else None
    return el("div", head, said, el("div", *quotes, cls="ps-two") if quotes else None, cls="ps-carried")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_QUOTE else f"{line[:LONGEST_QUOTE].rsplit(' ', 1)[0]} …"


# Each for itself ---------------------------------------------------------------------------------------------------------


def _what_each_is(scenarios: Scenarios) -> None:
    """Who comes to each and what for; in a model's words, too, where one was asked."""
    with st.expander("What each of them is about", icon=":material/info:", expanded=len(scenarios.names) < 2):
        for one in scenarios.every:
            told = scenarios.told.get(one.scenario, "")
            by = el("p", f"In the words of {scenarios.by}: {told}", cls="ps-small ps-quiet") if told else None
            show(el("p", one.text, cls="ps-told"), by)
