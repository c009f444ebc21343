"""The participant's own profile: phrases to pick, words of their own, things they know, or a profile they bring."""

from __future__ import annotations

from typing import Any

import orjson
import streamlit as st

from persona_core.profiles.edits import LONGEST_PHRASE, MOST_PHRASES, EditRefused
from persona_core.profiles.journal import LARGEST_FILE, from_file
from persona_core.study.showing import wants_items
from ui.look import tame
from ui.profile.newcomer import offers
from ui.study.visit import Visit, refuse

FEWEST_PHRASES, FEWEST_ITEMS = 2, 3
PHRASES, OWN, DISLIKES, ITEMS = "phrases", "own", "dislikes", "items"


def draw(visit: Visit) -> None:
    st.title(tame(visit.word("profile_title")), anchor=False)
    st.markdown(tame(visit.word("profile_lead")))
    engine = visit.engine
    offered = offers(str(engine.workspace.root), engine.workspace.version_now("profiles"), engine)
    key = visit.key(PHRASES)
    options = list(dict.fromkeys((*offered, *_held(visit, OWN), *_held(visit, PHRASES), *_now(visit))))
    if key not in st.session_state:
        st.session_state[key] = [one for one in _held(visit, PHRASES) if one in options]
    st.pills(tame(visit.word("profile_title")), options, selection_mode="multi", format_func=tame, key=key,
             label_visibility="collapsed", on_change=visit.keep, args=(PHRASES, key))  # fmt: skip
    typed = visit.key("typed")
    st.text_input(tame(visit.word("profile_own")), key=typed, max_chars=LONGEST_PHRASE, on_change=_add, args=(visit, typed),
                  placeholder=visit.word("profile_own_example"))  # fmt: skip
    if wants_items(visit.hall.study):
        _items(visit)
    _file(visit)
    st.button(tame(visit.word("next")), type="primary", key=visit.key("go"), on_click=_go, args=(visit,))


def _held(visit: Visit, question: str) -> list[str]:
    held = visit.draft(question)
    return [str(one) for one in held] if isinstance(held, list) else []


def _items(visit: Visit) -> None:
    key = visit.key(ITEMS)
    titles = {item.id: item.title for item in visit.engine.items}
    if key not in st.session_state:
        st.session_state[key] = [one for one in _held(visit, ITEMS) if one in titles]
    st.multiselect(tame(visit.word("profile_items")), list(titles), format_func=titles.__getitem__, key=key,
                   max_selections=MOST_PHRASES, on_change=visit.keep, args=(ITEMS, key))  # fmt: skip
    st.caption(tame(visit.word("profile_items_lead")))


def _add(visit: Visit, key: str) -> None:
    text = " ".join(str(st.session_state.get(key) or "").split())
    if text:
        _put(visit, OWN, [*_held(visit, OWN), text])
        _put(visit, PHRASES, [*_now(visit), text])
        st.session_state[key] = ""


def _put(visit: Visit, question: str, values: list[str]) -> None:
    kept = list(dict.fromkeys(values))[:MOST_PHRASES]
    visit.do(lambda: visit.hall.draft(visit.sitting, question, kept))
    if question in (PHRASES, ITEMS):
        st.session_state[visit.key(question)] = kept


def _now(visit: Visit) -> list[str]:
    return [str(one) for one in st.session_state.get(visit.key(PHRASES)) or ()]


def _file(visit: Visit) -> None:
    key = visit.key("file")
    with st.expander(tame(visit.word("profile_file")), icon=":material/upload_file:"):
        st.file_uploader(tame(visit.word("profile_file")), type=["json"], key=key, label_visibility="collapsed", max_upload_size=1,
                         on_change=_bring, args=(visit, key))  # fmt: skip


def _bring(visit: Visit, key: str) -> None:
    file = st.session_state.get(key)
    if file is None:
        return
    try:
        given = orjson.loads(from_file(file.getvalue()[: LARGEST_FILE + 1]).text)
        likes, dislikes = ([str(one["text"])[:LONGEST_PHRASE] for one in given.get(side, [])] for side in ("likes", "dislikes"))
    except (EditRefused, orjson.JSONDecodeError, KeyError, TypeError):
        refuse(visit.word("profile_file_bad"))
        return
    _put(visit, OWN, [*_held(visit, OWN), *likes])
    _put(visit, PHRASES, [*_now(visit), *likes])
    _put(visit, DISLIKES, dislikes)


def _go(visit: Visit) -> None:
    phrases = _now(visit)
    items = [str(one) for one in st.session_state.get(visit.key(ITEMS)) or ()]
    if len(phrases) < FEWEST_PHRASES:
        refuse(visit.word("profile_short", number=FEWEST_PHRASES))
    elif wants_items(visit.hall.study) and len(items) < FEWEST_ITEMS:
        refuse(visit.word("profile_known", number=FEWEST_ITEMS))
    else:
        given: dict[str, Any] = {PHRASES: phrases, DISLIKES: _held(visit, DISLIKES), ITEMS: items}
        visit.finish(lambda: {name: values for name, values in given.items() if values})
