"""Every step of a build, in order. A new step is written in its own package and added here."""

from __future__ import annotations

from persona_core.alignment.steps import ALIGN_STEP
from persona_core.catalog.overview import OVERVIEW
from persona_core.catalog.steps import CATALOG, SPLIT
from persona_core.personas.map import MAP_STEP
from persona_core.personas.steps import ASPECT_STEP, INDEX_STEP, PERSONA_STEP
from persona_core.pipeline import Pipeline, Step
from persona_core.profiles.steps import PROFILE_STEP
from persona_core.ranking.steps import RANK_STEP
from persona_core.scenarios.steps import SCENARIO_STEP
from persona_core.trends.steps import TREND_STEP
from persona_core.workspace import Workspace

STEPS: tuple[Step, ...] = (
    CATALOG, SPLIT, OVERVIEW, ASPECT_STEP, PERSONA_STEP, INDEX_STEP, MAP_STEP, PROFILE_STEP, ALIGN_STEP, RANK_STEP, TREND_STEP,
    SCENARIO_STEP,
)  # fmt: skip


def pipeline_of(workspace: Workspace) -> Pipeline:
    return Pipeline(STEPS, workspace)
