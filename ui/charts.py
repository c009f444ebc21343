"""The charts, each with a sentence for those who cannot see it."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

INK = {"light": "#221d17", "dark": "#f0e9dd"}
FIRST, SECOND = {"light": "#35578c", "dark": "#8fb0e3"}, {"light": "#b8562f", "dark": "#ec9a72"}


def ink() -> str:
    """The colour of words within a chart, which the theme does not reach."""
    return INK.get(str(st.context.theme.type), "#8a8075")


def main_colour() -> str:
    """The colour of what a chart is about."""
    return FIRST.get(str(st.context.theme.type), FIRST["light"])


def other_colour() -> str:
    """Of what is set against it."""
    return SECOND.get(str(st.context.theme.type), SECOND["light"])


def monthly_reviews(months: list[dict[str, Any]]) -> None:
    """Reviews a month, by scenario, as a stack whose height is the whole market."""
    frame = pd.DataFrame(months)
    frame["month"] = pd.to_datetime(frame["month"])
    chart = (
        alt.Chart(frame)
        .mark_area(opacity=0.85, interpolate="monotone", line={"strokeWidth": 1.5})
        .encode(
            x=alt.X("month:T", title=None, axis=alt.Axis(format="%b %Y", tickCount=8, labelOverlap=True)),
            y=alt.Y("reviews:Q", title="reviews a month", stack=True, axis=alt.Axis(tickCount=4)),
            color=alt.Color("scenario:N", title=None, legend=alt.Legend(orient="top")),
            tooltip=[
                alt.Tooltip("month:T", format="%B %Y", title="Month"),
                alt.Tooltip("scenario:N", title="Scenario"),
                alt.Tooltip("reviews:Q", format=",", title="Reviews"),
            ],
        )
        .properties(height=280)
    )
    st.altair_chart(chart, width="stretch", alt=describe_months(frame))


def describe_months(frame: pd.DataFrame) -> str:
    """The chart in one sentence."""
    totals = frame.groupby("month")["reviews"].sum()
    return (
        f"Reviews a month from {totals.index.min():%B %Y} to {totals.index.max():%B %Y}: "
        f"fewest {totals.min():,} in {totals.idxmin():%B %Y}, most {totals.max():,} in {totals.idxmax():%B %Y}."
    )
