"""What a study found: planned comparisons first and apart, then what was not planned, the scales, and the means."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from persona_core.study.analysis import Analysis, Finding, analysed
from persona_core.study.design import MEASURED, Study
from persona_core.study.store import StudyStore
from persona_core.study.tables import tables_of
from ui.charts import ink, main_colour, other_colour
from ui.desk.watching import table
from ui.look import tame
from ui.markup import el, show


def draw(study: Study, store: StudyStore, rehearsals: bool) -> None:
    found = analysed(study, tables_of(study, store, rehearsals=rehearsals))
    if not found.people["analysed"]:
        st.info(
            "There is nothing to analyse before somebody has come to the end.", title="No results yet", icon=":material/hourglass:"
        )
        return
    if rehearsals:
        st.warning("Made-up participants are counted here.", icon=":material/science:")
    st.subheader("What was planned", anchor=False)
    st.caption("Decided before anybody took part; corrected after Holm over all of it.")
    show(el("div", *(el("p", said(one), cls="ps-told") for one in found.planned), cls="ps-paragraphs"))
    _findings(found.planned, "Nothing was planned." if not study.hypotheses else "Nothing can be said yet.")
    for words in found.unanswered:
        st.caption(tame(f"Not to be said yet, for want of people: {words}."))
    st.subheader("What was not planned", anchor=False)
    st.caption("Exploratory: to ask better questions with, not to answer them. Corrected after Benjamini and Hochberg.")
    _findings(found.exploratory, "Nothing can be said yet.")
    _means(study, found)
    _scales(found)
    _words_of_measures(found)


def said(one: Finding) -> str:
    """A comparison as a sentence."""
    it = one.contrast
    verdict = "more" if it.difference > 0 else "less"
    how = f"{abs(it.difference):.2f} {verdict} under {it.level} than under {it.against}" if it.difference else "no difference"
    sure = "it holds" if one.holds else "it may be chance"
    return f"{it.outcome}: {how}; {sure} (p {_p(one.p_corrected)} corrected)."


def _p(p: float) -> str:
    return "< .001" if p < 0.001 else f"{p:.3f}".lstrip("0") if p < 1 else "1"


def _findings(found: list[Finding], nothing: str) -> None:
    if not found:
        st.caption(nothing)
        return
    frame = pd.DataFrame([_row(one) for one in found])
    st.altair_chart(_forest(frame), width="stretch", alt=" ".join(said(one) for one in found[:12]))
    with st.expander("As numbers", icon=":material/table:"):
        head = ["outcome", "compared", "people", "means", "difference (95%)", "Hedges' g (95%)", "test", "p", "corrected", "by ranks"]
        rows: list[list[object]] = []
        for one in found:
            it = one.contrast
            rows.append([
                it.outcome, f"{it.level} – {it.against}", f"{it.people}, {it.people_against}", f"{it.mean:.2f}, {it.mean_against:.2f}",
                f"{it.difference:+.2f} ({it.low:+.2f} to {it.high:+.2f})",
                f"{it.effect:+.2f} ({it.effect_low:+.2f} to {it.effect_high:+.2f})",
                it.test, _p(it.p), _p(one.p_corrected), _p(it.p_rank),
            ])  # fmt: skip
        show(table(head, rows, 2))


def _row(one: Finding) -> dict[str, object]:
    it = one.contrast
    return {"what": f"{it.outcome}: {it.level} – {it.against}", "effect": it.effect, "low": it.effect_low, "high": it.effect_high,
            "holds": "holds" if one.holds else "may be chance", "says": said(one)}  # fmt: skip


def _forest(frame: pd.DataFrame) -> alt.LayerChart:
    """Effects with their intervals, one a line, around nothing."""
    base = alt.Chart(frame).encode(y=alt.Y("what:N", sort=None, title=None, axis=alt.Axis(labelLimit=300, labelColor=ink())))
    kinds = alt.Scale(domain=["holds", "may be chance"], range=[main_colour(), other_colour()])
    colour = alt.Color("holds:N", title=None, scale=kinds, legend=alt.Legend(orient="top"))
    x = alt.X("low:Q", title="effect (Hedges' g) with its 95% interval")
    lines = base.mark_rule(strokeWidth=2).encode(x=x, x2="high:Q", color=colour)
    shape = alt.Shape("holds:N", scale=alt.Scale(domain=["holds", "may be chance"], range=["circle", "diamond"]), title=None)
    points = base.mark_point(filled=True, size=80, opacity=1).encode(
        x="effect:Q", color=colour, shape=shape, tooltip=[alt.Tooltip("says:N", title=" ")]
    )
    zero = alt.Chart(pd.DataFrame({"x": [0.0]})).mark_rule(strokeDash=[4, 4], color=ink()).encode(x="x:Q")
    chart: alt.LayerChart = (zero + lines + points).properties(height=alt.Step(26))
    return chart


@st.fragment
def _means(study: Study, found: Analysis) -> None:
    if not found.levels:
        return
    st.subheader("Means", anchor=False)
    outcomes = list(dict.fromkeys(one.outcome for one in found.levels))
    first = next((one.outcome for one in study.hypotheses if one.outcome in outcomes), outcomes[0])
    outcome = st.selectbox("Of what", outcomes, outcomes.index(first), key="desk_outcome")
    rows = [one for one in found.levels if one.outcome == outcome]
    frame = pd.DataFrame(
        [
            {"what": f"{one.factor}: {one.level}", "mean": one.mean, "low": one.low, "high": one.high, "people": one.people}
            for one in rows
        ]
    )
    base = alt.Chart(frame).encode(y=alt.Y("what:N", sort=None, title=None, axis=alt.Axis(labelLimit=300, labelColor=ink())))
    colour = main_colour()
    x = alt.X("low:Q", title=f"{outcome}, mean with its 95% interval", scale=alt.Scale(zero=False))
    lines = base.mark_rule(strokeWidth=2, color=colour).encode(x=x, x2="high:Q")
    tips = [alt.Tooltip("mean:Q", format=".2f", title="Mean"), alt.Tooltip("people:Q", title="People")]
    points = base.mark_point(filled=True, size=90, color=colour, opacity=1).encode(x="mean:Q", tooltip=tips)
    says = "; ".join(
        f"{one.factor} {one.level}: {one.mean:.2f} ({one.low:.2f} to {one.high:.2f}), {one.people} people" for one in rows
    )
    st.altair_chart((lines + points).properties(height=alt.Step(30)), width="stretch", alt=f"{outcome}. {says}.")


def _scales(found: Analysis) -> None:
    st.subheader("How well the scales hold", anchor=False)
    if not found.reliabilities:
        st.caption("No construct was asked with two questions or more.")
        return
    rows: list[list[object]] = [
        [
            one.construct,
            one.items,
            one.people,
            "–" if one.alpha is None else f"{one.alpha:.2f}",
            "–" if one.omega is None else f"{one.omega:.2f}",
        ]
        for one in found.reliabilities
    ]
    show(table(["construct", "questions", "answers", "Cronbach's alpha", "McDonald's omega"], rows, 1))
    st.caption("Omega wants three questions or more. Below .7 a scale is usually called weak.")


def _words_of_measures(found: Analysis) -> None:
    there = {one.outcome for one in found.levels} & MEASURED.keys()
    if there:
        show(
            el("p", "What is measured", cls="ps-label"),
            *(el("p", f"{name}: {MEASURED[name]}.", cls="ps-small ps-quiet") for name in sorted(there)),
        )
