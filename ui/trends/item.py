"""One item: its chart with a legend in words, the reason, how sure it is, what a model said, and how earlier forecasts did."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from persona_core.trends.words import holds, statements_in
from ui.markup import Markup, el, show
from ui.trends import drawing
from ui.trends.lists import afterwards
from ui.trends.marks import SIGNS, Mark, marks_of
from ui.trends.seen import Seen, about, date, held

NARROW, WIDE = 0.75, 1.75
"""A range so many times as wide as what is expected is close, or says little."""


def draw(seen: Seen, place: int) -> None:
    item = seen.engine.item(seen.trends.items[place])
    head = " · ".join(part for part in (item.scenario, item.maker) if part)
    with st.container(key="trends_item", gap="medium"):
        show(el("h3", seen.title(place), cls="ps-title ps-item-title"), el("p", head, cls="ps-meta"))
        if not seen.windows.known[place]:
            _never_met(seen, place)
            return
        marks = marks_of(seen, place)
        drawing.draw(seen, place, marks)
        legend, reason = st.columns(2, gap="large")
        with legend:
            show(el("p", "In the chart", cls="ps-label"), keys(seen, place, marks))
        with reason:
            show(el("p", "Why", cls="ps-label"), el("p", seen.trends.reason(item.id, seen.back), cls="ps-told"))
            show(el("p", "How sure", cls="ps-label"), el("p", sure(seen, place), cls="ps-told"), afterwards(seen, place))
            _model(seen, place)
        _record(seen, place)


def _never_met(seen: Seen, place: int) -> None:
    """Nothing to draw: nobody had come to it by the cut-off."""
    title = "Nobody had come to it by then" if seen.back else "Nobody has come to it yet"
    st.info(f"There is only its kind to go by. {sure(seen, place)}", title=title, icon=":material/person_off:")
    show(afterwards(seen, place))


# The legend --------------------------------------------------------------------------------------------------------------


def keys(seen: Seen, place: int, marks: Sequence[Mark]) -> Markup:
    """Every sign in the chart, and what it means."""
    said = [_key("●", "came", f"How many came, {seen.word} by {seen.word}.")]
    if seen.back:
        said.append(_key("○", "came", f"What came after {date(seen.trends.ends(seen.back))}."))
    said.append(
        _key("◆", "next", f"What is expected of the {seen.word} from {date(seen.trends.ends(seen.back))}, with its likely range.")
    )
    if len(past(seen, place)):
        said.append(_key("◇", "next", "What was expected earlier, in the same way."))
    said += [_key(SIGNS[one.look], "mark", one.says) for one in marks]
    return el("ul", *said, cls="ps-keys")


def _key(sign: str, ink: str, says: str) -> Markup:
    return el("li", el("span", sign, cls=f"ps-sign ps-ink-{ink}", aria_hidden="true"), el("span", says))


# How sure ----------------------------------------------------------------------------------------------------------------


def sure(seen: Seen, place: int) -> str:
    """The forecast and its range in words."""
    one = seen.forecast(place, seen.back)
    low, high = f"{one['low']:.0f}", f"{one['high']:.0f}"
    begin = f"{about(one['people'])[:1].upper()}{about(one['people'])[1:]} in the {seen.word} from {date(seen.trends.ends(seen.back))}"
    width = (one["high"] - one["low"]) / max(one["people"], 1.0)
    how = "a narrow range" if width <= NARROW else "a wide range, so take it with care" if width >= WIDE else "a fair range"
    share = held(seen.trends)
    kept = "" if share is None else f" Ranges like it held what came in {share * 100:.0f} of 100 cases."
    return f"{begin}; most likely between {low} and {high}, {how}.{kept}"


def past(seen: Seen, place: int) -> pd.DataFrame:
    """What was expected of this item at the cut-offs before, within which range, and what came; the latest first."""
    rows = []
    for back in range(seen.back + 1, seen.trends.goes_back + 1):
        if seen.trends.windows_at(back).known[place]:
            one, came = seen.forecast(place, back), int(seen.trends.came(back)[place])
            rows.append(
                {
                    "from": date(seen.trends.ends(back)),
                    "expected": one["people"],
                    "range": f"{one['low']:.0f} to {one['high']:.0f}",
                    "came": came,
                    "held": one["low"] <= came <= one["high"],
                }
            )
    return pd.DataFrame(rows, columns=["from", "expected", "range", "came", "held"])


def _record(seen: Seen, place: int) -> None:
    """How earlier forecasts of this very item did."""
    frame = past(seen, place)
    if frame.empty:
        return
    off, kept = float(np.abs(frame["expected"] - frame["came"]).mean()), int(frame["held"].sum())
    with st.expander(
        f"Earlier forecasts of it: {off:.1f} off on average, {kept} of {len(frame)} within their range", icon=":material/history:"
    ):
        shown = frame.assign(held=["within the range" if one else "outside" for one in frame["held"]])
        kinds = st.column_config
        st.dataframe(
            shown, hide_index=True, width="stretch", alt="Each earlier forecast of this item, its range, and what came.",
            column_config={"from": f"{seen.word.capitalize()} from", "expected": kinds.NumberColumn("Expected", format="%.1f"),
                           "range": "Likely range", "came": "Came", "held": "What came lay"},
        )  # fmt: skip


# What a language model said ----------------------------------------------------------------------------------------------

VERDICTS = {
    True: ("✓", "the signals bear this out"),
    False: ("✗", "the signals do not bear this out"),
    None: ("–", "no signal speaks of this"),
}


def _model(seen: Seen, place: int) -> None:
    told = seen.trends.told.get(seen.trends.items[place])
    if told is None or seen.back:
        return
    by = f" ({seen.trends.model})" if seen.trends.model else ""
    lines = []
    for sentence in sentences(told.reason):
        sign, means = VERDICTS[borne_out(seen, place, sentence)]
        lines.append(_said(sign, sentence, means))
    show(
        el("p", f"What a language model said{by}", cls="ps-label"),
        el("ul", *lines, cls="ps-keys ps-verdicts"),
        el("p", f"Its own number: {about(told.expected)}. The forecast above does not rest on it.", cls="ps-meta"),
    )


def _said(sign: str, sentence: str, means: str) -> Markup:
    return el(
        "li", el("span", sign, cls="ps-sign", aria_hidden="true"), el("span", sentence, " ", el("span", f"({means})", cls="ps-quiet"))
    )


def sentences(text: str) -> list[str]:
    return [one for one in re.split(r"(?<=[.!?])\s+", " ".join(text.split())) if one]


def borne_out(seen: Seen, place: int, sentence: str) -> bool | None:
    """Whether all that a sentence states of signals holds; None where it states nothing that can be checked."""
    stated = statements_in(sentence)
    if not stated:
        return None
    values, chance, way = seen.values(place), seen.by_chance(place), seen.way(place)
    return all(holds(one, values, chance, way) for one in stated)
