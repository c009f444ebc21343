"""Questionnaires and attention checks: every answer is kept as it is given, so that a reload finds it again."""

from __future__ import annotations

from typing import Any

import streamlit as st

from persona_core.study.questionnaires import LONGEST_ANSWER, Item, Questionnaire
from ui.look import tame
from ui.study.visit import Visit


def draw_questionnaire(visit: Visit) -> None:
    assert visit.sitting.step is not None  # nosec B101 # for the type checker
    asked = visit.hall.study.questionnaires[visit.sitting.step.of]
    st.title(tame(asked.title), anchor=False)
    for item in visit.sitting.order_of(asked):
        _question(visit, asked, item)
    st.button(
        tame(visit.word("next")), type="primary", key=visit.key("go"), on_click=visit.finish, args=(lambda: _given(visit, asked),)
    )


def draw_check(visit: Visit) -> None:
    assert visit.sitting.step is not None  # nosec B101 # for the type checker
    check = next(one for one in visit.hall.study.checks if one.id == visit.sitting.step.of)
    st.title(tame(visit.word("check_title")), anchor=False)
    radio(visit, "answer", check.text, check.options)
    st.button(tame(visit.word("next")), type="primary", key=visit.key("go"), on_click=visit.finish, args=(lambda: _chosen(visit),))


def _question(visit: Visit, asked: Questionnaire, item: Item) -> None:
    label = item.text if item.needed else f"{item.text} ({visit.word('optional')})"
    if item.kind == "text":
        key = visit.key(item.id)
        if key not in st.session_state:
            st.session_state[key] = str(visit.draft(item.id) or "")
        st.text_area(tame(label), key=key, max_chars=LONGEST_ANSWER, on_change=visit.keep, args=(item.id, key))
    elif item.kind == "choice":
        radio(visit, item.id, label, item.options)
    else:
        radio(visit, item.id, label, asked.scale, kind="scale")


def radio(visit: Visit, question: str, label: str, options: tuple[str, ...], kind: str = "choice") -> None:
    """One answer of several, from 1 on; all words are shown, side by side where there is room."""
    key = visit.key(question)
    if key not in st.session_state:
        held = visit.draft(question)
        st.session_state[key] = held if type(held) is int and 1 <= held <= len(options) else None
    with st.container(key=f"study-{kind}{len(options)}-{key}"):
        st.radio(tame(label), range(1, len(options) + 1), index=None, format_func=lambda at: tame(options[at - 1]), key=key,
                 horizontal=kind == "scale", on_change=visit.keep, args=(question, key))  # fmt: skip


def _chosen(visit: Visit) -> dict[str, Any]:
    return {"answer": st.session_state.get(visit.key("answer"))}


def _given(visit: Visit, asked: Questionnaire) -> dict[str, Any]:
    given = {item.id: st.session_state.get(visit.key(item.id)) for item in asked.items}
    return {name: value for name, value in given.items() if value not in (None, "")}
