"""What the trend model learns from: an item at a cut-off as a prompt, what came, the true reason, and reasons that are false."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

import numpy as np

from persona_core.schema import Item
from persona_core.trends.boosting import Boosting
from persona_core.trends.panel import Panel
from persona_core.trends.signals import before, by_chance, number, signals_of
from persona_core.trends.words import Values, flipped, outlook, standing_out, told, worth_saying

SHOWN = 12
"""So many windows of the series stand in the prompt."""
LONGEST_TEXT = 60
"""So many characters of what its maker says."""
Part = Literal["text", "signals"]
UNITS: Final = {
    "momentum": "times", "slope": "%", "season": "times", "share_change": "times", "rating_change": "stars",
    "praise_change": "points", "recency": "ago", "age": "known",
}  # fmt: skip
"""The signals in the prompt, each in the measure in which reasons say it."""
PLAIN: Final = {"last": "last nobody", "burstiness": "in bursts"}
"""Those without a number."""
THAN: Final = {"up": "more than usual", "down": "fewer than usual", "same": "about as usual"}


@dataclass(frozen=True, slots=True)
class Example:
    item: str
    end: int
    """The cut-off."""
    prompt: str
    reason: str
    false: tuple[str, ...]
    """The same with its signals turned round, and one of another item; what they say differs from the true one."""
    base: float
    """log(1 + what boosted trees expect): the head's answer is counted from here. Models misjudge numbers; trees do not read."""
    target: float
    """log(1 + what came); NaN where nobody knows yet."""
    values: Values
    by_chance: bool
    usual: float | None
    """A window as it usually is; None where nothing is."""

    def way(self, expected: float | None = None) -> str:
        """The outlook: of a number, or of what came."""
        return outlook(float(np.expm1(self.target)) if expected is None else expected, self.usual)

    def bridge(self, expected: float | None = None) -> str:
        """From the prompt to the reason: the number, which is what came while it learns, and afterwards its own."""
        many = float(np.expm1(self.target)) if expected is None else expected
        return f" {many:.1f}, {THAN[self.way(many)]}.\nReason:"


def examples_at(
    panel: Panel, items: Sequence[Item], came: np.ndarray | None, seed: int, without: frozenset[Part] = frozenset()
) -> list[Example]:
    """One for each item met before the panel's cut-off; `came` is what the next window brought, for training and judging."""
    windows, found = panel.windows, []
    signals, chance = signals_of(windows, panel.groups), by_chance(windows)
    usual, floor = before(windows), np.maximum(Boosting().expected(panel), 0.0)
    known = [int(one) for one in np.flatnonzero(windows.known)]
    values = {one: {name: float(column[one]) for name, column in signals.items() if np.isfinite(column[one])} for one in known}
    rng = np.random.default_rng([seed, windows.end % 2**31])
    for one in known:
        key = f"{items[one].id} {windows.end}"
        own = None if np.isnan(usual[one]) else float(usual[one])
        way = outlook(float(came[one] if came is not None else floor[one]), own)
        what = worth_saying(values[one], bool(chance[one]))
        reason = told(what, values[one], way, windows.word, key)
        turned, changed = flipped(what, values[one])
        false = [told(turned, changed, {"up": "down", "down": "up"}.get(way, "up"), windows.word, f"{key} false")]
        other = known[int(rng.integers(len(known)))]
        borrowed = worth_saying(values[other], bool(chance[other]))
        if set(borrowed) != set(what):
            false.append(told(borrowed, values[other], way, windows.word, key))
        prompt = prompt_of(items[one], panel, one, values[one], bool(chance[one]), without)
        target = float(np.log1p(came[one])) if came is not None else float("nan")
        found.append(Example(items[one].id, windows.end, prompt, reason, tuple(false), float(np.log1p(floor[one])), target,
                             values[one], bool(chance[one]), own))  # fmt: skip
    return found


def prompt_of(item: Item, panel: Panel, place: int, values: Values, chance: bool, without: frozenset[Part]) -> str:
    windows = panel.windows
    series = windows.counts[place, windows.alive()[place]][-SHOWN:]
    when = datetime.fromtimestamp(windows.end + windows.days * 43_200, UTC).strftime("%B")
    lines = [f"Scenario: {item.scenario}."]
    if "text" not in without:
        lines = [f"{item.title} ({item.scenario}). {item.description[:LONGEST_TEXT]}"]
    lines.append(f"People a {windows.word}: {' '.join(f'{count:.0f}' for count in series)}. Next: {when}.")
    if "signals" not in without:
        lines.append(f"Signals: {', '.join(in_prompt(values, chance))}.")
    return "\n".join([*lines, "Expected:"])


def in_prompt(values: Values, chance: bool) -> list[str]:
    """What stands out, each with its direction and in the measure in which a reason would say it: models misjudge bare
    numbers, and of what they see they speak, so trifles are not shown."""
    found = []
    for name, way in standing_out(values, chance):
        if name in PLAIN:
            found.append(PLAIN[name])
            continue
        value, unit = values[name], UNITS.get(name, "")
        if unit == "times":
            many = f"{number(value)} times" if way == "up" else f"{value * 100:.0f}%"
        elif unit in ("%", "points"):
            many = f"{abs(value) * 100:.0f}{'' if unit == '%' else ' '}{unit}"
        else:
            many = f"{abs(value):.1f} {unit}" if unit == "stars" else f"{value:.0f} {unit}" if unit else ""
        turn = "" if unit in ("ago", "known") else way
        found.append(" ".join(part for part in (name.removesuffix("_change"), turn, many) if part))
    return found or ["nothing stands out"]


def training_examples(panel: Panel, items: Sequence[Item], seed: int, without: frozenset[Part], least: int = 6) -> list[list[Example]]:
    """By cut-off, the oldest first: all whose next window is over by the panel's own cut-off."""
    found = []
    for kept in range(least, panel.windows.many):
        past = panel.back(panel.windows.many - kept)
        found.append(examples_at(past, items, panel.windows.counts[:, kept], seed, without))
    return found


def batches(by_origin: Sequence[Sequence[Example]], size: int, seed: int) -> Iterator[list[Example]]:
    """Without end: each of items at one cut-off, so that they can be ranked among each other; the same seed, the same order."""
    rng = np.random.default_rng(seed)
    while True:
        cut = []
        for examples in by_origin:
            order = rng.permutation(len(examples))
            cut += [[examples[one] for one in order[start : start + size]] for start in range(0, len(order) - 1, size)]
        for place in rng.permutation(len(cut)):
            yield cut[place]
