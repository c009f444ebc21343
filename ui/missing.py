"""Where a page's own step has left nothing to show: what is, why, and what to press."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from persona_core.engine import Engine
from persona_core.errors import ArtefactBroken, PersonaError, WorkspaceMissing
from persona_core.pipeline import in_words
from persona_core.workspace import Workspace
from ui import building, resources, trouble


@dataclass(frozen=True, slots=True)
class Part:
    """A step that only one page needs, in that page's words."""

    step: str
    title: str
    """Over the note that there is nothing yet."""
    takes: str
    """Where it comes from, and how long that takes."""
    work_out: str
    again: str
    icon: str


TRENDS = Part(
    "trends", "No trends yet", "They are read from when people came to things; it takes less than a minute for a small catalogue.",
    "Work out the trends", "Work them out again", ":material/trending_up:",
)  # fmt: skip
SCENARIOS = Part(
    "scenarios", "Nothing is known of scenarios yet", "It is read from what people do in several of them; it takes seconds.",
    "Find what carries over", "Find it again", ":material/hub:",
)  # fmt: skip


def draw(engine: Engine, part: Part) -> None:
    """The engine is open and lacks this: it was not worked out, or is damaged, or is of another catalogue."""
    place = engine.workspace
    job = resources.build_job(str(place.root))
    if job.running or job.error is not None:
        building.watch(job, until=part.step)
        return
    error = what_is_wrong(place, part.step)
    if error is not None:
        trouble.show(error)
    else:
        _say(place, part)
    if not place.settings.readonly:
        label = part.work_out if error is None else part.again
        st.button(label, type="primary", icon=part.icon, key=f"{part.step}_build", on_click=job.start)


def what_is_wrong(place: Workspace, step: str) -> PersonaError | None:
    """Why what was built cannot be used; None where nothing was, or what there is belongs to an older catalogue."""
    try:
        made = place.artefact(step)
    except WorkspaceMissing:
        return None
    except ArtefactBroken as error:
        return error
    if made.manifest.because.get("step catalog") != place.artefact("catalog").manifest.content:
        return None
    return place.broken(step, f"It holds {in_words(made.manifest.counts)}, and yet it cannot be read.")


def _say(place: Workspace, part: Part) -> None:
    rest = "All other pages work without."
    if place.settings.readonly:
        st.info(f"This app only reads, so it cannot be worked out here. {rest}", title=part.title, icon=part.icon)
        st.code(place.command("build"), language=None)
    else:
        st.info(f"{part.takes} {rest}", title=part.title, icon=part.icon)
