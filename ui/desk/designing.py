"""A study's design as a form, with its file below: what is wrong is said by place, and nothing is saved that could not be run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from persona_core.errors import PersonaError
from persona_core.files import write_beside
from persona_core.study.design import FACTORS, MEASURED, Study, StudyRefused, study_in, study_of
from persona_core.study.questionnaires import questionnaires
from persona_core.study.writing import as_file
from ui import trouble
from ui.desk.choosing import Chosen
from ui.look import tame
from ui.markup import el, show

SAID: Mapping[str, str] = {
    "explanation": "How a thing is explained", "counter": "What may disappoint", "profile": "The participant's profile",
    "trend": "How a thing is coming along", "ranking": "What the list is ranked by",
}  # fmt: skip
DIRECTIONS = ("more", "less", "differs")
ENTRIES = {"open": "everybody with the address", "invited": "who has an invitation", "panel": "who comes from a panel"}
LEVELS = sorted({one for levels in FACTORS.values() for one in levels})
FAULTS = "_desk_faults"


def draw(chosen: Chosen, readonly: bool, came: int) -> None:
    if chosen.study is None:
        assert chosen.error is not None  # nosec B101 # for the type checker
        trouble.show(chosen.error)
    else:
        _summary(chosen.study)
        if came:
            words = f"{came} people have met this version. What you save is another one, with none so far; they cannot go on in it."
            st.warning(words, icon=":material/warning:")
        if readonly:
            st.caption("This app only reads, so nothing can be changed here.")
        elif chosen.ships:
            st.caption("This study ships with Personascope. Make a new one from it, above, to change it.")
        else:
            _form(chosen.file, chosen.study)
    _file(chosen, readonly)


def _summary(study: Study) -> None:
    """What participants will meet, in a sentence."""
    who = "everybody meets all of them, in an order of their own" if study.within else "everybody meets one of them, drawn by lot"
    many = len(study.conditions)
    show(
        el("p", f"{study.title}: {many} {'condition' if many == 1 else 'conditions'}, {who}; {len(study.path)} pages.", cls="ps-told")
    )
    for one in study.hypotheses:
        show(el("p", f"Planned: {one.words}.", cls="ps-small ps-quiet"))


def _form(file: Path, study: Study) -> None:
    key = f"design_{study.content[:12]}"
    with st.form(key, border=False):
        values = study.model_dump(mode="json", by_alias=True)
        values |= _about(values, key) | {"factors": _factors(study, key)}
        values |= _tables(study, values, key)
        if st.form_submit_button("Check and save", type="primary", icon=":material/save:"):
            _save(file, values)
    if st.session_state.get(FAULTS):
        st.error(st.session_state.pop(FAULTS), title="This could not be run yet; nothing was saved", icon=":material/edit_note:")


def _about(values: dict[str, Any], key: str) -> dict[str, Any]:
    left, right = st.columns(2)
    found = {
        "title": left.text_input("Title, as participants read it", values["title"], key=f"{key}_title"),
        "entry": right.selectbox("Who may begin", list(ENTRIES), list(ENTRIES).index(values["entry"]), format_func=ENTRIES.__getitem__,
                                 key=f"{key}_entry"),
        "within": left.radio("Everybody meets", [False, True], int(values["within"]), key=f"{key}_within", horizontal=True,
                             format_func=lambda one: "all conditions" if one else "one condition"),
        "quota": right.number_input("Participants wanted", 1, 100_000, values["quota"] or 100, key=f"{key}_quota"),
        "leave_out_failed": left.checkbox("Leave out who fails an attention check", values["leave_out_failed"], key=f"{key}_failed"),
        "retention_days": right.number_input("Delete data after so many days (0: never)", 0, 10_000, values["retention_days"] or 0,
                                             key=f"{key}_days") or None,
    }  # fmt: skip
    consent, debrief = st.columns(2)
    found["consent"] = {
        "version": consent.text_input("Version of the consent", values["consent"]["version"], key=f"{key}_cv"),
        "text": consent.text_area("What they agree to", values["consent"]["text"], key=f"{key}_ct", height=200),
    }
    found["debrief"] = debrief.text_area("What they are told at the end", values["debrief"], key=f"{key}_de", height=284)
    return found


def _factors(study: Study, key: str) -> dict[str, list[str]]:
    st.markdown("**What varies** :small[(nothing chosen: it is the same for all)]")
    found = {}
    columns = st.columns(2)
    for at, (name, levels) in enumerate(FACTORS.items()):
        chosen = columns[at % 2].multiselect(SAID[name], levels, list(study.factors.get(name, ())), key=f"{key}_f_{name}")
        if chosen:
            found[name] = [str(one) for one in chosen]
    return found


def _tables(study: Study, values: dict[str, Any], key: str) -> dict[str, Any]:
    names = sorted(study.questionnaires)
    st.markdown("**Tasks**")
    tasks = _edited(values["tasks"], ("id", "text", "items", "rate", "after", "scenarios"), f"{key}_tasks", {
        "text": st.column_config.TextColumn("what they are asked to do", width="large", required=True),
        "items": st.column_config.NumberColumn("things shown", min_value=1, max_value=50, default=3),
        "rate": st.column_config.CheckboxColumn("rated before, after, and after reading", default=True),
        "after": st.column_config.MultiselectColumn("questionnaires after it", options=names),
        "scenarios": st.column_config.ListColumn("only of"),
    })  # fmt: skip
    st.markdown("**Attention checks**")
    checks = _edited(values["checks"], ("id", "text", "options", "right", "after"), f"{key}_checks", {
        "text": st.column_config.TextColumn("question", width="large", required=True),
        "options": st.column_config.ListColumn("answers"),
        "right": st.column_config.NumberColumn("the right one", min_value=1, default=1),
        "after": st.column_config.TextColumn("after task", required=True),
    })  # fmt: skip
    last = st.multiselect("Questionnaires at the end", names, [one for one in values["finally"] if one in names], key=f"{key}_finally")
    st.markdown("**Planned comparisons** :small[(everything else is exploratory)]")
    outcomes = sorted(
        {item.measures for one in study.questionnaires.values() for item in one.items if item.kind == "scale"} | MEASURED.keys()
    )
    planned = _edited(values["hypotheses"], ("outcome", "factor", "level", "against", "direction"), f"{key}_planned", {
        "outcome": st.column_config.SelectboxColumn("outcome", options=outcomes, required=True),
        "factor": st.column_config.SelectboxColumn("of what varies", options=list(FACTORS), required=True),
        "level": st.column_config.SelectboxColumn("under", options=LEVELS),
        "against": st.column_config.SelectboxColumn("than under", options=LEVELS),
        "direction": st.column_config.SelectboxColumn("it is", options=DIRECTIONS, default="differs"),
    })  # fmt: skip
    return {"tasks": tasks, "checks": checks, "finally": last, "hypotheses": planned}


def _edited(rows: list[dict[str, Any]], columns: tuple[str, ...], key: str, config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows as they stand after editing; empty ones are none, empty cells are as usual."""
    frame = pd.DataFrame(rows, columns=list(columns))
    edited = st.data_editor(frame, num_rows="dynamic", hide_index=True, key=key, column_config=dict(config))
    found = [{name: _plain(one) for name, one in row.items()} for row in edited.to_dict("records")]
    return [{name: one for name, one in row.items() if one not in (None, "")} for row in found if row.get(columns[0])]


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple) or hasattr(value, "tolist"):
        listed = value.tolist() if hasattr(value, "tolist") else list(value)
        return [str(one) for one in listed] if isinstance(listed, list) else listed
    return None if value is None or value != value else int(value) if isinstance(value, float) and value.is_integer() else value


def _save(file: Path, values: dict[str, Any]) -> None:
    try:
        write_beside(file, as_file(study_of(values)).encode())
        st.toast("Saved.", icon=":material/check:")
        st.rerun()
    except StudyRefused as error:
        st.session_state[FAULTS] = tame("; ".join(error.why.splitlines()))


# The file ----------------------------------------------------------------------------------------------------------------


def _file(chosen: Chosen, readonly: bool) -> None:
    with st.expander("The study's file", icon=":material/code:", expanded=chosen.study is None):
        st.caption("All of it, own questionnaires (own) and the words of other languages (words) too. Shipped questionnaires: "
                   f"{', '.join(sorted(questionnaires()))}.")  # fmt: skip
        if chosen.ships or readonly:
            st.code(chosen.text, language="toml")
        else:
            key = f"desk_text_{chosen.file.stat().st_mtime_ns}"
            st.text_area("The file", chosen.text, height=420, key=key, label_visibility="collapsed")
            st.button("Check and save the file", on_click=_save_text, args=(chosen.file, key), icon=":material/save:")
            if st.session_state.get("_desk_text_fault"):
                st.error(st.session_state.pop("_desk_text_fault"), title="Nothing was saved", icon=":material/edit_note:")
        st.download_button(
            "Download it", chosen.text, chosen.file.name, "application/toml", on_click="ignore", icon=":material/download:"
        )


def _save_text(file: Path, key: str) -> None:
    text = str(st.session_state.get(key) or "")
    try:
        study_in(text)
        write_beside(file, text.encode())
        st.toast("Saved.", icon=":material/check:")
    except PersonaError as error:
        st.session_state["_desk_text_fault"] = tame(error.why or error.what)
