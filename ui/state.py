"""Whose eyes a session looks through, and what was edited there; mirrored in the address, to survive reloads and be shared.

The session's own state is the truth. The address is read when a session begins and written after every run.
"""

from __future__ import annotations

from typing import Final

import streamlit as st

from persona_core.engine import Engine
from persona_core.profiles.edits import EditRefused
from persona_core.profiles.journal import Act, Journal, from_link, to_link
from persona_core.schema import Profile

NEW: Final = "new"
"""Somebody without a past, known by what they pick."""
WHO, EDITS = "who", "edits"
_WHO, _JOURNALS, _SAID = "_who", "_journals", "_said"


def begin(engine: Engine) -> None:
    """Reads the address once a session; what it says of people or edits that are not known is left aside, and said."""
    if st.session_state.get(_WHO) is not None:
        if not _known(engine, str(st.session_state[_WHO])):  # the workspace was built anew from other data
            look_through(first_of(engine))
        return
    st.session_state[_JOURNALS] = {}
    asked = str(st.query_params.get(WHO, ""))
    st.session_state[_WHO] = asked if _known(engine, asked) else first_of(engine)
    if asked and not _known(engine, asked):
        say("The link names somebody who is not in this data. Here is somebody else.")
    elif EDITS in st.query_params:
        try:
            _keep(from_link(str(st.query_params[EDITS])))
        except EditRefused as error:
            say(f"{error.what} The person is shown as built.")


def mirror(engine: Engine) -> None:
    """Writes the address; other parameters belong to widgets and are left as they are."""
    wanted = {WHO: who(), EDITS: to_link(journal(), built(engine))}
    for name, value in wanted.items():
        if value and st.query_params.get(name) != value:
            st.query_params[name] = value
        elif not value and name in st.query_params:
            del st.query_params[name]


def first_of(engine: Engine) -> str:
    """Whom a first visit looks through: somebody of whom much is known, with likes, dislikes and a past."""
    return _first(engine.workspace.root.as_posix(), id(engine), engine)


@st.cache_data(max_entries=4, show_spinner=False)
def _first(root: str, engine_id: int, _engine: Engine) -> str:
    profiles = [_engine.profile(user) for user in _engine.profiles.users()[:2_000]]
    told = [one for one in profiles if one.likes and one.dislikes] or [one for one in profiles if one.likes] or profiles
    return max(told, key=lambda one: (min(len(one.likes), 5), len(one.history), one.user_id)).user_id if told else NEW


def _known(engine: Engine, user: str) -> bool:
    return user == NEW or user in engine.profiles


def who() -> str:
    return str(st.session_state.get(_WHO) or NEW)


def is_new() -> bool:
    return who() == NEW


def look_through(user: str) -> None:
    """From now on this person; their edits of before are still there."""
    st.session_state[_WHO] = user


def journal() -> Journal:
    kept = _journals().get(who())
    return kept if isinstance(kept, Journal) else Journal()


def _journals() -> dict[str, Journal]:
    kept = st.session_state.get(_JOURNALS)
    return kept if isinstance(kept, dict) else {}


def built(engine: Engine, user: str | None = None) -> Profile:
    """The profile as the system thinks of it, without edits."""
    return engine.profile(user or who())


def profile(engine: Engine) -> Profile:
    return journal().profile(built(engine))


def profile_before(engine: Engine) -> Profile:
    """The profile without the last edit that holds."""
    return journal().undone().profile(built(engine))


# Acting; each of these is a callback ------------------------------------------------------------------------------------


def act(kind: str, text: str = "", value: float = 1.0) -> None:
    """Does one thing to the profile; what cannot be done is said instead."""
    try:
        done = journal().did(Act(kind, text, value))
    except EditRefused as error:
        say(f"{error.what} {error.mend}".strip())
        return
    _keep(done)


def do(made: Act) -> None:
    act(made.kind, made.text, made.value)


def act_typed(kind: str, key: str) -> None:
    """The same with what was typed into a field, which is emptied."""
    text = str(st.session_state.get(key) or "").strip()
    if not text:
        return
    checked = refusal(kind, text)
    if checked is None:
        act(kind, text)
        st.session_state[key] = ""
    else:
        say(checked)


def refusal(kind: str, text: str) -> str | None:
    """Why this cannot be added; None where it can."""
    try:
        trial = Journal().did(Act(kind, text))
        before = Profile(user_id=NEW, version=1, text="")
        return None if trial.profile(before) != before else f"A phrase has at most 200 characters; this one has {len(text)}."
    except EditRefused as error:
        return error.what


def undo() -> None:
    _keep(journal().undone())


def redo() -> None:
    _keep(journal().redone())


def call(key: str) -> None:
    """Names the version that holds after what was typed."""
    _keep(journal().named(str(st.session_state.get(key) or "")))
    st.session_state[key] = ""


def _keep(kept: Journal) -> None:
    # a new dictionary: a rerun may interrupt this one at any line
    st.session_state[_JOURNALS] = {**_journals(), who(): kept}


# Saying something once --------------------------------------------------------------------------------------------------


def say(words: str) -> None:
    """Told at the top of the next page, once."""
    st.session_state[_SAID] = words


def said() -> str:
    return str(st.session_state.pop(_SAID, ""))
