"""A task: the list as this participant's condition shows it, to be changed, rated, read about, chosen from."""

from __future__ import annotations

import streamlit as st

from persona_core.profiles.edits import LONGEST_PHRASE
from persona_core.schema import Quote
from persona_core.study import doing
from persona_core.study.doing import AFTER, BEFORE, CHOOSING, EDITING, NOTHING, READ, Doing
from persona_core.study.showing import Said, Told, read_about
from ui import parts
from ui.foryou.card import in_review, meta
from ui.look import tame, to_the_top
from ui.markup import Markup, el, show
from ui.study.asking import radio
from ui.study.visit import Visit, last_known, paragraphs, refuse

SCALE = 5


def draw(visit: Visit) -> None:
    now = last_known("_study_doing", visit.step_id, lambda: doing.doing(visit.engine, visit.hall, visit.sitting))
    st.title(tame(visit.word("task_title")), anchor=False)
    show(paragraphs(now.task.text, "ps-told ps-lead"))
    visit.attempt(lambda: doing.note_shown(visit.hall, visit.sitting, visit.engine, now))
    with st.container(key=f"study_task_{now.place}", gap="medium"):
        if now.stage == EDITING:
            _edit(visit, now)
        elif now.stage == CHOOSING:
            _choose(visit, now)
        else:
            _rate(visit, now)
    if now.stage != EDITING or not now.edits:  # an edit leaves everything where it is
        to_the_top(f"task_{now.place}")


# One thing ---------------------------------------------------------------------------------------------------------------


def thing(visit: Visit, told: Told, *, bare: bool = False) -> None:
    """What it is, and what this condition tells of it; at first sight only what it is."""
    show(el("article", *_pieces(visit, told, bare), cls="ps-thing"))


def _pieces(visit: Visit, told: Told, bare: bool) -> list[Markup | None]:
    found: list[Markup | None] = [
        el("div", told.item.title, cls="ps-title"), el("p", meta(told.item), cls="ps-meta"),
        el("p", told.item.description, cls="ps-small") if told.item.description else None,
    ]  # fmt: skip
    if bare:
        return found
    if told.because:
        found += [el("p", visit.word("because"), cls="ps-label"), *(piece for one in told.because for piece in _said(one))]
    if told.parts:
        found += [el("p", visit.word("parts"), cls="ps-label"), parts.table(told.parts)]
    if told.trend:
        found += [el("p", visit.word("trend"), cls="ps-label"), el("p", told.trend, cls="ps-because")]
    if told.counter is not None:
        found.append(el("p", visit.word("counter"), cls="ps-label"))
        found += [piece for one in told.counter for piece in _said(one)] or [el("p", visit.word("counter_none"), cls="ps-because")]
    return found


def _said(said: Said) -> list[Markup]:
    return [
        el("p", said.text, cls="ps-because"),
        *(el("blockquote", " ".join(one.text.split()), cls="ps-quote") for one in said.quotes),
    ]


def _reviews(visit: Visit, told: Told) -> None:
    written = read_about(visit.engine, told.item.id)
    nothing: list[Quote] = []
    show(el("p", visit.word("reviews"), cls="ps-label"))
    if not written:
        show(el("p", visit.word("reviews_none"), cls="ps-told"))
    for review in written:
        show(el("div", in_review(review, nothing, {}), cls="ps-written"))


# Changing what it rests on -----------------------------------------------------------------------------------------------


def _edit(visit: Visit, now: Doing) -> None:
    st.subheader(tame(visit.word("edit_title")), anchor=False)
    st.caption(tame(visit.word("edit_lead")))
    for act, title, phrases in (("like", "edit_likes", now.profile.likes), ("dislike", "edit_dislikes", now.profile.dislikes)):
        if phrases:
            show(el("p", visit.word(title), cls="ps-label"))
        with st.container(horizontal=True, gap="small", key=f"study_chips_{act}"):
            for phrase in phrases:
                st.button(tame(phrase.text), icon=":material/close:", key=visit.key(f"drop_{act}_{phrase.text}"), on_click=_act,
                          args=(visit, "drop", phrase.text), help=tame(visit.word("edit_remove")))  # fmt: skip
        key = visit.key(f"add_{act}_{now.edits}")
        st.text_input(tame(visit.word(f"edit_{act}")), key=key, max_chars=LONGEST_PHRASE, on_change=_typed, args=(visit, act, key))
    for told in now.shown.things:
        thing(visit, told)
    if not now.shown.things:
        show(el("p", visit.word("list_empty"), cls="ps-told"))
    st.button(tame(visit.word("edit_done")), type="primary", key=visit.key("settle"), on_click=visit.do,
              args=(lambda: doing.settle(visit.hall, visit.sitting, visit.engine),))  # fmt: skip


def _typed(visit: Visit, act: str, key: str) -> None:
    text = str(st.session_state.get(key) or "").strip()
    if text:
        _act(visit, act, text)


def _act(visit: Visit, act: str, text: str) -> None:
    visit.do(lambda: doing.edit(visit.hall, visit.sitting, visit.engine, act, text))


# Rating ------------------------------------------------------------------------------------------------------------------


def _rate(visit: Visit, now: Doing) -> None:
    st.subheader(tame(visit.word({BEFORE: "rate_before", AFTER: "rate_after", READ: "rate_read"}[now.at])), anchor=False)
    words = tuple(visit.word(f"rate_{value}") for value in range(1, SCALE + 1))
    asked = [told for told in now.shown.things if told.item.id in now.asks]
    for told in asked:
        with st.container(border=True, key=f"study_thing_{now.at}_{told.rank}", gap="small"):
            thing(visit, told, bare=now.at == BEFORE)
            if now.at == READ:
                _reviews(visit, told)
            radio(visit, f"{now.at} {told.item.id}", visit.word("rate_label"), words, kind="scale")
    st.button(tame(visit.word("next")), type="primary", key=visit.key(f"rate_{now.place}"), on_click=_rated, args=(visit, now))


def _rated(visit: Visit, now: Doing) -> None:
    given = {item: st.session_state.get(visit.key(f"{now.at} {item}")) for item in now.asks}
    missing = sum(value is None for value in given.values())
    if missing:
        refuse(visit.word("answer_all", missing=missing))
        return
    values = {item: int(value) for item, value in given.items() if value is not None}
    visit.do(lambda: doing.rate(visit.hall, visit.sitting, visit.engine, now.place, values))


# Choosing ----------------------------------------------------------------------------------------------------------------


def _choose(visit: Visit, now: Doing) -> None:
    for told in now.shown.things:
        with st.container(border=True, key=f"study_choose_{told.rank}"):
            thing(visit, told)
    options = (*(told.item.title for told in now.shown.things), visit.word("choose_none"))
    radio(visit, "chosen", visit.word("choose"), options)
    st.button(tame(visit.word("next")), type="primary", key=visit.key("choose"), on_click=_chosen, args=(visit, now))


def _chosen(visit: Visit, now: Doing) -> None:
    at = st.session_state.get(visit.key("chosen"))
    if at is None:
        refuse(visit.word("answer_all", missing=1))
        return
    chosen = (*now.shown.items, NOTHING)[int(at) - 1]
    visit.do(lambda: doing.choose(visit.hall, visit.sitting, visit.engine, chosen))
