"""A reason in words from the signals alone, and the way back: what a text states of the signals, so that it can be held to them.

Each pattern is a sentence with holes. Filled from the signals it is true by construction, rounded as it is shown; matched against
any text it gives back what that text states. So words by rule and words by a model are judged by the same reader.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from persona_core.trends.signals import number

Values = Mapping[str, float]
"""Signals of one item by name; what is not known is not there."""

MOST_SAID = 3
UNKNOWN = "Little is known of it yet"
SENTENCE_END = re.compile(r"\.\s+(?=[A-Z])")
TIMES_UP, TIMES_DOWN = 1.3, 0.75
"""From here on a ratio is worth a sentence."""
GROWS, STARS, PRAISE, QUICKENS, BURSTS, QUIET, NEW = 0.05, 0.3, 0.1, 1.0, 0.15, 2, 3
"""The same for a growth a window, a change of ratings in stars, of the share of praise, of the change itself, and so on."""
MORE, FEWER = 1.15, 0.87
"""A forecast of so many times the usual says more, or fewer."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What a sentence says of a signal: that it lies up or down, or at a value."""

    signal: str
    way: str
    """up, down, or same."""
    value: float | None = None
    """As it was said, in the signal's own measure; None where no number was given."""


@dataclass(frozen=True)
class Pattern:
    """One way to say one thing. Holes: {x} a number as `x times`, {p} a percentage, {n} a whole number, {s} stars, {word}."""

    signal: str
    way: str
    text: str

    def said(self, value: float, word: str) -> str:
        filled = {"x": number(value), "p": f"{abs(value) * 100:.0f}", "n": f"{value:.0f}", "s": f"{abs(value):.1f}"}
        plural = f"{word}s" if filled["n"] != "1" else word
        return self.text.format(**filled, word=word, words=plural, people="people" if filled["n"] != "1" else "person")

    def fits(self, word: str) -> bool:
        """A growth is read from twelve windows, and a season comes again after a week of days, or a year of weeks or months."""
        if "last year" in self.text:
            return word == "month"
        return word == "day" if "of the week" in self.text else word != "day" or "year" not in self.text

    @cached_property
    def reads(self) -> re.Pattern[str]:
        text = re.escape(self.text).replace(r"\ ", " ")
        for hole, found in HOLES.items():
            text = text.replace(rf"\{{{hole}\}}", found)
        return re.compile(text, re.IGNORECASE)

    def value_in(self, match: re.Match[str]) -> float | None:
        found = match.groupdict()
        if not found:
            return None
        (hole, said), *_ = found.items()
        value = float(said.replace(",", ""))
        if hole == "p":
            value /= 100
        return -value if self.way == "down" and hole in "ps" and self.signal not in RATIOS else value


HOLES: Final = {
    "x": r"(?P<x>\d+(?:\.\d+)?)", "p": r"(?P<p>\d+(?:\.\d+)?)", "n": r"(?P<n>\d[\d,]*)", "s": r"(?P<s>\d+(?:\.\d+)?)",
    "word": "(?:day|week|month)", "words": "(?:day|week|month)s?", "people": "(?:people|person)",
}  # fmt: skip
RATIOS: Final = frozenset({"momentum", "season", "share_change"})

PATTERNS: Final = tuple(
    Pattern(signal, way, text)
    for signal, way, texts in (
        ("momentum", "up", ("The last {word} brought {x} times the usual", "Last {word} it drew {x} times as many people as usual",
                            "It just had {x} times its usual {word}")),
        ("momentum", "down", ("The last {word} brought only {p}% of the usual", "Last {word} it drew {p}% of its usual crowd",
                              "It just had {p}% of its usual {word}")),
        ("last", "down", ("Nobody came to it in the last {word}", "The last {word} brought nobody")),
        ("momentum", "same", ("The last {word} was much like the ones before", "It draws about as many people as it usually does")),
        ("slope", "up", ("Over the last year it grew by {p}% a {word}", "Each {word} has brought about {p}% more than the one before",
                         "It has been growing by some {p}% from {word} to {word}")),
        ("slope", "down", ("Over the last year it shrank by {p}% a {word}",
                           "Each {word} has brought about {p}% fewer than the one before",
                           "It has been shrinking by some {p}% from {word} to {word}")),
        ("acceleration", "up", ("Its rise is getting steeper", "The growth is quickening")),
        ("acceleration", "down", ("Its rise is losing steam", "The growth is slowing")),
        ("season", "up", ("The coming {word} is its time of the year: {x} times its mean",
                          "In years before, this {word} brought {x} times its mean",
                          "The coming {word} is its time of the week: {x} times its mean")),
        ("season", "down", ("The coming {word} is not its time of the year: {p}% of its mean",
                            "In years before, this {word} brought only {p}% of its mean",
                            "The coming {word} is not its time of the week: {p}% of its mean")),
        ("share_change", "up", ("Its share of its scenario is {x} times what it was",
                                "It holds {x} times the share of its scenario that it held before")),
        ("share_change", "down", ("Its share of its scenario is down to {p}% of what it was",
                                  "It holds {p}% of the share of its scenario that it held before")),
        ("rating_change", "up", ("Lately it is rated {s} stars higher", "Its newest ratings are {s} stars above the older ones")),
        ("rating_change", "down", ("Lately it is rated {s} stars lower", "Its newest ratings are {s} stars below the older ones")),
        ("praise_change", "up", ("Praise makes up {p} points more of what reviewers say",
                                 "Reviewers praise it more than before, by {p} points")),
        ("praise_change", "down", ("Praise makes up {p} points less of what reviewers say",
                                   "Reviewers praise it less than before, by {p} points")),
        ("recency", "up", ("Nobody has come to it for {n} {words}", "It has been quiet for {n} {words}")),
        ("age", "up", ("It is new: known for {n} {words}", "It has been around for only {n} {words}")),
        ("burstiness", "up", ("People come to it in bursts", "Its visitors come all at once or not at all")),
        ("expected", "up", ("All in all, more than usual are expected", "Its next {word} should bring more than usual")),
        ("expected", "down", ("All in all, fewer than usual are expected", "Its next {word} should bring fewer than usual")),
        ("expected", "same", ("All in all, about as many as usual are expected", "Its next {word} should be much like its usual one")),
    )
    for text in texts
)  # fmt: skip


# From signals to words ---------------------------------------------------------------------------------------------------


def worth_saying(values: Values, by_chance: bool) -> list[tuple[str, str]]:
    """Which signals a reason names, and which way each points, the weightiest first."""
    return standing_out(values, by_chance)[:MOST_SAID] or ([("momentum", "same")] if values else [])


def standing_out(values: Values, by_chance: bool) -> list[tuple[str, str]]:
    """All signals beyond what deserves a sentence, and which way each points, the weightiest first."""
    found: list[tuple[str, str, float]] = []
    for name, up, down in (("momentum", TIMES_UP, TIMES_DOWN), ("season", 1.25, 0.8), ("share_change", TIMES_UP, TIMES_DOWN)):
        value = values.get(name)
        if name == "momentum" and (by_chance or values.get("last") == 0):
            continue
        if value is not None and (value >= up or value <= down):
            found.append((name, "up" if value >= 1 else "down", abs(math.log(max(value, 0.05)))))
    for name, least in (("slope", GROWS), ("rating_change", STARS), ("praise_change", PRAISE)):
        value = values.get(name)
        if value is not None and abs(value) >= least:
            found.append((name, "up" if value >= 0 else "down", 0.5 * abs(value) / least / (1 if name == "slope" else 2)))
    if values.get("last") == 0 and values.get("recency", 0) < QUIET and not by_chance:
        found.append(("last", "down", 2.0))
    if values.get("recency", 0) >= QUIET:
        found.append(("recency", "up", 2.0))
    if 0 < values.get("age", 99) < NEW:
        found.append(("age", "up", 3.0))
    if values.get("burstiness", -1.0) >= BURSTS:
        found.append(("burstiness", "up", 0.2))
    if values.get("slope", 0.0) >= GROWS and abs(values.get("acceleration", 0.0)) >= QUICKENS:
        found.append(("acceleration", "up" if values["acceleration"] > 0 else "down", 0.3))
    return [(name, way) for name, way, _ in sorted(found, key=lambda one: -one[2])]


def outlook(expected: float, usual: float | None) -> str:
    """Whether the forecast says more, fewer or about as many as usual."""
    if usual is None or usual <= 0:
        return "up" if expected >= 0.5 else "same"
    if abs(expected - usual) < 0.5:
        return "same"
    return "up" if expected / usual >= MORE else "down" if expected / usual <= FEWER else "same"


def reason(values: Values, by_chance: bool, way: str, word: str, key: str) -> str:
    """A sentence or two: what the signals say, and so what is expected. The key picks the wording: the same key, the same words."""
    return told(worth_saying(values, by_chance), values, way, word, key)


def told(what: Sequence[tuple[str, str]], values: Values, way: str, word: str, key: str) -> str:
    """These signals, whatever they are, and the outlook."""
    said = [sentence(name, turn, values.get(name, 0.0), word, f"{key} {place}") for place, (name, turn) in enumerate(what)]
    return ". ".join([*(said or [UNKNOWN]), sentence("expected", way, 0.0, word, f"{key} end")]) + "."


def sentence(signal: str, way: str, value: float, word: str, key: str) -> str:
    ways = [one for one in PATTERNS if (one.signal, one.way) == (signal, way) and one.fits(word)]
    chosen = ways[int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) % len(ways)]
    return chosen.said(value, word)


# From words to statements ------------------------------------------------------------------------------------------------


def statements_in(text: str) -> list[Statement]:
    """All that a text states of signals, in the order of the text; what no pattern reads is not there."""
    found: dict[int, tuple[int, Statement]] = {}
    flat = " ".join(text.split())
    for pattern in PATTERNS:
        for match in pattern.reads.finditer(flat):
            longest = found.get(match.start(), (0, None))[0]
            if match.end() > longest:
                found[match.start()] = match.end(), Statement(pattern.signal, pattern.way, pattern.value_in(match))
    return [found[start][1] for start in sorted(found)]


def holds(statement: Statement, values: Values, by_chance: bool, expected_way: str) -> bool:
    """Whether the signals bear a statement out: the direction, and the number as it would be said."""
    if statement.signal == "expected":
        return statement.way == expected_way
    value = values.get(statement.signal)
    if statement.signal == "momentum" and statement.way == "same":
        return value is None or by_chance or TIMES_DOWN < value < TIMES_UP
    if value is None:
        return False
    if statement.value is None:
        plain = {"burstiness": value > 0, "acceleration": (value > 0) == (statement.way == "up"), "last": value == 0}
        return plain.get(statement.signal, False)
    middle = 1.0 if statement.signal in RATIOS else 0.0
    turned = value >= middle if statement.way == "up" else value < middle
    return turned and abs(statement.value - value) <= max(0.06 * abs(value), ROUNDED.get(statement.signal, 0.5))


def wholly_borne_out(text: str, values: Values, by_chance: bool, expected_way: str) -> bool:
    """Whether every sentence states something that can be read, and all of it holds."""
    sentences = [one for one in SENTENCE_END.split(" ".join(text.split()).rstrip(".")) if one and one != UNKNOWN]
    read = [statements_in(one) for one in sentences]
    return all(read) and all(holds(one, values, by_chance, expected_way) for some in read for one in some)


ROUNDED: Final = {"momentum": 0.051, "slope": 0.0051, "season": 0.051, "share_change": 0.051, "rating_change": 0.051,
                  "praise_change": 0.0051}  # fmt: skip
"""What rounding alone may take away or add."""


def flipped(statements: Sequence[tuple[str, str]], values: Values) -> tuple[list[tuple[str, str]], dict[str, float]]:
    """The same signals turned round: what rose falls by as much. For telling a true reason from a false one."""
    turned = {"up": "down", "down": "up"}
    found, changed = [], dict(values)
    for name, way in statements:
        if name == "last" or way == "same":  # the contrary of nobody, and of as usual
            found.append(("momentum", "up"))
            changed["momentum"] = 2.0
            continue
        found.append((name, turned[way] if name not in ONE_WAY else way))
        value = values.get(name, 0.0)
        changed[name] = 1 / max(value, 0.1) if name in RATIOS else value if name in ONE_WAY else -value
    return found, changed


ONE_WAY: Final = frozenset({"recency", "age", "burstiness"})
