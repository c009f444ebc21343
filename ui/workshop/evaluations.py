"""What was measured of this workspace, as charts: the results that `evaluate …` has left beside it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from persona_core.cli_personas import EVALUATIONS
from persona_core.workspace import Workspace
from ui.look import tame

MOST_FILES, MOST_BYTES, MOST_ROWS = 12, 2**20, 12
TITLES = {"aspects": "How well reviews were read", "personas": "How good the personas are"}


def draw(place: Workspace) -> None:
    found = [(file, table) for file in files_of(place) if (table := table_of(file))]
    if not found:
        st.caption(":material/straighten: Nothing has been measured here yet. These commands do it, and leave their result here:")
        st.code("\n".join(place.command(f"evaluate {name}") for name in TITLES), language=None, wrap_lines=True)
        return
    for file, table in found:
        _draw(file.stem, table)


def files_of(place: Workspace) -> list[Path]:
    return sorted(file for file in (place.root / EVALUATIONS).glob("*.json") if file.is_file())[:MOST_FILES]


def table_of(file: Path) -> dict[str, Any] | None:
    """The result in a file; None where it is none."""
    try:
        if file.stat().st_size > MOST_BYTES:
            return None
        table = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    rows = table.get("rows") if isinstance(table, dict) else None
    good = isinstance(rows, list) and rows and all(isinstance(row, dict) and len(row) > 1 for row in rows)
    return {**table, "rows": rows[:MOST_ROWS]} if good else None  # type: ignore[index]


def shares_of(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """The measures between 0 and 1, one a line, with whom they are of."""
    head = next(iter(rows[0]))
    found = [
        {"who": f"{row.get(head)}"[:60], "measure": f"{name}"[:60], "value": float(value)}
        for row in rows
        for name, value in row.items()
        if name != head and isinstance(value, float) and math.isfinite(value) and 0 <= value <= 1
    ]
    return pd.DataFrame(found, columns=["who", "measure", "value"])


def _draw(name: str, table: dict[str, Any]) -> None:
    title = TITLES.get(name) or name.replace("_", " ").capitalize()
    st.subheader(tame(title), anchor=False)
    measured = str(table.get("measured", ""))[:10]
    st.caption(tame(f"Measured on {measured}." if measured else "Measured earlier."))
    frame = shares_of(table["rows"])
    if not frame.empty:
        _bars(frame, title)
    with st.expander("As a table"):
        shown = pd.DataFrame([{str(key): _cell(value) for key, value in row.items()} for row in table["rows"]])
        st.dataframe(shown, hide_index=True, width="stretch")


def _bars(frame: pd.DataFrame, title: str) -> None:
    who = list(dict.fromkeys(frame["who"]))
    measures = list(dict.fromkeys(frame["measure"]))
    chart = (
        alt.Chart(frame)
        .mark_bar(cornerRadiusEnd=2)
        .encode(
            y=alt.Y("measure:N", sort=measures, title=None, axis=alt.Axis(labelLimit=220)),
            yOffset=alt.YOffset("who:N", sort=who),
            x=alt.X("value:Q", scale=alt.Scale(domain=[0, 1]), title=None, axis=alt.Axis(tickCount=5)),
            color=alt.Color("who:N", sort=who, title=None, legend=alt.Legend(orient="top", columns=1, labelLimit=260)),
            tooltip=[
                alt.Tooltip("who:N", title="Of"),
                alt.Tooltip("measure:N", title="Measure"),
                alt.Tooltip("value:Q", title="Value", format=".3f"),
            ],
        )
        .properties(height=len(measures) * (12 * len(who) + 12) + 60)
    )
    best = frame.loc[frame["value"].idxmax()]
    st.altair_chart(
        chart, width="stretch", alt=f"{title}: {len(measures)} measures; highest is {best['measure']} with {best['value']:.2f}."
    )


def _cell(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return "–" if value is None else str(value)
    return f"{value:.3f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)[:200]
