"""The build as a page shows it: started by itself where nothing is built, with counts, time left, and a way to stop it."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from persona_core.catalog.store import reject_reasons
from persona_core.errors import BuildStopped, PersonaError, WorkspaceBusy
from persona_core.pipeline import StepStatus
from persona_core.pipeline import in_words as in_words_of
from persona_core.progress import Progress, in_words
from persona_core.steps import STEPS
from persona_core.workspace import Workspace
from ui import resources, trouble
from ui.jobs import BuildJob

EVERY = 0.5
SIGNS = {
    "done": ":material/check_circle: ready",
    "stale": ":material/update: out of date",
    "missing": ":material/pending: not built yet",
    "broken": ":material/error: damaged",
}


def ensure_built(place: Workspace, needed: str) -> None:
    """Lets the page go on when the step `needed` is there; otherwise shows the build, or why there can be none."""
    states = {one.step.name: one for one in resources.step_states(place)}
    if states[needed].state in ("done", "stale"):
        return
    job = resources.build_job(str(place.root))
    if place.settings.readonly:
        _explain_read_only(place)
    else:
        if not job.running and job.error is None:
            job.start()
        watch(job, until=needed)
    st.stop()


def _explain_read_only(place: Workspace) -> None:
    st.warning("This app only reads, and this workspace is not built yet.", title="Nothing to show yet")
    st.code(place.command("build --from demo"), language=None)


def watch(job: BuildJob, until: str | None = None, title: str = "Preparing what you are about to see") -> None:
    """The running build, redrawn by itself until it ends, or until the step that the page waits for is there."""
    was_running = job.running

    @st.fragment(run_every=EVERY if was_running or isinstance(job.error, WorkspaceBusy) else None)
    def panel() -> None:
        if isinstance(job.error, WorkspaceBusy):
            _draw_busy(job.error)
            job.start()  # a free lock ends the waiting
        elif until in job.finished:
            st.rerun()
        elif job.running:
            _draw_running(job, title)
        elif was_running or job.error is None:
            st.rerun()  # the rest of the page has yet to learn that it ended
        else:
            _draw_error(job, job.error)

    panel()


def _draw_running(job: BuildJob, title: str) -> None:
    name = job.workspace.root.name
    with st.container(border=True, key=f"building-{name}"):
        st.subheader(title, anchor=False)
        st.caption("You can close the page meanwhile; the work goes on in a process of its own.")
        progress = job.progress
        for step, said_of_step in _steps_of(job.verb, progress):
            one = progress.get(step)
            st.progress(one.share if one else 0.0, text=f"{said_of_step} · {said(one)}")
        stopping = job.stopping
        label = "Stopping …" if stopping else "Stop"
        st.button(
            label,
            icon=":material/stop_circle:",
            help="What is finished is kept.",
            disabled=stopping,
            key=f"stop-{name}",
            on_click=job.stop,
        )
        show_log(job)


def _steps_of(verb: str, progress: Mapping[str, Progress]) -> list[tuple[str, str]]:
    """What is to be done: all of it where that is known beforehand, else what has been begun."""
    if verb in ("build", "train"):
        return [(step.name, step.title) for step in STEPS if verb == "build" or step.name == "alignment"]
    return [(one.step, one.title) for one in progress.values()]


def show_log(job: BuildJob) -> None:
    """The last lines of what the process said, for who wants to know."""
    lines = job.last_lines()
    if lines:
        with st.expander("The last lines of the log", icon=":material/notes:"):
            st.code("\n".join(lines), language=None, wrap_lines=True)


def said(progress: Progress | None) -> str:
    """Where a step stands, in words."""
    if progress is None:
        return "waiting"
    if progress.phase == "working":
        counts = f"{progress.done:,} of about {progress.total:,} {progress.unit}" if progress.total else ""
        left = f", {in_words(progress.seconds_left)} left" if progress.seconds_left else ""
        return f"{counts}{left}" or "at work"
    return {"started": "at work", "finished": "done", "failed": "failed"}.get(progress.phase, "up to date")


def _draw_busy(error: WorkspaceBusy) -> None:
    with st.container(border=True, key="busy"):
        st.subheader("Another process is preparing this workspace", anchor=False)
        st.text(error.why)
        st.caption("This page goes on by itself as soon as that ends.")


def _draw_error(job: BuildJob, error: PersonaError) -> None:
    stopped = isinstance(error, BuildStopped)
    if stopped:
        st.info("What was finished is kept; it goes on from there.", title="Stopped", icon=":material/pause_circle:")
    else:
        trouble.show(error)
    if st.button(
        "Go on" if stopped else "Try again", icon=":material/play_circle:", type="primary", key=f"again-{job.workspace.root.name}"
    ):
        job.start()
        st.rerun()


def say_what_is_late(place: Workspace, states: list[StepStatus]) -> None:
    """A line and a button where something is out of date or damaged; nothing where all is well."""
    late = [one for one in states if one.state != "done"]
    job = resources.build_job(str(place.root))
    if job.running or job.error is not None:
        watch(job)
    elif late:
        names = ", ".join(one.step.title.lower() for one in late)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f":material/update: Not up to date: {names}.")
            if not place.settings.readonly and st.button("Bring up to date"):
                job.start()
                st.rerun()


def list_steps(states: list[StepStatus]) -> None:
    """Every step with its state and what it found."""
    for one in states:
        st.markdown(f"**{one.step.title}** :small[{SIGNS[one.state]}]")
        if one.manifest:
            st.caption(in_words_of(one.manifest.counts))


def list_rejected(states: list[StepStatus]) -> None:
    """Which rows of the data could not be used, by reason."""
    made = next((one.manifest for one in states if one.step.name == "catalog"), None)
    reasons = reject_reasons(made.counts) if made else {}
    if reasons:
        with st.expander(f"{sum(reasons.values()):,} rows could not be used"):
            st.dataframe(pd.DataFrame({"Why": list(reasons), "Rows": list(reasons.values())}), hide_index=True)
            st.caption("Each is listed with its file and line in the workspace, in catalog/…/rejected.jsonl.")
