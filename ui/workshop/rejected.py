"""The rows of the data that could not be used, by reason."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from persona_core.catalog.store import REJECTED, reject_reasons
from persona_core.errors import PersonaError
from persona_core.pipeline import StepStatus
from persona_core.workspace import Workspace
from ui.look import plain

REASONS = {
    "bad JSON": "The line is no readable JSON",
    "not an object": "The line holds no fields",
    "wrong number of columns": "More or fewer columns than the header",
    "broken characters": "Characters that are broken",
    "no user": "Nobody is named",
    "no item": "No item is named",
    "no date": "No date",
    "unreadable date": "A date that cannot be read",
    "impossible date": "A date that cannot be",
    "unreadable rating": "A rating that is no number",
    "impossible rating": "A rating outside the scale",
    "text too long": "A text of over 50,000 characters",
    "line too long": "A line of over four million letters",
    "id too long": "A number of somebody or something of over 200 characters",
    "unreadable text": "A text that is none",
    "unreadable review id": "A review whose number is none",
    "duplicate review": "The same review twice",
    "duplicate review id": "Two reviews of one number",
    "duplicate item id": "Two items of one number",
    "item without id": "An item without a number",
}


def draw(place: Workspace, states: list[StepStatus]) -> None:
    made = next((one.manifest for one in states if one.step.name == "catalog"), None)
    if made is None:
        return
    st.header("Rows that could not be used", anchor=False)
    reasons = reject_reasons(made.counts)
    if not reasons:
        st.caption("Every row of the data could be used.")
        return
    used = int(made.counts.get("reviews", 0))
    st.caption(f"{sum(reasons.values()):,} rows were left out; {used:,} reviews were taken.")
    chart(reasons)
    try:
        plain(f"Each is listed, with its file and line, in {place.artefact('catalog').file(REJECTED)}", kind="byline", key="rejected")
    except PersonaError:
        st.caption("The list of them is damaged; the next build writes it again.")


def chart(reasons: dict[str, int]) -> None:
    frame = pd.DataFrame({"reason": [REASONS.get(name, name) for name in reasons], "rows": list(reasons.values())})
    bars = alt.Chart(frame).encode(
        y=alt.Y("reason:N", sort=alt.EncodingSortField("rows", order="descending"), title=None, axis=alt.Axis(labelLimit=260)),
        x=alt.X("rows:Q", title="rows", axis=alt.Axis(tickMinStep=1, format=",d")),
        tooltip=[alt.Tooltip("reason:N", title="Reason"), alt.Tooltip("rows:Q", title="Rows", format=",")],
    )
    whole = bars.mark_bar(cornerRadiusEnd=3, height=12).properties(height=26 * len(frame) + 40)
    most = max(reasons, key=lambda name: reasons[name])
    said = ", ".join(f"{REASONS.get(name, name).lower()}: {count:,}" for name, count in reasons.items())
    st.altair_chart(whole, width="stretch", alt=f"Rows left out by reason, most for “{REASONS.get(most, most)}”. {said}.")
