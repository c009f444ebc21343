"""What is looked at on the page of trends: the cut-off, the scenarios and the item, all in the address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from persona_core.engine import Engine
from persona_core.trends.files import Trends
from ui.people import choosing as people
from ui.trends.seen import Seen, date

AS_OF, SCENARIO, LOOK = "as_of", "among", "look"


def draw(engine: Engine, trends: Trends) -> tuple[Seen, frozenset[str]]:
    """The two controls above everything; the trends as of the chosen cut-off, and the scenarios that are let through."""
    with st.container(key="trends_controls", horizontal=True, vertical_alignment="bottom", gap="medium"):
        seen = Seen(engine, trends, _cut_off(trends))
        chosen = _scenarios(trends.panel.scenarios)
    return seen, chosen


def _cut_off(trends: Trends) -> int:
    """How many windows back the reader has gone."""
    if trends.goes_back < 1:
        return 0
    days = {trends.ends(back).date().isoformat(): back for back in range(trends.goes_back + 1)}
    if AS_OF in st.session_state and st.session_state[AS_OF] not in list(days):
        del st.session_state[AS_OF]
    chosen = st.selectbox(
        "As of",
        list(days),
        format_func=lambda day: _cut_off_said(trends, days.get(day, 0)),
        key=AS_OF,
        bind="query-params",
        width=260,
        help="Move it back and see what would have been said then, and what came.",
    )
    return days.get(str(chosen), 0)


def _cut_off_said(trends: Trends, back: int) -> str:
    return date(trends.ends(back)) + ("" if back else " (the latest)")


def _scenarios(names: Sequence[str]) -> frozenset[str]:
    if len(names) < 2:
        return frozenset()
    _only(SCENARIO, names)
    options: dict[str, Any] = {"format_func": str.capitalize, "key": SCENARIO, "bind": "query-params", "help": "None chosen: all."}
    if len(names) <= 8:
        chosen = st.pills("Scenario", names, selection_mode="multi", **options)
    else:
        chosen = st.multiselect("Scenario", names, **options)
    return frozenset(str(one) for one in chosen) & frozenset(names)


def _only(key: str, names: Sequence[str]) -> None:
    """Drops what a session says of a widget and what that could not show."""
    kept = st.session_state.get(key)
    if key in st.session_state and not (isinstance(kept, list | tuple) and all(one in names for one in kept)):
        del st.session_state[key]


def among(seen: Seen, scenarios: frozenset[str]) -> list[int]:
    """The places of the items of these scenarios; of all where none is named."""
    names = seen.trends.panel.scenarios
    return [place for place, group in enumerate(seen.trends.panel.groups.tolist()) if not scenarios or names[group] in scenarios]


# The item ----------------------------------------------------------------------------------------------------------------


def item(seen: Seen, listed: Sequence[int]) -> int | None:
    """The item that is looked at: the one that was chosen, or else the one that rises most of those listed."""
    chosen = people.picked(seen.engine, "Look at one item", LOOK, "Type a title, or choose a line above")
    if chosen in seen.trends.code:
        return seen.trends.code[chosen]
    return first_of(seen, listed)


def first_of(seen: Seen, listed: Sequence[int]) -> int | None:
    if not listed:
        return None
    rise = seen.trends.rise(seen.back)
    return max(listed, key=lambda place: (float(np.nan_to_num(rise[place])), -place))


def look_at(item_id: str) -> None:
    """A callback: from now on this item is looked at."""
    st.session_state[LOOK] = item_id


def say_when(seen: Seen) -> None:
    """What is known at this cut-off, and what is not."""
    day, word = date(seen.trends.ends(seen.back)), seen.word
    if seen.back:
        st.caption(f":material/history: As if it were {day}: these forecasts knew nothing later. What came is said beside them.")
    elif seen.trends.goes_back:
        st.caption(f"Known up to {day}; the {word} after that is still to come.")
    else:
        st.caption(f"Known up to {day}. There are too few {word}s yet to look back at earlier forecasts.")
