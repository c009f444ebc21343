"""What can be done here: bring everything up to date, train, and see how it goes."""

from __future__ import annotations

import streamlit as st

from persona_core.errors import PersonaError
from persona_core.pipeline import StepStatus
from persona_core.workspace import Workspace
from ui import building, resources, trouble
from ui.workshop import models

TITLES = {"build": "Building", "train": "Learning who is suited by what", "profiles pairs": "Trying other ways to see people"}
READ_ONLY = "This app only reads: nothing can be built, trained or uploaded here."


def running_or_failed(place: Workspace) -> bool:
    """The work that goes on here now, or how the last one failed; says whether something is running."""
    job = resources.build_job(str(place.root))
    if job.running or (job.error is not None and not place.settings.readonly):
        building.watch(job, title=TITLES.get(job.verb, "At work"))
    return job.running


def draw(place: Workspace, states: list[StepStatus], busy: bool) -> None:
    """The buttons, with a sentence where they are of no use."""
    readonly = place.settings.readonly
    if readonly:
        st.caption(f":material/lock: {READ_ONLY}")
    model_side, button_side = st.columns([2, 3], gap="large", vertical_alignment="top")
    with model_side:
        model = models.choose(place, disabled=busy or readonly)
    changed = model != models.now(place.settings.ollama)
    late = [one for one in states if one.state != "done"]
    with button_side:
        row = st.container(horizontal=True, key="workshop_buttons")
        st.caption(_said(late, changed, busy, states))
    with row:
        label = "Build again with this choice" if changed else "Bring up to date" if _has_data(place) else "Build the demo world"
        build = st.button(
            label,
            type="primary",
            icon=":material/build:",
            key="workshop_build",
            disabled=busy or readonly or not (late or changed),
            help="Only what is late is built; what is finished is kept.",
        )
        train = st.button(
            "Train",
            icon=":material/model_training:",
            key="workshop_train",
            disabled=busy or readonly or not may_train(states),
            help="Teaches the matching of profiles and personas anew.",
        )
    if (build or train) and not readonly and not busy:  # a page that was tampered with may press what is greyed out
        _begin(place, model, "build" if build else "train")


def _has_data(place: Workspace) -> bool:
    return place.settings.source is not None


def may_train(states: list[StepStatus]) -> bool:
    """Training is of use where what it learns from is ready and it has not learned from that yet."""
    by_name = {one.step.name: one for one in states}
    align = by_name["alignment"]
    return align.state != "done" and all(by_name[name].state == "done" for name in align.step.reads)


def _said(late: list[StepStatus], changed: bool, busy: bool, states: list[StepStatus]) -> str:
    if busy:
        return "Something is being built. These come back when it ends."
    if changed:
        return "What was read and written by the other is made anew; answers that a model gave before are not asked for again."
    if not late:
        return "Everything is up to date. Training again would give exactly the same: nothing that it learns from has changed."
    if may_train(states):
        return "Training alone is possible too: what it learns from is ready."
    return "Training comes with the build: what it learns from is not ready yet."


def _begin(place: Workspace, model: str, verb: str) -> None:
    job = resources.build_job(str(place.root))
    try:
        models.remember(place, model)
    except PersonaError as error:
        trouble.show(error)
        return
    if verb == "train":
        job.start("train")
    else:
        job.start()
    st.rerun()
