"""Why not this one: any item can be asked about, and the answer says what holds it back and what would bring it in."""

from __future__ import annotations

import streamlit as st

from persona_core.engine import Engine, Ranked
from persona_core.explain import WhyNot, why_not
from persona_core.explain.grammar import clipped
from ui import parts
from ui.foryou import card
from ui.look import tame
from ui.markup import Markup, el, joined, show

ASKED = "asked"
MOST = 5_000
LONGEST_TITLE = 28


def draw(engine: Engine, ranked: Ranked, k: int) -> None:
    titles = {item.id: item.title for item in engine.items[:MOST]}
    with st.container(key="asking"):
        chosen = st.selectbox(
            "Why not …?", list(titles), index=None, format_func=lambda one: tame(titles.get(str(one), str(one))), key=ASKED,
            placeholder="Ask about any item by its title", persist_state="session",
        )  # fmt: skip
        if chosen in engine.code:
            found = why_not(engine, ranked, chosen, k)
            show(el("p", found.text), _table(engine, found))
            if st.button("What would move it?", icon=":material/search:", key="asked_move"):
                card.tell_what_would_move(engine, ranked, chosen)


def _table(engine: Engine, found: WhyNot) -> Markup:
    """Part by part, beside the item that just made it."""
    if not found.parts:
        return joined()
    own, other = engine.item(found.item_id).title, engine.item(found.against).title
    head = el("tr", el("th", ""), *(el("th", clipped(one, LONGEST_TITLE), scope="col") for one in (own, other)))
    rows = [
        el("tr", el("th", parts.NAMES[one.name].capitalize(), scope="row"), el("td", f"{one.one:+.3f}"), el("td", f"{one.other:+.3f}"))
        for one in found.parts
    ]
    return el("table", el("thead", head), el("tbody", *rows), cls="ps-parts", aria_label="The parts of both scores")
