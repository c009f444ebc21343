"""The workspaces that lie beside this one, and which of them this session looks at."""

from __future__ import annotations

import re
from typing import Final

import streamlit as st

from persona_core.settings import FILE_NAME, default_workspace
from persona_core.workspace import Workspace

NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
MOST = 50
_CHOSEN = "_workspace"


def home() -> Workspace:
    """The workspace that the app was started with."""
    return Workspace.at(default_workspace())


def chosen_workspace() -> Workspace | None:
    """The workspace that this session has turned to; None where it looks at the one that the app was started with."""
    name = st.session_state.get(_CHOSEN)
    if not isinstance(name, str):
        return None
    place = beside(name)
    return place if place is not None and (place.root / FILE_NAME).is_file() else None


def look_at(name: str) -> None:
    """From now on, this session looks at the workspace of that name; at its own again, where the name is empty."""
    if name:
        st.session_state[_CHOSEN] = name
    else:
        st.session_state.pop(_CHOSEN, None)


def beside(name: str) -> Workspace | None:
    """The workspace of that name in the folder in which ours lies; None of a name that is none, or that leads elsewhere."""
    if not NAME.fullmatch(name):
        return None
    root = home().root.parent / name
    return None if root.is_symlink() or root == home().root else Workspace.at(root)


def neighbours() -> list[Workspace]:
    """Those that can be turned to."""
    try:
        names = sorted(entry.name for entry in home().root.parent.iterdir() if (entry / FILE_NAME).is_file())
    except OSError:
        return []
    found = [beside(name) for name in names[: 4 * MOST]]
    return [place for place in found if place is not None][:MOST]
