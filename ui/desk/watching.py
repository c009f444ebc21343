"""How a running study goes: who came, how far they got, how long it took, and whether they read."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from persona_core.study.analysis import Progress, progress_of
from persona_core.study.design import Step, Study
from persona_core.study.store import StudyStore
from persona_core.study.tables import tables_of
from ui.charts import ink, main_colour
from ui.markup import Markup, el, show

EVERY_S = 5.0


def draw(study: Study, store: StudyStore, rehearsals: bool) -> None:
    @st.fragment(run_every=EVERY_S)
    def live() -> None:
        _draw(study, progress_of(study, tables_of(study, store, rehearsals=rehearsals)))

    live()


def _draw(study: Study, found: Progress) -> None:
    people = found.people
    if not people["came"]:
        st.info(
            "Nobody has come yet. Send the link, or rehearse it under “Plan”.",
            title="No participants so far",
            icon=":material/hourglass:",
        )
        return
    with st.container(horizontal=True, key="numbers"):
        for label, value in (("came", people["came"]), ("finished", people["finished"]), ("withdrew", people["left"]),
                             ("failed a check", people["failed_a_check"]), ("analysed", people["analysed"])):  # fmt: skip
            st.metric(label, f"{value:,}" + (f" of {study.quota:,}" if label == "finished" and study.quota else ""), border=True)
    st.subheader("By condition", anchor=False)
    show(by_condition(study, found))
    st.subheader("How far they got", anchor=False)
    frame = pd.DataFrame({"step": [called(study, one) for one in study.path], "people": [found.reached[one.id] for one in study.path]})
    show(el("p", drop_out(study, found), cls="ps-told"))
    st.altair_chart(_steps(frame, people["came"]), width="stretch", alt=drop_out(study, found))


def by_condition(study: Study, found: Progress) -> Markup:
    head = [*study.factors, "came", "finished", "failed a check", "minutes (median)"]
    rows = []
    for one in found.by_condition:
        minutes = "–" if one["minutes"] is None else f"{one['minutes']:.1f}"
        rows.append([*(str(one[name]) for name in study.factors), one["came"], one["finished"], one["failed_a_check"], minutes])
    return table(head, rows, len(study.factors))


def table(head: list[str], rows: list[list[object]], words: int) -> Markup:
    """A table for people; the first so many columns are words, the others numbers."""
    cells = [
        el("tr", *(el("td", str(cell), cls="" if at < words else "ps-cell-number") for at, cell in enumerate(row))) for row in rows
    ]
    titles = el("tr", *(el("th", name, scope="col", cls="" if at < words else "ps-cell-number") for at, name in enumerate(head)))
    return el("div", el("table", el("thead", titles), el("tbody", *cells), cls="ps-desk-table"), cls="ps-wide")


def called(study: Study, step: Step) -> str:
    """A page in words; of several conditions, in which of them."""
    words = step.kind if not step.of else f"{step.kind} {step.of}"
    return f"{step.period + 1}. {words}" if study.within and step.kind in ("task", "check", "questionnaire") else words


def drop_out(study: Study, found: Progress) -> str:
    """Where most stopped, in a sentence."""
    many = [found.people["came"], *(found.reached[one.id] for one in study.path)]
    most, where = max((many[at] - many[at + 1], called(study, one)) for at, one in enumerate(study.path))
    came = found.people["came"]
    if most <= 0:
        return f"All {came} who came finished every page."
    return f"Of {came} who came, {found.people['finished']} finished; most stopped at “{where}”: {most}."


def _steps(frame: pd.DataFrame, came: int) -> alt.Chart:
    colour = main_colour()
    chart: alt.Chart = (
        alt.Chart(frame)
        .mark_bar(color=colour, height=14)
        .encode(
            x=alt.X("people:Q", title="finished this page", scale=alt.Scale(domain=[0, max(came, 1)]), axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("step:N", sort=None, title=None, axis=alt.Axis(labelLimit=260, labelColor=ink(), labelOverlap=False)),
            tooltip=[alt.Tooltip("step:N", title="Page"), alt.Tooltip("people:Q", title="Finished it")],
        )
        .properties(height=alt.Step(24))
    )
    return chart
