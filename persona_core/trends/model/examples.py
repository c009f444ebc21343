"""What the trend model learns from: an item at a cut-off as a prompt, what came, the true reason, and reasons that are false."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import numpy as np

from persona_core.schema import Item
from persona_core.trends.forecasters import mean_of
from persona_core.trends.panel import Panel
from persona_core.trends.signals import by_chance, number, signals_of
from persona_core.trends.words import Values, flipped, outlook, told, worth_saying

SHOWN = 12
"""So many windows of the series stand in the prompt."""
LONGEST_TEXT = 60
"""So many characters of what its maker says."""
Part = Literal["text", "signals"]
IN_PROMPT = ("momentum", "slope", "acceleration", "season", "share_change", "rating_change", "praise_change", "recency", "age")


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
    """log(1 + the mean of the last three windows): the head's answer is counted from here."""
    target: float
    """log(1 + what came); NaN where nobody knows yet."""
    values: Values
    by_chance: bool
    way: str
    """The outlook of what came; of the last three windows where nobody knows yet."""


def examples_at(
    panel: Panel, items: Sequence[Item], came: np.ndarray | None, seed: int, without: frozenset[Part] = frozenset()
) -> list[Example]:
    """One for each item met before the panel's cut-off; `came` is what the next window brought, for training and judging."""
    windows, found = panel.windows, []
    signals, chance = signals_of(windows, panel.groups), by_chance(windows)
    usual = mean_of(windows, np.ones(6))
    lately = mean_of(windows, np.ones(3))
    known = [int(one) for one in np.flatnonzero(windows.known)]
    values = {one: {name: float(column[one]) for name, column in signals.items() if np.isfinite(column[one])} for one in known}
    rng = np.random.default_rng([seed, windows.end % 2**31])
    for one in known:
        key = f"{items[one].id} {windows.end}"
        way = outlook(float(came[one] if came is not None else lately[one]), float(usual[one]))
        what = worth_saying(values[one], bool(chance[one]))
        reason = told(what, values[one], way, windows.word, key)
        turned, changed = flipped(what, values[one])
        false = [told(turned, changed, {"up": "down", "down": "up"}.get(way, "up"), windows.word, f"{key} false")]
        other = known[int(rng.integers(len(known)))]
        borrowed = worth_saying(values[other], bool(chance[other]))
        if set(borrowed) != set(what):
            false.append(told(borrowed, values[other], way, windows.word, key))
        prompt = prompt_of(items[one], panel, one, values[one], without)
        target = float(np.log1p(came[one])) if came is not None else float("nan")
        found.append(Example(items[one].id, windows.end, prompt, reason, tuple(false), float(np.log1p(lately[one])), target,
                             values[one], bool(chance[one]), way))  # fmt: skip
    return found


def prompt_of(item: Item, panel: Panel, place: int, values: Values, without: frozenset[Part]) -> str:
    windows = panel.windows
    series = windows.counts[place, windows.alive()[place]][-SHOWN:]
    when = datetime.fromtimestamp(windows.end + windows.days * 43_200, UTC).strftime("%B")
    lines = [f"Scenario: {item.scenario}."]
    if "text" not in without:
        lines = [f"{item.title} ({item.scenario}). {item.description[:LONGEST_TEXT]}"]
    lines.append(f"People a {windows.word}: {' '.join(f'{count:.0f}' for count in series)}. Next: {when}.")
    if "signals" not in without:
        said = [f"{name.removesuffix('_change')} {number(values[name])}" for name in IN_PROMPT if name in values]
        lines.append(f"Signals: {', '.join(said)}.")
    return "\n".join([*lines, "Reason:"])


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
