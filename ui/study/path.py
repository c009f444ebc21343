"""The page of a participant: whichever comes now, worked out anew from what is kept, however they came to it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from persona_core.engine import Engine
from persona_core.study import entry
from persona_core.study.sitting import Changed, Hall, HasLeft, Sitting
from persona_core.study.store import StoreUnavailable, StudyFull
from ui.look import tame, to_the_top
from ui.markup import el, show
from ui.study import asking, consent, ending, picking, task
from ui.study.visit import Visit, in_trouble, tell

LAST, BEGUN = "_study_last", "_study_begun"
PAGES: dict[str, Callable[[Visit], None]] = {
    "consent": consent.draw, "profile": picking.draw, "task": task.draw, "questionnaire": asking.draw_questionnaire,
    "check": asking.draw_check, "debrief": ending.draw_debrief,
}  # fmt: skip


def draw(hall: Hall, engine: Engine) -> None:
    """The whole visit, from the address on."""
    with st.container(key="study"):
        try:
            token = str(st.query_params.get(entry.TOKEN, ""))
            sitting = _sitting(hall, token) if token else None
            if sitting is None:
                _at_the_door(hall)
            else:
                walk(Visit(hall, engine, sitting, token))
        except HasLeft:
            _notice(hall, "withdrawn")
        except Changed:
            _notice(hall, "changed")


def _sitting(hall: Hall, token: str) -> Sitting | None:
    """Where they are; while the store does not answer, where they were: what they have on their page stays there."""
    try:
        found = hall.enter(token)
        st.session_state[LAST] = (token, found)
        return found
    except StoreUnavailable:
        known, found = st.session_state.get(LAST, ("", None))
        if known != token or found is None:
            raise
        in_trouble()
        return found if isinstance(found, Sitting) else None


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
            visit.do(lambda: visit.hall.note(visit.sitting, "returned", {}, f"{visit.sitting.events}"))


# The door ----------------------------------------------------------------------------------------------------------------


def _at_the_door(hall: Hall) -> None:
    found = entry.door(hall.study, hall.store, st.query_params.to_dict())
    if found is None:
        _notice(hall, "no_link")
        return
    if found.source is not None:  # known by their address: nothing to press, and a reload is not somebody new
        _admit(hall, found)
        st.rerun()
    st.title(tame(hall.study.title), anchor=False)
    if st.session_state.pop("_study_full", None):
        _notice(hall, "full")
        return
    st.button(hall.study.word("begin"), type="primary", on_click=_begin, args=(hall, found))
    if st.session_state.pop("_study_no_store", None):
        st.error(hall.study.word("trouble"), title=hall.study.word("trouble_title"), icon=":material/sync_problem:")


def _begin(hall: Hall, door: entry.Door) -> None:
    try:
        _admit(hall, door)
    except StudyFull:
        st.session_state["_study_full"] = True
    except StoreUnavailable:
        st.session_state["_study_no_store"] = True


def _admit(hall: Hall, door: entry.Door) -> None:
    _, token = hall.admit(door.source, door.origin)
    st.query_params.from_dict({entry.TOKEN: token})


def _notice(hall: Hall, name: str) -> None:
    """A page that says one thing."""
    st.title(tame(hall.study.word(f"{name}_title")), anchor=False)
    show(el("p", hall.study.word(name), cls="ps-told"))
