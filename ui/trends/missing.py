"""Where there are no trends to show: what is, why, and what to press."""

from __future__ import annotations

import streamlit as st

from persona_core.engine import Engine
from persona_core.errors import ArtefactBroken, PersonaError, WorkspaceMissing
from persona_core.pipeline import in_words
from persona_core.workspace import Workspace
from ui import building, resources, trouble

STEP = "trends"


def draw(engine: Engine) -> None:
    """The engine is open and has no trends: none were worked out, or they are damaged, or they are of another catalogue."""
    place = engine.workspace
    job = resources.build_job(str(place.root))
    if job.running or job.error is not None:
        building.watch(job, until=STEP)
        return
    error = what_is_wrong(place)
    if error is not None:
        trouble.show(error)
        label = "Work them out again"
    else:
        _say(place)
        label = "Work out the trends"
    if not place.settings.readonly:
        st.button(label, type="primary", icon=":material/trending_up:", key="trends_build", on_click=job.start)


def what_is_wrong(place: Workspace) -> PersonaError | None:
    """Why what was built cannot be used; None where nothing was, or what there is belongs to an older catalogue."""
    try:
        made = place.artefact(STEP)
    except WorkspaceMissing:
        return None
    except ArtefactBroken as error:
        return error
    if made.manifest.because.get("step catalog") != place.artefact("catalog").manifest.content:
        return None
    return place.broken(STEP, f"It holds {in_words(made.manifest.counts)}, and yet it cannot be read.")


def _say(place: Workspace) -> None:
    rest = "All other pages work without them."
    if place.settings.readonly:
        st.info(
            f"This app only reads, so they cannot be worked out here. {rest}", title="No trends yet", icon=":material/trending_up:"
        )
        st.code(place.command("build"), language=None)
    else:
        st.info(
            f"They are read from when people came to things; it takes less than a minute for a small catalogue. {rest}",
            title="No trends yet",
            icon=":material/trending_up:",
        )
