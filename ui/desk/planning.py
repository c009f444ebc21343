"""How many participants it takes, by simulating the study; and a rehearsal with made-up participants through the real path."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from persona_core.engine import Engine
from persona_core.study.design import Hypothesis, Study
from persona_core.study.power import ENOUGH, Asked, Power, curve, needed
from persona_core.study.sitting import Hall
from persona_core.study.store import StudyStore
from persona_core.study.synthetic import Crowd, Effect, simulate
from ui.charts import ink, main_colour
from ui.markup import el, show

FOR = {0.2: "small", 0.5: "middling", 0.8: "large"}


def draw(study: Study, engine: Engine, store: StudyStore) -> None:
    st.subheader("How many participants", anchor=False)
    left, right = st.columns(2)
    size = left.slider("The difference to be found, in standard deviations", 0.1, 1.5, 0.5, 0.05, key="plan_size",
                       help="0.2 is usually called small, 0.5 middling, 0.8 large.")  # fmt: skip
    planned = [one.words for one in study.hypotheses] or ["the first that varies"]
    at = right.selectbox("For which comparison", range(len(planned)), key="plan_which", format_func=planned.__getitem__)
    one = study.hypotheses[at] if study.hypotheses else None
    powers = _curve(study, one, size)
    show(el("p", sentence(study, powers, size), cls="ps-told ps-lead"))
    st.altair_chart(_chart(powers), width="stretch", alt=sentence(study, powers, size))
    st.caption("Made-up answers on the study's own scales, tested as the analysis tests them and held to as much as all planned "
               "comparisons together ask; 1,000 studies a point.")  # fmt: skip
    st.subheader("Rehearse it", anchor=False)
    _rehearse(study, engine, store, one)


def sentence(study: Study, powers: list[Power], size: float) -> str:
    many = needed(powers)
    what = f"a difference of {size:g} standard deviations"
    if many is None:
        return f"Even {powers[-1].people} participants find {what} in fewer than {ENOUGH:.0%} of studies."
    held = "" if study.quota is None or study.quota >= many else f" The study asks for {study.quota}: too few for that."
    return f"{many} participants find {what} in at least {ENOUGH:.0%} of studies.{held}"


@st.cache_data(max_entries=64, show_spinner="Simulating studies …")
def _curve_of(asked: Asked, size: float, seed: int) -> list[Power]:
    return curve(asked, size, seed=seed)


def _curve(study: Study, one: Hypothesis | None, size: float) -> list[Power]:
    return _curve_of(Asked.of(study, one), size, study.seed)


def _chart(powers: list[Power]) -> alt.LayerChart:
    frame = pd.DataFrame([{"people": one.people, "power": one.power, "low": one.low, "high": one.high} for one in powers])
    frame["words"] = [f"{one.power:.0%} ({one.low:.0%} to {one.high:.0%})" for one in powers]
    colour = main_colour()
    x = alt.X("people:Q", title="participants in all", scale=alt.Scale(type="log", nice=False))
    base = alt.Chart(frame)
    tips = [alt.Tooltip("people:Q", title="Participants"), alt.Tooltip("words:N", title="Found in")]
    band = base.mark_area(opacity=0.2, color=colour).encode(x=x, y="low:Q", y2="high:Q")
    y = alt.Y("power:Q", title="found in this share of studies", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    line = base.mark_line(point=True, color=colour).encode(x=x, y=y, tooltip=tips)
    rule = alt.Chart(pd.DataFrame({"enough": [ENOUGH]})).mark_rule(strokeDash=[4, 4], color=ink()).encode(y="enough:Q")
    chart: alt.LayerChart = (band + line + rule).properties(height=260)
    return chart


def _rehearse(study: Study, engine: Engine, store: StudyStore, one: Hypothesis | None) -> None:
    st.caption("Made-up participants walk the real path, page by page. What they do is kept and analysed like what people do, but "
               "marked: it is never counted among theirs.")  # fmt: skip
    left, right = st.columns(2)
    many = left.slider("Made-up participants", 6, 120, 30, 6, key="rehearse_many")
    size = right.slider("Their true difference, in standard deviations", 0.0, 2.0, 0.8, 0.1, key="rehearse_size")
    if st.button("Send them through", icon=":material/groups:", disabled=one is None):
        assert one is not None  # nosec B101 # for the type checker
        signed = -size if one.direction == "less" else size
        crowd = Crowd((Effect(one.outcome, one.factor, one.level, signed),), careless=0.05, drops=0.1)
        bar = st.progress(0.0, text="The first sets out …")
        before = len(store.participants(study.id))

        def tell(at: int) -> None:
            bar.progress(at / many, text=f"{at} of {many}")

        done = simulate(Hall(study, store), engine, many, crowd, before, tell)
        bar.empty()
        st.success(f"{done} of {many} came to the end. Under Results, “with rehearsals” shows what the analysis makes of them.")
    if one is None:
        st.caption("It wants a planned comparison: that is what differs between them.")
