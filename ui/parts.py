"""The parts of a score, with one name and one colour each on every page."""

from __future__ import annotations

from collections.abc import Sequence

from persona_core.engine import Ranked
from persona_core.ranking.parts import CAUTION, HABIT, PARTS, POPULARITY, SCENARIO, TASTE, TREND
from persona_core.schema import ScorePart
from ui.markup import Markup, el, joined

NAMES = {
    TASTE: "your taste",
    CAUTION: "may disappoint",
    HABIT: "people with your past",
    POPULARITY: "popular now",
    TREND: "on the rise",
    SCENARIO: "what you look for elsewhere",
}
SAYS = {
    TASTE: "How near the people whom it suits come to what your profile says.",
    CAUTION: "What is taken off, because people like you were let down by it.",
    HABIT: "How often people with a past like yours came to it.",
    POPULARITY: "How many came to it lately.",
    TREND: "How much more of it is foretold for the next weeks than is usual for it.",
    SCENARIO: "This scenario is new to you: how far it serves what people look for here who want, elsewhere, what you want there.",
}
CLASSES = {TASTE: "ps-taste", CAUTION: "ps-caution", HABIT: "ps-habit", POPULARITY: "ps-popularity", TREND: "ps-trend",
           SCENARIO: "ps-elsewhere"}  # fmt: skip


def bar(parts: Sequence[ScorePart], most: float) -> Markup:
    """A thin bar: what is solid is the score, what is hatched was taken off it. Its whole length is the most a score can be."""
    values = {part.name: part.value for part in parts}
    lost = {name: -value for name, value in values.items() if value < 0}
    segments, owed = [], sum(lost.values())
    for name in PARTS:
        value = max(0.0, values.get(name, 0.0))
        taken = min(value, owed)
        owed -= taken
        if value - taken > 0:
            segments.append(_segment(name, value - taken, most))
    segments += [_segment(name, value, most, "ps-lost") for name, value in lost.items()]
    said = ", ".join(f"{NAMES[part.name]} {part.value:+.2f}" for part in parts)
    total = sum(shown(parts))
    return el(
        "div",
        el("div", *segments, cls="ps-bar", role="img", aria_label=f"Score {total:.2f}: {said}", title=said),
        el("span", f"{total:.2f}", cls="ps-number ps-small ps-quiet"),
        cls="ps-score",
    )


def _segment(name: str, value: float, most: float, how: str = "") -> Markup:
    return el("span", cls=f"{CLASSES[name]} {how}".rstrip(), style=f"width: {100 * value / max(most, 1e-9):.2f}%")


def most_of(ranked: Ranked) -> float:
    weights = ranked.options.weights
    return weights.taste + weights.habit + weights.popularity + weights.trend + (weights.scenario if ranked.over else 0.0)


def shown(parts: Sequence[ScorePart]) -> list[float]:
    """The parts as they are shown: rounded, so that whoever adds them up finds the shown score."""
    return [round(part.value, 3) for part in parts]


def legend(ranked: Ranked) -> Markup:
    """Of the parts that this answer has: most people are at home in all scenarios, and nothing carries over."""
    names = [name for name in PARTS if name != SCENARIO or ranked.over]
    return el("div", *(el("span", _swatch(name), NAMES[name], title=SAYS[name]) for name in names), cls="ps-legend")


def _swatch(name: str) -> Markup:
    return el("span", cls=f"ps-swatch {CLASSES[name]}", aria_hidden="true")


def table(parts: Sequence[ScorePart]) -> Markup:
    """The parts as numbers that add up, rounded as shown: the last line is the sum of the lines above it."""
    values = shown(parts)
    rows = [_row(part.name, value) for part, value in zip(parts, values, strict=True) if value or part.name != SCENARIO]
    total = el("tr", el("th", "Score", scope="row"), el("td", f"{sum(values):.3f}"), cls="ps-sum")
    return el("table", el("tbody", *rows, total), cls="ps-parts", aria_label="The parts of the score")


def _row(name: str, value: float) -> Markup:
    return el("tr", el("th", joined(_swatch(name), NAMES[name].capitalize()), scope="row"), el("td", f"{value:+.3f}"))
