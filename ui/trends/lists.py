"""What rises and what fades: two short lists, each line an item with its last windows as small bars and a few words."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import streamlit as st

from persona_core.trends.words import FEWER, MORE
from ui.look import tame
from ui.markup import Markup, el, show
from ui.trends import choosing
from ui.trends.seen import Seen, about, usually

MOST = 5
BARS = 12
"""So many windows a line shows."""
STEPS = 10
"""A bar has one of so many heights, and none for nobody: the styles name each."""


def draw(seen: Seen, listed: Sequence[int]) -> None:
    rising, fading = st.columns(2, gap="large")
    with rising, st.container(key="trends_rising", gap="small"):
        st.header("What rises", anchor=False)
        _lines(seen, risers(seen, listed), "rising", "Nothing here is about to rise above its usual.")
    with fading, st.container(key="trends_fading", gap="small"):
        st.header("What fades", anchor=False)
        _lines(seen, faders(seen, listed), "fading", "Nothing here is about to fall below its usual.")
    show(
        el("p", el("span", cls="ps-spark-key", aria_hidden="true"),
           f"One bar for each of the last {BARS} {seen.word}s; the hatched one is the {seen.word} to come.", cls="ps-meta")
    )  # fmt: skip


def risers(seen: Seen, listed: Sequence[int]) -> list[int]:
    rise = seen.trends.rise(seen.back)
    some = [place for place in listed if rise[place] >= math.log(MORE)]
    return sorted(some, key=lambda place: (-float(rise[place]), place))[:MOST]


def faders(seen: Seen, listed: Sequence[int]) -> list[int]:
    rise = seen.trends.rise(seen.back)
    some = [place for place in listed if rise[place] <= math.log(FEWER)]
    return sorted(some, key=lambda place: (float(rise[place]), place))[:MOST]


def _lines(seen: Seen, places: Sequence[int], where: str, nothing: str) -> None:
    if not places:
        st.caption(nothing)
    for place in places:
        _line(seen, place, where)


def _line(seen: Seen, place: int, where: str) -> None:
    item = seen.trends.items[place]
    expected, usual = float(seen.trends.expected(seen.back)[place]), float(seen.usual[place])
    said = f"{about(expected)} in the next {seen.word}; {usually(usual)}"
    with st.container(key=f"trends-line-{where}-{item}", gap=None):
        st.button(tame(seen.title(place)), key=f"trends_{where}_{item}", type="tertiary", on_click=choosing.look_at, args=(item,))
        show(
            el(
                "div",
                el("div", el("p", f"{seen.engine.item(item).scenario} · {said}", cls="ps-meta"), afterwards(seen, place)),
                spark(seen, place),
                cls="ps-trend-line",
            )
        )


def afterwards(seen: Seen, place: int) -> Markup | None:
    """What came, where the cut-off lies in the past."""
    came = seen.came(place)
    if came is None:
        return None
    one = seen.forecast(place, seen.back)
    low, high = one["low"], one["high"]
    kept = low <= came <= high
    verdict = "within" if kept else "more than" if came > high else "fewer than"
    return el(
        "p",
        el("span", "✓ " if kept else "✗ ", aria_hidden="true"),
        f"{came} came: {verdict} the {low:.0f} to {high:.0f} we gave.",
        cls="ps-small ps-came",
    )


def spark(seen: Seen, place: int) -> Markup:
    """The last windows as bars, the one to come hatched."""
    counts = seen.windows.counts[place, -BARS:]
    expected = float(seen.trends.expected(seen.back)[place])
    most = max(float(counts.max(initial=0.0)), expected, 1.0)
    bars = [el("span", cls=f"ps-h{height(float(count), most)}") for count in counts]
    told = ", ".join(f"{count:.0f}" for count in counts)
    return el(
        "div", *bars, el("span", cls=f"ps-next ps-h{height(expected, most)}"), cls="ps-spark", role="img",
        aria_label=f"The last {len(counts)} {seen.word}s: {told}. {about(expected).capitalize()} expected.",
    )  # fmt: skip


def height(count: float, most: float) -> int:
    """Nobody is 0; anybody at all is at least 1."""
    return 0 if count <= 0 else int(np.clip(round(STEPS * count / most), 1, STEPS))
