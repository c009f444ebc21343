"""Draws a learning curve as a small SVG: the loss above, the quality on held-out pairs below, over the same epochs."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape  # nosec B406 # writes only

from persona_core.alignment.training import Epoch
from persona_core.files import digest

WIDTH, HEIGHT = 640, 420
LEFT, RIGHT = 64, 616
TICKS = 4
"""About how many ticks an axis has; their distance is 1, 2 or 5 times a power of ten."""
MOST, MOST_NUMBER = 1.7e308, 10**15
"""What a float can hold, and up to where it tells whole numbers apart."""
# An SVG inside <img> cannot see the page's colours, so it brings its own for light and for dark; inline it takes the page's for text.
STYLE = """
.frame{color:#1f2933;--loss:#b4530a;--good:#0b6e99}
@media (prefers-color-scheme:dark){.frame{color:#e6e9ec;--loss:#f2a65a;--good:#6cc4ea}}
text{fill:currentColor;font:12px system-ui,-apple-system,'Segoe UI',sans-serif}
.title{font-size:15px;font-weight:600}
.name{font-weight:600}
.tick{opacity:.75;font-variant-numeric:tabular-nums}
.grid{stroke:currentColor;stroke-opacity:.14}
.axis{stroke:currentColor;stroke-opacity:.5}
.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.loss{stroke:var(--loss)} .good{stroke:var(--good)}
.loss-dot{fill:var(--loss)} .good-dot{fill:var(--good)}
.best{fill:none;stroke:var(--good);stroke-width:1.5}
""".strip()
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Axis:
    """Values from `low` to `high`, laid out on the pixels from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        # halves, because the distance between two floats may be more than a float can hold
        share = (value / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def ticks(self, whole: bool = False) -> list[float]:
        """Round values within the axis; where floats lie too far apart for those, its two ends."""
        step = _round_step(self.high / TICKS - self.low / TICKS)
        step = max(step, 1.0) if whole else step
        first = math.ceil(self.low / step) if step else 0
        last = self.high + step * 1e-6
        # `+ 0.0` makes zero of minus zero
        found = [(first + number) * step + 0.0 for number in range(3 * TICKS) if (first + number) * step <= last]
        return found if len(set(found)) > 1 else [self.low, self.high]


@dataclass(frozen=True, slots=True)
class Panel:
    """One measure over the epochs: its name, its class in the style, its points, and where it lies."""

    name: str
    kind: str
    points: tuple[tuple[float, float], ...]
    top: float
    bottom: float

    @property
    def known(self) -> list[tuple[float, float]]:
        return [point for point in self.points if math.isfinite(point[1])]


def curve_svg(curve: Sequence[Epoch], title: str, unit: str = "epoch", good: str = "NDCG@10 on held-out pairs") -> str:
    """The curve as a picture that stands alone, or inside a page; what is not a number is a gap.

    Args:
        curve: in the order of time.
        title: shown above, and read out by screen readers.
        unit: what the points are numbered by.
        good: what the measure of each epoch is called.
    """
    epochs = [(float(min(max(epoch.number, -MOST_NUMBER), MOST_NUMBER)), epoch) for epoch in curve]
    loss = Panel("Loss in training", "loss", tuple((x, float(epoch.loss)) for x, epoch in epochs), 62, 196)
    better = Panel(good, "good", tuple((x, float(epoch.ndcg)) for x, epoch in epochs), 238, 372)
    across = _axis([x for x, _ in epochs], LEFT, RIGHT, room=1.0)
    name = digest(repr((title, unit, curve)).encode("utf-8", "replace"))[:8]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
        f'aria-labelledby="title-{name} desc-{name}">',
        f'<title id="title-{name}">{_xml(title)}</title>',
        f'<desc id="desc-{name}">{_described(better, unit)}</desc>',
        f"<style>{_scoped(name)}</style>",
        f'<g class="frame frame-{name}">',
        f'<text class="title" x="{LEFT}" y="26">{_xml(title)}</text>',
        *_panel(loss, across),
        *_panel(better, across),
        *_best(better, across, unit),
        *_epochs(across, better.bottom, unit),
        "</g>",
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _panel(panel: Panel, across: Axis) -> list[str]:
    up = _up(panel)
    lines = [f'<text class="name" x="{LEFT}" y="{_n(panel.top - 12)}">{_xml(panel.name)}</text>']
    for tick in up.ticks() if panel.known else ():
        y = up.at(tick)
        lines.append(f'<line class="grid" x1="{LEFT}" x2="{RIGHT}" y1="{_n(y)}" y2="{_n(y)}"/>')
        lines.append(f'<text class="tick" x="{LEFT - 8}" y="{_n(y + 4)}" text-anchor="end">{_number(tick)}</text>')
    lines.append(f'<line class="axis" x1="{LEFT}" x2="{RIGHT}" y1="{_n(panel.bottom)}" y2="{_n(panel.bottom)}"/>')
    if not panel.known:
        middle = (panel.top + panel.bottom) / 2
        lines.append(f'<text class="tick" x="{(LEFT + RIGHT) / 2:g}" y="{_n(middle)}" text-anchor="middle">nothing measured</text>')
    for run in _runs(panel.points):
        spots = [(_n(across.at(x)), _n(up.at(y))) for x, y in run]
        lines.append(f'<polyline class="line {panel.kind}" points="{" ".join(f"{x},{y}" for x, y in spots)}"/>')
        lines += [f'<circle class="{panel.kind}-dot" cx="{x}" cy="{y}" r="2.5"/>' for x, y in spots]
    return lines


def _best(panel: Panel, across: Axis, unit: str) -> list[str]:
    """A ring around the point that was kept, and its value at the end of the panel's heading, where no line can run through it."""
    if not panel.known:
        return []
    number, value = best = max(panel.known, key=lambda point: point[1])
    x, y = across.at(number), _up(panel).at(value)
    return [
        f'<circle class="best" cx="{_n(x)}" cy="{_n(y)}" r="6"/>',
        f'<text x="{RIGHT}" y="{_n(panel.top - 12)}" text-anchor="end">best {_place(best, unit)}</text>',
    ]


def _epochs(across: Axis, bottom: float, unit: str) -> list[str]:
    lines = []
    for tick in across.ticks(whole=True):
        x = _n(across.at(tick))
        lines.append(f'<line class="axis" x1="{x}" x2="{x}" y1="{_n(bottom)}" y2="{_n(bottom + 4)}"/>')
        lines.append(f'<text class="tick" x="{x}" y="{_n(bottom + 18)}" text-anchor="middle">{_number(tick)}</text>')
    return [*lines, f'<text x="{(LEFT + RIGHT) / 2:g}" y="{_n(bottom + 38)}" text-anchor="middle">{_xml(unit)}</text>']


def _described(good: Panel, unit: str) -> str:
    """What somebody who cannot see the picture should know of it."""
    if not good.known:
        return "Two line charts, of loss and of quality on held-out pairs; no quality was measured."
    best = max(good.known, key=lambda point: point[1])
    return (
        f"Two line charts over {len(good.points)} points. NDCG@10 on held-out pairs is {_place(good.known[0], unit)}, "
        f"{_place(good.known[-1], unit)}, and at its best {_place(best, unit)}."
    )


def _place(point: tuple[float, float], unit: str) -> str:
    return _xml(f"{_number(point[1])} at {unit} {_number(point[0])}")


def _runs(points: Sequence[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    """The points in stretches without gaps."""
    runs: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if math.isfinite(point[1]):
            runs[-1].append(point)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _up(panel: Panel) -> Axis:
    """A little higher and lower than the values, so that no line lies on the frame."""
    values = [y for _, y in panel.known]
    if len(set(values)) > 1:
        margin = max(values) * 0.06 - min(values) * 0.06
        values += [max(min(values) - margin, -MOST), min(max(values) + margin, MOST)]
    return _axis(values, panel.bottom, panel.top)


def _axis(values: Sequence[float], start: float, end: float, room: float = 0.0) -> Axis:
    """An axis that holds the values; a single value gets room around it."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if high / 2 - low / 2 <= abs(high) * 1e-9 + 1e-300:
        room = room or abs(low) * 0.1 or 0.5
        low, high = max(low - room, -MOST), min(high + room, MOST)
    return Axis(low, high, start, end)


def _round_step(rough: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is not below `rough`."""
    if not 1e-290 < rough < 1e300:
        return 0.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next(times * power for times in (1.0, 2.0, 5.0, 10.0) if times * power >= rough * 0.999)


def _number(value: float) -> str:
    """Short, and never "-0"."""
    return f"{value + 0.0:.4g}" if abs(value) < 1e6 else f"{value:.3g}"


def _n(pixels: float) -> str:
    return f"{pixels:.1f}"


def _xml(text: str) -> str:
    """Text that any XML reader takes: what XML has no place for is left out."""
    return escape(_NOT_XML.sub("", text))


def _scoped(name: str) -> str:
    """The style for this picture only: a page that it stands in, and other curves there, keep theirs."""
    lines = STYLE.splitlines()
    return " ".join(line.replace(".frame", f".frame-{name}") if ".frame" in line else _under(name, line) for line in lines)


def _under(name: str, rules: str) -> str:
    return re.sub(r"(?:^|(?<=} ))(?=[.a-z])", f".frame-{name} ", rules)
