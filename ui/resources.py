"""What all sessions share: the workspace, its finished files by version, and the build that may be running."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from threading import Timer, main_thread
from typing import Any

import streamlit as st

from persona_core.catalog import Catalog
from persona_core.catalog.overview import overview_of
from persona_core.engine import STEPS as ENGINE_STEPS
from persona_core.engine import WITHOUT, Engine
from persona_core.errors import ArtefactBroken, PersonaError, WorkspaceMissing
from persona_core.explain.warming import warm
from persona_core.personas import curation
from persona_core.pipeline import StepStatus
from persona_core.settings import default_workspace
from persona_core.steps import pipeline_of
from persona_core.workspace import Workspace
from ui.jobs import BuildJob
from ui.workshop import elsewhere

WARMING_AFTER_S = 3.0
"""Whoever opened the engine is waiting for a page, and comes first."""


def workspace() -> Workspace:
    """The one that this session has turned to, or that the app was started with."""
    return elsewhere.chosen_workspace() or Workspace.at(default_workspace())


def served_study() -> Path | None:
    """The study that this server is for; none where it is the app that everybody knows.

    Where the settings cannot be read the environment still says it: participants must never come to the rest of the app.
    """
    try:
        return workspace().settings.study.file
    except PersonaError:
        named = os.environ.get("PERSONA_STUDY_FILE")
        return Path(named) if named else None


@st.cache_resource
def build_job(root: str) -> BuildJob:
    """The one build of a workspace that this server runs; every session sees the same."""
    return BuildJob(Workspace.at(root))


def step_states(place: Workspace) -> list[StepStatus]:
    return pipeline_of(place).status()


def engine(place: Workspace) -> Engine:
    """The one engine of all sessions, as built now; a new build gives a new one. Raises what `Engine.open` raises.

    Only the names of the versions are looked at here, so that a page is quick; the files are checked when they are opened.
    """
    settings = place.settings.ranking.model_dump_json()
    versions = (settings, *(place.version_now(name) for name in ENGINE_STEPS), *(_now(place, name) for name in WITHOUT))
    return _engine(str(place.root), (*versions, curation.fingerprint(place.root)))


def _now(place: Workspace, step: str) -> str:
    """Which version there is of what an engine can do without; what was mended has the same version, and another date."""
    try:
        version = place.version_now(step)
        return f"{version} {(place.step_folder(step) / version / 'manifest.json').stat().st_mtime_ns}"
    except (WorkspaceMissing, ArtefactBroken, OSError):
        return ""


@st.cache_resource(max_entries=2, show_spinner="Opening what was built …")
def _engine(root: str, versions: tuple[str, ...]) -> Engine:
    opened = Engine.open(Workspace.at(root))
    gc.unfreeze()  # the engine of before may go
    gc.collect()
    gc.freeze()  # after every run of a page Streamlit looks for what is no longer needed: all this is, and is much to look through
    # no daemon, though the thread of a page is one: it must not be cut off in the middle when the server ends
    Timer(WARMING_AFTER_S, warm, (opened, main_thread().is_alive)).start()
    return opened


@st.cache_data(max_entries=4, show_spinner=False)
def _names(root: str, version: str) -> dict[str, str]:
    users = Catalog.of(Workspace.at(root).artefact("catalog")).users()
    return dict(zip(users["user_id"], users["name"], strict=True))


def names(place: Workspace) -> dict[str, str]:
    """What people are called, by their ids."""
    return _names(str(place.root), place.version_now("catalog"))


def overview(place: Workspace) -> dict[str, Any]:
    return _overview(str(place.root), place.artefact("overview").manifest.fingerprint)


@st.cache_data(max_entries=4)
def _overview(root: str, fingerprint: str) -> dict[str, Any]:
    return overview_of(Workspace.at(root))
