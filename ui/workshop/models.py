"""Which language model the next build asks: one that is found on the hosts, or none. The choice is kept in the workspace."""

from __future__ import annotations

import os
from typing import Any

import streamlit as st

from persona_core.errors import SettingsError
from persona_core.files import write_beside
from persona_core.llm.server import ServerState, look, with_tag
from persona_core.settings import FILE_NAME, OllamaSettings
from persona_core.toml import NotToml, table_in
from persona_core.workspace import Workspace

NONE = ""
"""Without a model."""
KEY = "workshop_model"
BY_ENVIRONMENT = ("PERSONA_OLLAMA_MODEL", "PERSONA_OLLAMA_USE")


@st.cache_data(ttl=30, max_entries=8, show_spinner="Looking for language models …", refresh_mode="background")
def _found(host: str) -> list[ServerState]:
    return list(look(OllamaSettings(host=host)))


def found(settings: OllamaSettings) -> list[ServerState]:
    """The state of each host, at most half a minute old."""
    return _found(settings.host)


def now(settings: OllamaSettings) -> str:
    """The model that the settings name; `NONE` where none is to be asked."""
    return NONE if settings.use == "never" else with_tag(settings.model)


def choose(place: Workspace, disabled: bool) -> str:
    """Draws the choice, and returns what is chosen."""
    settings = place.settings.ollama
    hosts = found(settings)
    there = sorted({model for host in hosts for model in host.models})
    set_by = [name for name in BY_ENVIRONMENT if name in os.environ]
    options = [NONE, *there] if now(settings) in (NONE, *there) else [NONE, now(settings), *there]
    if st.session_state.get(KEY) not in (None, *options):
        del st.session_state[KEY]  # a model that has gone away, or was never there
    chosen = st.selectbox(
        "Who reads the reviews",
        options,
        index=options.index(now(settings)),
        format_func=lambda model: _called(model, there),
        key=KEY,
        disabled=disabled or bool(set_by),
        help="A language model writes the personas from the reviews. Without one, rules do; all else is the same.",
    )
    st.caption(_said(hosts, there, set_by))
    return now(settings) if disabled or set_by or chosen not in options else str(chosen)


def _called(model: str, there: list[str]) -> str:
    if model == NONE:
        return "Rules, without a language model"
    return model if model in there else f"{model} (when it can be reached)"


def _said(hosts: list[ServerState], there: list[str], set_by: list[str]) -> str:
    if set_by:
        return f"The environment decides this: {' and '.join(set_by)}."
    if there:
        return f"{len(there)} {'model' if len(there) == 1 else 'models'} found on Ollama."
    if any(host.reachable for host in hosts):
        return "Ollama answers, but it has no models yet. `ollama pull qwen3:4b` fetches one."
    return "No Ollama answers here. That is fine: rules do the same work. `ollama serve` starts one."


def remember(place: Workspace, model: str) -> None:
    """Writes the choice into workspace.toml, and leaves every other line of it alone."""
    if now(place.settings.ollama) == model:
        return
    wanted = {"use": "never"} if model == NONE else {"use": "auto", "model": model}
    file = place.root / FILE_NAME
    before = file.read_text("utf-8") if file.exists() else ""
    after = _with_section(before, "ollama", wanted)
    if _parsed(after) != _merged(_parsed(before), wanted):
        raise SettingsError(
            f"The model cannot be written into {file}.",
            why="Its section about Ollama has a form that is only safe to change by hand.",
            mend=f'open {file} and write under [ollama]: model = "{model}"'
            if model
            else f'write under [ollama] in {file}: use = "never"',
        )
    with place.lock("choosing the model"):
        write_beside(file, after.encode())


def _with_section(text: str, section: str, values: dict[str, str]) -> str:
    lines = text.splitlines()
    fresh = [f'{key} = "{_escaped(value)}"' for key, value in values.items()]
    heads = [number for number, line in enumerate(lines) if line.strip() == f"[{section}]"]
    if not heads:
        return "\n".join([*lines, *([""] if lines and lines[-1].strip() else []), f"[{section}]", *fresh, ""])
    start = heads[0] + 1
    end = next((number for number in range(start, len(lines)) if lines[number].lstrip().startswith("[")), len(lines))
    kept = [line for line in lines[start:end] if line.partition("=")[0].strip() not in values]
    return "\n".join([*lines[:start], *fresh, *kept, *lines[end:], ""])


def _escaped(value: str) -> str:
    return "".join(f"\\u{ord(c):04x}" if ord(c) < 32 or c in '"\\\x7f' else c for c in value)


def _parsed(text: str) -> dict[str, Any]:
    try:
        return table_in(text)
    except NotToml:
        return {"not": "readable"}


def _merged(before: dict[str, Any], values: dict[str, str]) -> dict[str, Any]:
    section = before.get("ollama")
    return {**before, "ollama": {**(section if isinstance(section, dict) else {}), **values}}
