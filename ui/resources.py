"""What all sessions share: the workspace, its finished files by version, and the build that may be running."""

from __future__ import annotations

from typing import Any

import streamlit as st

from persona_core.catalog.overview import overview_of
from persona_core.pipeline import StepStatus
from persona_core.settings import default_workspace
from persona_core.steps import pipeline_of
from persona_core.workspace import Workspace
from ui.jobs import BuildJob


def workspace() -> Workspace:
    return Workspace.at(default_workspace())


@st.cache_resource
def build_job(root: str) -> BuildJob:
    """The one build of a workspace that this server runs; every session sees the same."""
    return BuildJob(Workspace.at(root))


def step_states(place: Workspace) -> list[StepStatus]:
    return pipeline_of(place).status()


def overview(place: Workspace) -> dict[str, Any]:
    return _overview(str(place.root), place.artefact("overview").manifest.fingerprint)


@st.cache_data(max_entries=4)
def _overview(root: str, fingerprint: str) -> dict[str, Any]:
    return overview_of(Workspace.at(root))
