"""An item's chart: what came, what is expected and within which range, earlier forecasts, and the signals as marks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from persona_core.trends.windows import DAY
from ui.charts import FIRST, INK
from ui.trends.marks import Mark
from ui.trends.seen import Seen, about, date, people

COLOURS = {
    "light": {"came": FIRST["light"], "next": "#8a4fa3", "mark": "#b04300", "shade": "#b04300"},
    "dark": {"came": FIRST["dark"], "next": "#cf9be6", "mark": "#ff8f57", "shade": "#ff8f57"},
}
"""Of the styles: a drawing cannot look them up."""
TIMES = {"day": "%-d %b", "week": "%-d %b %Y", "month": "%b %Y"}
FEWEST_SHOWN, MOST_SHOWN = 24, 108
HEIGHT = 330


def draw(seen: Seen, place: int, marks: Sequence[Mark]) -> None:
    frame = frame_of(seen, place)
    st.altair_chart(chart(frame, marks_frame(seen, marks, frame), seen), width="stretch", alt=described(seen, place, marks))


def from_window(seen: Seen) -> int:
    """The first window that is drawn: enough of them to see a season come again."""
    windows = seen.trends.windows
    return max(0, seen.windows.many - min(max(2 * windows.period, FEWEST_SHOWN), MOST_SHOWN))


def when(seen: Seen, window: float) -> pd.Timestamp:
    """The middle of a window; half of it on are its edges."""
    windows = seen.trends.windows
    return pd.Timestamp(windows.start_of(0) + round((window + 0.5) * windows.days * DAY), unit="s")


def frame_of(seen: Seen, place: int) -> pd.DataFrame:
    """A row for each thing to draw: what came before the cut-off and after it, earlier forecasts, and the one that is asked for."""
    trends, now = seen.trends, seen.windows.many
    first = max(from_window(seen), int(trends.windows.first[place]))
    rows: list[dict[str, Any]] = []
    for window, count in enumerate(trends.windows.counts[place]):
        if window >= first:
            rows.append({"kind": "came" if window < now else "after", "window": window, "people": float(count)})
    for back in range(trends.goes_back, seen.back - 1, -1):
        window = trends.windows.many - back
        if back == seen.back or (trends.windows_at(back).known[place] and window >= first):
            rows.append({"kind": "next" if back == seen.back else "said", "window": window} | seen.forecast(place, back))
    frame = pd.DataFrame(rows, columns=["kind", "window", "people", "low", "high"])
    frame["time"] = [when(seen, window) for window in frame["window"]]
    frame["from"] = [date(_start(seen, window)) for window in frame["window"]]
    return frame


def _start(seen: Seen, window: int) -> Any:
    return seen.trends.ends(seen.trends.windows.many - window)


def marks_frame(seen: Seen, marks: Sequence[Mark], frame: pd.DataFrame) -> pd.DataFrame:
    """The marks as rows: points of lines, points alone, and spans; none of them older than what is drawn."""
    begin = float(frame["window"].min()) - 0.5 if len(frame) else 0.0
    rows: list[dict[str, Any]] = []
    for number, mark in enumerate(marks):
        drawn, says = mark.drawn, mark.says
        for line, points in enumerate(drawn.lines):
            rows += [_row("line", mark.look, f"{number}.{line}", when(seen, x), y, says) for x, y in points if x >= begin]
        rows += [_row("point", mark.look, f"{number}", when(seen, x), y, says) for x, y in drawn.points if x >= begin]
        if drawn.span is not None:
            start, stop = (max(one, begin) for one in drawn.span)
            rows.append(_row("span", mark.look, f"{number}", when(seen, start), 0.0, says) | {"until": when(seen, stop)})
    return pd.DataFrame(rows, columns=["form", "look", "group", "time", "people", "says", "until"])


def _row(form: str, look: str, group: str, time: pd.Timestamp, people: float, says: str) -> dict[str, Any]:
    return {"form": form, "look": look, "group": group, "time": time, "people": people, "says": says, "until": time}


# The layers --------------------------------------------------------------------------------------------------------------


def chart(frame: pd.DataFrame, marks: pd.DataFrame, seen: Seen) -> alt.LayerChart | alt.FacetChart:
    theme = "dark" if st.context.theme.type == "dark" else "light"
    colours, ink = COLOURS[theme], INK[theme]
    reach = alt.Scale(nice=False, padding=16)  # given as numbers, a domain of times is not always understood
    x = alt.X("time:T", title=None, scale=reach, axis=alt.Axis(format=TIMES[seen.word], labelOverlap=True, grid=False, tickCount=8))
    top = _highest(frame, marks)
    y = alt.Y(
        "people:Q",
        title=f"people a {seen.word}",
        scale=alt.Scale(domain=[0, 1.06 * top], nice=False),
        axis=alt.Axis(tickCount=5, tickMinStep=1),
    )
    cut = alt.Chart(pd.DataFrame({"time": [pd.Timestamp(seen.windows.end, unit="s")]}))
    layers = [
        *_shades(marks, colours, x),
        cut.mark_rule(color=ink, opacity=0.45, strokeDash=[1, 3]).encode(x=x),
        *_signals(marks, colours, x, y, lines=True),
        *_history(frame, colours, x, y),
        *_forecasts(frame, colours, x, y),
        *_afterwards(frame, colours, x, y),
        *_signals(marks, colours, x, y, lines=False),
    ]
    return alt.layer(*layers).properties(height=HEIGHT)


def _highest(frame: pd.DataFrame, marks: pd.DataFrame) -> float:
    numbers = pd.concat([frame["people"], frame["high"], marks["people"]]).astype(float)
    return max(float(numbers.max()), 1.0)


def _tips(*more: alt.Tooltip) -> list[alt.Tooltip]:
    return [alt.Tooltip("from:N", title="From"), alt.Tooltip("people:Q", title="People"), *more]


def _history(frame: pd.DataFrame, colours: dict[str, str], x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """Whole up to the cut-off; what came after it, hollow and in dashes."""
    came = frame[frame["kind"] == "came"]
    later = pd.concat([came.tail(1), frame[frame["kind"] == "after"]])
    layers = []
    if len(came):
        base = alt.Chart(came).encode(x=x, y=y, tooltip=_tips())
        layers += [base.mark_line(color=colours["came"], strokeWidth=2), base.mark_point(color=colours["came"], filled=True, size=34)]
    if len(later) > 1 or not len(came):
        base = alt.Chart(later).encode(x=x, y=y, tooltip=_tips())
        layers.append(base.mark_line(color=colours["came"], strokeWidth=1.5, strokeDash=[2, 3]))
    return layers


def _afterwards(frame: pd.DataFrame, colours: dict[str, str], x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """What came after the cut-off, over the forecast that it may lie on."""
    after = frame[frame["kind"] == "after"]
    base = alt.Chart(after).encode(x=x, y=y, tooltip=_tips())
    return [base.mark_point(color=colours["came"], filled=False, size=60, strokeWidth=1.8)] if len(after) else []


def _forecasts(frame: pd.DataFrame, colours: dict[str, str], x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """Earlier ones thin and open; the one that is asked for full, with its range as a bar with ends."""
    layers = []
    for kind, size, width, opacity in (("said", 46, 1.2, 0.6), ("next", 150, 2.6, 1.0)):
        some = frame[frame["kind"] == kind]
        if some.empty:
            continue
        title = "Expected" if kind == "next" else "Expected then"
        tips = [alt.Tooltip("from:N", title="From"), alt.Tooltip("people:Q", title=title), alt.Tooltip("low:Q", title="At least"),
                alt.Tooltip("high:Q", title="At most")]  # fmt: skip
        base = alt.Chart(some).encode(x=x, tooltip=tips)
        look: dict[str, Any] = {"color": colours["next"], "opacity": opacity}
        layers.append(base.mark_rule(strokeWidth=width, **look).encode(y=alt.Y("low:Q"), y2="high:Q"))
        if kind == "next":
            layers += [base.mark_tick(thickness=2.6, size=16, **look).encode(y=alt.Y(f"{end}:Q")) for end in ("low", "high")]
        layers.append(base.mark_point(shape="diamond", filled=kind == "next", size=size, strokeWidth=1.4, **look).encode(y=y))
    return layers


DASHES: dict[str, list[float]] = {"usual": [7, 4], "fitted": [1.5, 3.5], "steps": [1, 0]}
SHAPES = {"usual": "circle", "ring": "circle", "season": "triangle-up", "first": "square", "bursts": "triangle-down"}
LARGE = {"usual": 260, "ring": 260}


def _signals(marks: pd.DataFrame, colours: dict[str, str], x: alt.X, y: alt.Y, *, lines: bool) -> list[alt.Chart]:
    found = []
    for look, some in marks[marks["form"] == ("line" if lines else "point")].groupby("look", sort=True):
        base = alt.Chart(some).encode(x=x, y=y, detail="group:N", tooltip=[alt.Tooltip("says:N", title="Signal")])
        if lines:
            width = 3.2 if look == "steps" else 2.2
            found.append(base.mark_line(color=colours["mark"], strokeWidth=width, strokeDash=DASHES[str(look)], opacity=0.9))
        else:
            offset = {"bursts": -11, "season": -11}.get(str(look), 0)
            found.append(
                base.mark_point(
                    shape=SHAPES[str(look)], filled=look in ("season", "bursts"), size=LARGE.get(str(look), 80), strokeWidth=2,
                    color=colours["mark"], opacity=1, yOffset=offset,
                )
            )  # fmt: skip
    return found


def _shades(marks: pd.DataFrame, colours: dict[str, str], x: alt.X) -> list[alt.Chart]:
    spans = marks[marks["form"] == "span"].drop_duplicates(["time", "until"])
    if spans.empty:
        return []
    tips = [alt.Tooltip("says:N", title="Signal")]
    return [alt.Chart(spans).mark_rect(color=colours["shade"], opacity=0.13).encode(x=x, x2="until:T", tooltip=tips)]


def described(seen: Seen, place: int, marks: Sequence[Mark]) -> str:
    """The chart in words."""
    counts = seen.windows.counts[place]
    one = seen.forecast(place, seen.back)
    came = seen.came(place)
    told = [
        f"People a {seen.word}, {len(counts)} {seen.word}s up to {date(seen.trends.ends(seen.back))}: "
        f"{people(float(counts[-1]))} in the last, at most {counts.max():.0f}.",
        f"Expected of the coming {seen.word}: {about(one['people'])}, between {one['low']:.0f} and {one['high']:.0f}.",
        "" if came is None else f"{came} came.",
        *(mark.says for mark in marks),
    ]
    return " ".join(part for part in told if part)
