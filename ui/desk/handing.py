"""Handing a study over and taking one in; and deleting what has been kept long enough."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import streamlit as st

from persona_core.errors import PersonaError
from persona_core.study.bundle import bundle, take_over
from persona_core.study.design import Study
from persona_core.study.place import take_in
from persona_core.study.store import StudyStore
from persona_core.workspace import Workspace
from ui import trouble

FILE = "desk_bundle"
MOST_MB = 50
"""As much as this server takes; the command line takes more."""


def draw(place: Workspace, study: Study, text: str, store: StudyStore, rehearsals: bool) -> None:
    st.subheader("Hand it over", anchor=False)
    st.caption(
        "One file with everything: tables as CSV and Parquet, a codebook, the design, what was shown and from what it was made, "
        "the results, and a script that works them out anew. Look at the columns that the codebook marks as free text before "
        "you share it."
    )
    made = partial(bundle, study, text, store, place, rehearsals=rehearsals)
    st.download_button("Download the bundle", made, f"{study.id}.zip", "application/zip", on_click="ignore", type="primary",
                       icon=":material/download:")  # fmt: skip
    if place.settings.readonly:
        st.caption("This app only reads, so nothing can be taken in or deleted here.")
        return
    st.subheader("Take one in", anchor=False)
    file = st.file_uploader("A bundle from another machine", type=["zip"], key=FILE, max_upload_size=MOST_MB)
    if file is not None and st.button("Take it in", icon=":material/input:"):
        with trouble.shown():
            _take(place, store, file.getvalue())
    _forget(study, store)


def _take(place: Workspace, store: StudyStore, content: bytes) -> None:
    found, text, many = take_over(content, store)
    take_in(place, found.id, text)
    st.success(f"{many} participants of “{found.title}” are here now. Choose it above.")


def _forget(study: Study, store: StudyStore) -> None:
    st.subheader("Delete what was kept long enough", anchor=False)
    if study.retention_days is None:
        st.caption("The study does not say how long its data are kept. Its design has a field for that.")
        return
    before = datetime.now(UTC) - timedelta(days=study.retention_days)
    due = [one for one in store.participants(study.id) if one.withdrawn is None and one.created < before]
    st.caption(f"Kept for {study.retention_days} days: {len(due)} participants came before {before:%d %B %Y}.")
    if due and st.button(f"Delete what these {len(due)} did and said", icon=":material/delete:"):
        try:
            st.success(f"{store.forget(study.id, before)} participants are deleted. That they were there is kept.")
        except PersonaError as error:
            trouble.show(error)
