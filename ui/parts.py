"""The parts of a score, with one name and one colour each on every page."""

from __future__ import annotations

from collections.abc import Sequence

from persona_core.engine import Options
from persona_core.ranking.parts import CAUTION, HABIT, PARTS, POPULARITY, TASTE, TREND
from persona_core.schema import ScorePart
from ui.markup import Markup, el, joined

NAMES = {
    TASTE: "your taste",
    CAUTION: "may disappoint",
    HABIT: "people with your past",
    POPULARITY: "popular now",
    TREND: "on the rise",
}
SAYS = {
    TASTE: "How near the people whom it suits come to what your profile says.",
    CAUTION: "What is taken off, because people like you were let down by it.",
    HABIT: "How often people with a past like yours came to it.",
    POPULARITY: "How many came to it lately.",
    TREND: "How much more of it is foretold for the next weeks than is usual for it.",
}
CLASSES = {TASTE: "ps-taste", CAUTION: "ps-caution", HABIT: "ps-habit", POPULARITY: "ps-popularity", TREND: "ps-trend"}


def bar(parts: Sequence[ScorePart], most: float) -> Markup:
    """A thin bar: what is solid is the score, what is hatched was taken off it. Its whole length is the most a score can be."""
    values = {part.name: part.value for part in parts}
    lost = -values.get(CAUTION, 0.0)
    segments, owed = [], lost
    for name in PARTS:
        if name == CAUTION:
            continue
        value = max(0.0, values.get(name, 0.0))
        taken = min(value, owed)
        owed -= taken
        if value - taken > 0:
            segments.append(_segment(name, value - taken, most))
    if lost > 0:
        segments.append(_segment(CAUTION, lost, most))
    said = ", ".join(f"{NAMES[part.name]} {part.value:+.2f}" for part in parts)
    total = sum(shown(parts))
    return el(
        "div",
        el("div", *segments, cls="ps-bar", role="img", aria_label=f"Score {total:.2f}: {said}", title=said),
        el("span", f"{total:.2f}", cls="ps-number ps-small ps-quiet"),
        cls="ps-score",
    )


def _segment(name: str, value: float, most: float) -> Markup:
    return el("span", cls=CLASSES[name], style=f"width: {100 * value / max(most, 1e-9):.2f}%")


def most_of(options: Options) -> float:
    weights = options.weights
    return weights.taste + weights.habit + weights.popularity + weights.trend


def shown(parts: Sequence[ScorePart]) -> list[float]:
    """The parts as they are shown: rounded, so that whoever adds them up finds the shown score."""
    return [round(part.value, 3) for part in parts]


def legend() -> Markup:
    return el("div", *(el("span", _swatch(name), NAMES[name], title=SAYS[name]) for name in PARTS), cls="ps-legend")


def _swatch(name: str) -> Markup:
    return el("span", cls=f"ps-swatch {CLASSES[name]}", aria_hidden="true")


def table(parts: Sequence[ScorePart]) -> Markup:
    """The parts as numbers that add up, rounded as shown: the last line is the sum of the lines above it."""
    values = shown(parts)
    rows = [_row(part.name, value) for part, value in zip(parts, values, strict=True)]
    total = el("tr", el("th", "Score", scope="row"), el("td", f"{sum(values):.3f}"), cls="ps-sum")
    return el("table", el("tbody", *rows, total), cls="ps-parts", aria_label="The parts of the score")


def _row(name: str, value: float) -> Markup:
    return el("tr", el("th", joined(_swatch(name), NAMES[name].capitalize()), scope="row"), el("td", f"{value:+.3f}"))
