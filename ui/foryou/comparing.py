"""Two people side by side: what each is shown, and what both are."""

from __future__ import annotations

import streamlit as st

from persona_core.engine import Engine, Options, Ranked
from ui import frame, parts, state
from ui.look import tame
from ui.markup import Markup, el, show
from ui.people.chip import chip

BESIDE = "beside"


def choose(engine: Engine) -> str | None:
    """Whom to stand beside the person looked through; nobody by default."""
    lines = frame.people(engine)
    users = [user for user in lines if user != state.who()]
    chosen = st.selectbox(
        "Compare with", users, index=None, format_func=lambda user: tame(lines.get(str(user), str(user))), key=BESIDE,
        placeholder="Somebody else, by name or taste", persist_state="session",
    )  # fmt: skip
    return chosen if chosen is not None and chosen in engine.profiles else None


def draw(engine: Engine, ranked: Ranked, other: str, options: Options, k: int) -> None:
    theirs = engine.rank(engine.profile(other), options)
    both = set(ranked.order[:k].tolist()) & set(theirs.order[:k].tolist())
    count = len(both)
    st.markdown(f"**In common: {count} of {k}.**" if count else f"**The two lists have nothing in common, of {k} each.**")
    columns = st.columns(2, gap="large")
    for column, who, answer in zip(columns, (state.who(), other), (ranked, theirs), strict=True):
        with column:
            st.subheader(tame(frame.name_of(engine, who)), anchor=False)
            show(el("p", frame.about(engine, answer.profile), cls="ps-meta"))
            show(el("ol", *(_row(engine, answer, int(item), int(item) in both) for item in answer.order[:k]), cls="ps-list"))


def _row(engine: Engine, ranked: Ranked, item: int, shared: bool) -> Markup:
    found = engine.recommendation(ranked, item)
    persona = engine.persona(found.match.persona_id) if found.match else None
    own = engine.items[item]
    return el(
        "li",
        el("span", f"{found.rank}", cls="ps-rank ps-number"),
        el(
            "div",
            el("div", el("b", own.title), el("span", "in both lists", cls="ps-both") if shared else None, cls="ps-head"),
            parts.bar(found.parts, parts.most_of(ranked)),
            chip(persona) if persona else None,
        ),
    )
