"""The page of a participant: whichever comes now, worked out anew from what is kept, however they came to it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from persona_core.engine import Engine
from persona_core.study import entry
from persona_core.study.sitting import Changed, Hall, HasLeft
from persona_core.study.store import StoreUnavailable, StudyFull
from ui.look import tame, to_the_top
from ui.markup import el, show
from ui.study import asking, consent, ending, picking, task
from ui.study.visit import Visit, last_known, not_kept, tell

BEGINS, BEGUN = "_study_begins", "_study_begun"
PAGES: dict[str, Callable[[Visit], None]] = {
    "consent": consent.draw, "profile": picking.draw, "task": task.draw, "questionnaire": asking.draw_questionnaire,
    "check": asking.draw_check, "debrief": ending.draw_debrief,
}  # fmt: skip


def draw(hall: Hall, engine: Engine) -> None:
    """The whole visit, from the address on."""
    with st.container(key="study"):
        try:
            token = str(st.query_params.get(entry.TOKEN, ""))
            sitting = last_known("_study_last", token, lambda: hall.enter(token)) if token else None
            if sitting is None:
                _at_the_door(hall)
            else:
                walk(Visit(hall, engine, sitting, token))
        except HasLeft:
            _notice(hall, "withdrawn")
        except Changed:
            _notice(hall, "changed")
        except StudyFull:
            _notice(hall, "full")


def walk(visit: Visit) -> None:
    """The page that comes now; where all are done, the end."""
    step = visit.sitting.step
    _note_a_return(visit)
    if step is None:
        ending.draw_end(visit)
        return
    path = visit.hall.study.path
    number = path.index(step) + 1
    st.progress(visit.sitting.share, text=visit.word("progress", number=number, all=len(path)))
    with st.container(key=f"study_page_{number}", gap="medium"):
        PAGES[step.kind](visit)
        tell(visit)
    show(el("p", visit.word("foot"), cls="ps-small ps-quiet ps-foot"))
    ending.way_out(visit)
    if step.kind != "task":  # which has pages of its own
        to_the_top(f"page_{number}")


def _note_a_return(visit: Visit) -> None:
    """A session that begins in the middle of a path is a reload, another tab or another machine."""
    mark = f"{BEGUN}_{visit.sitting.participant.id}"
    if mark not in st.session_state:
        st.session_state[mark] = True
        if visit.sitting.done:
            visit.attempt(lambda: visit.hall.note(visit.sitting, "returned", {}, f"{visit.sitting.events}"))


# The door ----------------------------------------------------------------------------------------------------------------


def _at_the_door(hall: Hall) -> None:
    found = entry.door(hall.study, hall.store, st.query_params.to_dict())
    if found is None:
        _notice(hall, "no_link")
        return
    pressed = st.session_state.pop(BEGINS, False)
    shut = False
    if pressed or found.source is not None:  # known by their address: nothing to press, and a reload is not somebody new
        try:
            _, token = hall.admit(found.source, found.origin)
            st.query_params.from_dict({entry.TOKEN: token})
            st.rerun()
        except StoreUnavailable:
            shut = True
    st.title(tame(hall.study.title), anchor=False)
    st.button(tame(hall.study.word("begin")), type="primary", on_click=st.session_state.update, args=({BEGINS: True},))
    if shut:
        not_kept(hall.study.word)


def _notice(hall: Hall, name: str) -> None:
    """A page that says one thing."""
    st.title(tame(hall.study.word(f"{name}_title")), anchor=False)
    show(el("p", hall.study.word(name), cls="ps-told"))
