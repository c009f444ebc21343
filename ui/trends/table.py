"""Every item in one table that can be sorted, each with its history as a line; choosing a row looks at that item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from ui.trends import choosing
from ui.trends.seen import Seen

SHOWN = 24
"""So many windows of history a row shows."""
TALLEST = 390
MOST = 2_000
"""So many rows at most are sent to the browser."""


def draw(seen: Seen, listed: Sequence[int], scenarios: frozenset[str]) -> None:
    st.header("All items", anchor=False)
    if not listed:
        st.caption("No item is in these scenarios.")
        return
    st.caption("Click a column's head to sort by it, and a row to look at that item below.")
    places = ordered(seen, listed)
    if len(places) < len(listed):
        st.caption(f"The {len(places):,} that rise or fade most are listed, of {len(listed):,}.")
    frame = frame_of(seen, places)
    key = f"trends_table_{seen.back}_{'_'.join(sorted(scenarios))}"
    ids = tuple(seen.trends.items[place] for place in places)
    with st.container(key="trends_table"):
        st.dataframe(
            frame,
            hide_index=True,
            width="stretch",
            height=min(TALLEST, 38 + 35 * len(frame)),
            column_config=_columns(seen, frame),
            key=key,
            on_select=lambda: _selected(key, ids),
            selection_mode="single-row",
            placeholder="–",
            alt=f"{len(frame):,} items with their history, what is usual and what is expected of the coming {seen.word}.",
        )


def ordered(seen: Seen, listed: Sequence[int]) -> list[int]:
    """What rises most comes first; of very many items, those that rise or fade the most."""
    rise = seen.trends.rise(seen.back)
    moved = sorted(listed, key=lambda place: (-abs(float(rise[place])), place))[:MOST]
    return sorted(moved, key=lambda place: (-float(rise[place]), place))


def frame_of(seen: Seen, places: Sequence[int]) -> pd.DataFrame:
    rows = np.array(places, np.int64)
    signals, expected = seen.trends.signals(seen.back), seen.trends.expected(seen.back)
    ranges = [seen.forecast(place, seen.back) for place in places]
    table: dict[str, Any] = {
        "item": [seen.title(place) for place in places],
        "history": [seen.windows.counts[place, -SHOWN:].tolist() for place in places],
        "expected": expected[rows].round(1),
    }
    if seen.back:
        table["came"] = seen.trends.came(seen.back)[rows].astype(int)
    table |= {
        "usual": seen.usual[rows].round(1),
        "last": seen.windows.counts[rows, -1].astype(int),
        "range": [f"{one['low']:.0f} to {one['high']:.0f}" for one in ranges],
        "momentum": signals["momentum"][rows].round(2),
        "growth": signals["slope"][rows].round(3),
        "scenario": [seen.engine.item(seen.trends.items[place]).scenario for place in places],
    }
    return pd.DataFrame(table)


def _columns(seen: Seen, frame: pd.DataFrame) -> dict[str, Any]:
    kinds, word = st.column_config, seen.word
    return {
        "item": kinds.TextColumn("Item", width="medium", pinned=True),
        "history": kinds.LineChartColumn("History", help=f"People a {word}, up to {SHOWN} {word}s.", width="small", y_min=0),
        "expected": kinds.ProgressColumn(
            "Expected", help=f"How many people may come in the next {word}.", format="%.1f", min_value=0.0, width="small",
            max_value=max(float(frame["expected"].max()), 1.0),
        ),
        "came": kinds.NumberColumn("Came", help=f"How many came in that {word}.", width="small"),
        "usual": kinds.NumberColumn("Usual", help=f"The mean of up to six {word}s before the last.", format="%.1f", width="small"),
        "last": kinds.NumberColumn(f"Last {word}", width="small"),
        "range": kinds.TextColumn("Likely range", help="What comes should lie in it in 8 of 10 cases.", width="small"),
        "momentum": kinds.NumberColumn("Momentum", help=f"The last {word}, in usual ones.", format="%.1f ×", width="small"),
        "growth": kinds.NumberColumn("Growth", help=f"By how much a {word} it has grown over up to twelve.", format="percent",
                                     width="small"),
        "scenario": kinds.TextColumn("Scenario", width="small"),
    }  # fmt: skip


def _selected(key: str, ids: Sequence[str]) -> None:
    """A callback: the item of the chosen row is looked at."""
    item = row_of(st.session_state.get(key), ids)
    if item is not None:
        choosing.look_at(item)


def row_of(state: Any, ids: Sequence[str]) -> str | None:
    """The item of a selection; None of one that makes no sense."""
    try:
        (row,) = state["selection"]["rows"]
        return ids[row] if isinstance(row, int) and 0 <= row < len(ids) else None
    except (KeyError, TypeError, ValueError):
        return None
