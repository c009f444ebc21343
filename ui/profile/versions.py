"""Versions of a profile: going back, naming them, comparing two, and taking one along as a file."""

from __future__ import annotations

import streamlit as st

from persona_core.engine import Engine, Options
from persona_core.profiles.edits import EditRefused
from persona_core.profiles.journal import LARGEST_FILE, Version, from_file, to_file
from ui import state
from ui.look import tame
from ui.profile import changed

NAME, FILE, ONE, OTHER = "version_name", "profile_file", "version_one", "version_other"


def buttons() -> None:
    """Undo, redo, reset."""
    journal = state.journal()
    with st.container(horizontal=True, gap="small", key="undoing"):
        st.button("Undo", icon=":material/undo:", disabled=not journal.can_undo, on_click=state.undo)
        st.button("Redo", icon=":material/redo:", disabled=not journal.can_redo, on_click=state.redo)
        st.button("Reset", icon=":material/restart_alt:", disabled=not journal.can_undo, on_click=state.act, args=("back", "", 0.0),
                  help="Back to what the system thought. This is an edit, too: undo takes it back.")  # fmt: skip


def draw(engine: Engine, options: Options) -> None:
    versions = state.journal().versions(state.built(engine))
    here = state.journal().at
    history = st.expander(f"Versions ({len(versions)})", icon=":material/history:", key="versions", on_change="rerun")
    with history:
        if not history.open:  # what is not seen need not be ranked
            return
        st.text_input(
            "Call this version", key=NAME, max_chars=60, placeholder="such as: me on holiday", on_change=state.call, args=(NAME,)
        )
        for version in reversed(versions):
            _row(version, here)
        if len(versions) > 1:
            _compare(engine, versions, options)


def files(engine: Engine) -> None:
    with st.expander("Take it along, or bring one", icon=":material/swap_vert:", key="files"):
        st.download_button("Download as JSON", to_file(state.profile(engine)), "profile.json", "application/json", on_click="ignore",
                           icon=":material/download:")  # fmt: skip
        st.file_uploader("Upload one that was downloaded here", type=["json"], key=FILE, on_change=_uploaded, max_upload_size=1)


def called(version: Version) -> str:
    return f"{version.number}. {version.name}" if version.name else f"{version.number}. {version.words}"


def _row(version: Version, here: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"version_{version.number}"):
        mark = " **· shown now**" if version.number == here else ""
        words = f" :small[{tame(version.words)}]" if version.name else ""
        st.markdown(f"{tame(called(version))}{words}{mark}", width="stretch")
        if version.number != here:
            st.button("Go back to it", key=f"back_{version.number}", type="tertiary", on_click=state.act,
                      args=("back", "", float(version.number)))  # fmt: skip


def _compare(engine: Engine, versions: list[Version], options: Options) -> None:
    st.markdown("**Compare two versions**")
    numbers = [one.number for one in versions]
    left, right = st.columns(2)
    one = left.selectbox("This one", numbers, format_func=lambda at: called(versions[at]), key=ONE)
    other = right.selectbox("with this one", numbers, index=len(numbers) - 1, format_func=lambda at: called(versions[at]), key=OTHER)
    if one != other and one in numbers and other in numbers:
        before, after = (engine.rank(versions[at].profile, options) for at in (one, other))
        changed.tell(engine, before, after)


def _uploaded() -> None:
    file = st.session_state.get(FILE)
    if file is None:
        return
    try:
        made = from_file(file.getvalue()[: LARGEST_FILE + 1])
    except EditRefused as error:
        state.say(" ".join(part for part in (error.what, error.why, error.mend) if part))
        return
    state.do(made)
    state.say("The profile is loaded. Undo brings back the one before.")
