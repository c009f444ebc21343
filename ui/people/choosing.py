"""What is looked at on the page of personas: the query and the item, both in the address, and the callbacks that change them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import streamlit as st

from persona_core.engine import Engine
from persona_core.schema import Item

QUERY, ITEM = "q", "item"
FOCUS = "people_focus"
"""The persona by which an item was opened: it is shown first."""
MOST_LISTED = 3_000
"""So many items can be chosen from a list; of larger catalogues the others are found by searching."""


def draw(engine: Engine) -> tuple[str, Item | None]:
    """The two ways in, side by side; what was asked, and the item that is looked at."""
    search, choose = st.columns([3, 2], gap="medium", vertical_alignment="bottom")
    with search:
        asked = st.text_input(
            "Search items and personas",
            key=QUERY,
            bind="query-params",
            placeholder="hiking in the rain, coffee, a present for granny …",
            icon=":material/search:",
            max_chars=200,
            on_change=_asked,
            help="By words, or by what they mean.",
        )
    with choose:
        chosen = _choose(engine)
    return str(asked or ""), chosen


def _choose(engine: Engine) -> Item | None:
    chosen = picked(engine, "Or choose an item", ITEM, "All items", _chosen)
    return None if chosen is None else engine.item(chosen)


def picked(engine: Engine, label: str, key: str, placeholder: str, changed: Callable[[], None] | None = None) -> str | None:
    """A list of the items to search in, its choice kept in the address; the id of what is chosen."""
    open_now = st.session_state.get(key)
    if open_now is not None and (not isinstance(open_now, str) or open_now not in engine.code):
        st.session_state[key] = open_now = None  # of another workspace, or tampered with
    lines = labels(engine, open_now)
    chosen = st.selectbox(
        label,
        list(lines),
        index=None,
        format_func=lambda item: lines.get(item, item),
        key=key,
        bind="query-params",
        placeholder=placeholder,
        on_change=changed,
    )
    return chosen if chosen in engine.code else None


def labels(engine: Engine, always: str | None = None) -> dict[str, str]:
    """The items that can be chosen, by title; where two have the same, their ids tell them apart."""
    listed = list(engine.items[:MOST_LISTED])
    if always is not None and all(one.id != always for one in listed):
        listed.append(engine.item(always))
    counts = Counter(label_of(one) for one in listed)
    lines = {one.id: label_of(one) if counts[label_of(one)] == 1 else f"{label_of(one)} · {one.id}" for one in listed}
    return dict(sorted(lines.items(), key=lambda line: (line[1].casefold(), line[0])))


def label_of(item: Item) -> str:
    return " ".join(f"{item.title or item.id}{f' · {item.maker}' if item.maker else ''}".split())


def _asked() -> None:
    """A new question leads back to the results."""
    st.session_state[ITEM] = None


def _chosen() -> None:
    st.session_state.pop(FOCUS, None)


def open_item(item_id: str, persona_id: str = "") -> None:
    """A callback: from now on this item is looked at."""
    st.session_state[ITEM] = item_id
    st.session_state[FOCUS] = persona_id


def close_item() -> None:
    st.session_state[ITEM] = None
    st.session_state.pop(FOCUS, None)
