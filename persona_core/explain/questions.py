"""Questions about an order: why this one above that one, and why another is not among the first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from persona_core.engine import Engine, Options, Ranked
from persona_core.explain.grammar import capital, listed, quoted
from persona_core.ranking.parts import CAUTION, HABIT, PARTS, POPULARITY, SCENARIO, TASTE, TREND
from persona_core.schema import Item

SAID = {
    TASTE: "how well it fits your taste",
    CAUTION: "what may disappoint you",
    HABIT: "what people with a past like yours came to",
    POPULARITY: "how many came to it lately",
    TREND: "how much more of it is foretold",
    SCENARIO: "what you look for elsewhere",
}
SMALL = 0.0005
"""Less than this is nothing in three decimals."""
MOST_BECAUSE = 3


@dataclass(frozen=True, slots=True)
class PartDifference:
    """One part of two items' scores."""

    name: str
    one: float
    other: float

    @property
    def difference(self) -> float:
        return self.one - self.other


@dataclass(frozen=True, slots=True)
class Because:
    """What one component of the taste does in a difference, in units of the score."""

    role: str
    label: str
    difference: float


@dataclass(frozen=True, slots=True)
class WhyAbove:
    """How two items' scores differ; the parts' differences add up to the scores', those of the taste's components to the taste's."""

    one: str
    other: str
    parts: tuple[PartDifference, ...]
    because: tuple[Because, ...]
    """Every component of the taste, the one that does most first; empty where one of the two items fits nobody that is known."""
    text: str

    @property
    def difference(self) -> float:
        return sum(part.difference for part in self.parts)


@dataclass(frozen=True, slots=True)
class WhyNot:
    """Where an item ranks, what shuts it out, and what holds it back most against the last of the first k."""

    item_id: str
    rank: int | None
    excluded: tuple[str, ...]
    """In words: why it is not in the order at all, whatever its score."""
    against: str
    """The item at rank k; empty where there is none to compare with."""
    parts: tuple[PartDifference, ...]
    held_back_by: str
    """The part that is furthest behind; empty where none is."""
    text: str


def why_above(engine: Engine, ranked: Ranked, one: str, other: str) -> WhyAbove:
    """Why `one` stands above `other` in this answer; if it stands below, the text says that."""
    parts = part_differences(engine, ranked, one, other)
    because = taste_differences(engine, ranked, one, other)
    return WhyAbove(one, other, parts, because, _above_in_words(engine, ranked, (one, other), parts, because))


def part_differences(engine: Engine, ranked: Ranked, one: str, other: str) -> tuple[PartDifference, ...]:
    first, second = (ranked.scores.table[engine.code[item]].tolist() for item in (one, other))
    return tuple(PartDifference(name, a, b) for name, a, b in zip(PARTS, first, second, strict=True))


def taste_differences(engine: Engine, ranked: Ranked, one: str, other: str) -> tuple[Because, ...]:
    """What each component of the taste adds to the one's taste part beyond the other's; they add up to the difference."""
    matches = [engine.recommendation(ranked, engine.code[item]).match for item in (one, other)]
    if not ranked.taste.components or matches[0] is None or matches[1] is None:
        return ()
    here, there = (ranked.taste.shares @ engine.direction_of(match.persona_id) for match in matches if match)
    scale = _taste_scale(engine, ranked)
    rows = zip(ranked.taste.components, ((here - there) * scale).tolist(), strict=True)
    found = [Because(str(component.role), component.label, value) for component, value in rows]
    return tuple(sorted(found, key=lambda row: -abs(row.difference)))


def _taste_scale(engine: Engine, ranked: Ranked) -> float:
    """How much of the score a match of 1 more is worth: read off the items that fit best and, of those that fit anybody, worst."""
    taste = ranked.scores.table[:, PARTS.index(TASTE)]
    known = [place for place in np.argsort(taste, kind="stable").tolist() if engine.recommendation(ranked, place).match]
    if not known:
        return 0.0
    low, high = (_best_match(engine, ranked, place) for place in (known[0], known[-1]))
    return float(taste[known[-1]] - taste[known[0]]) / (high - low) if high > low else 0.0


def _best_match(engine: Engine, ranked: Ranked, item: int) -> float:
    match = engine.recommendation(ranked, item).match
    return float(ranked.taste.wants @ engine.direction_of(match.persona_id)) if match else 0.0


def _above_in_words(
    engine: Engine, ranked: Ranked, pair: tuple[str, str], parts: tuple[PartDifference, ...], because: tuple[Because, ...]
) -> str:  # fmt: skip
    codes = [engine.code[item] for item in pair]
    ranks = [ranked.rank(code) or len(ranked.order) + 1 for code in codes]
    above = sum(part.difference for part in parts)
    titles = [engine.items[code].title for code in codes]
    sign = 1.0 if above >= 0 else -1.0
    high, low = titles if above >= 0 else titles[::-1]
    said = [f"{high} has {abs(above):.3f} more than {low}."]
    for_it = sorted((part for part in parts if sign * part.difference > SMALL), key=lambda part: -sign * part.difference)
    against = [part for part in parts if sign * part.difference < -SMALL]
    if for_it:
        said.append(f"The largest share of that is {SAID[for_it[0].name]} ({sign * for_it[0].difference:+.3f}).")
    if against:
        said.append(
            capital(f"{listed([f'{SAID[part.name]} ({sign * part.difference:+.3f})' for part in against])} speaks the other way.")
        )
    if for_it and for_it[0].name == TASTE:
        said += _taste_in_words(engine, because, sign)
    if (ranks[0] < ranks[1]) != (above >= 0) and ranks[0] != ranks[1]:
        said.append(f"Still, {low} stands above it, because the list was asked to be varied.")
    elif ranks[0] > ranks[1]:
        said.insert(0, "It is the other way round.")
    return " ".join(said)


def _taste_in_words(engine: Engine, because: tuple[Because, ...], sign: float) -> list[str]:
    loud = [one for one in because if sign * one.difference > SMALL][:MOST_BECAUSE]
    if not loud:
        return []
    named = listed([f"{_label(engine, one)} ({sign * one.difference:+.3f})" for one in loud])
    return [f"Of your profile, {named} {'does' if len(loud) == 1 else 'do'} most for that."]


def _label(engine: Engine, one: Because) -> str:
    return engine.item(one.label).title if one.role == "past" else quoted(one.label)


# Why not -------------------------------------------------------------------------------------------------------------------


def why_not(engine: Engine, ranked: Ranked, item_id: str, k: int = 10) -> WhyNot:
    """Why this item is not among the first k."""
    code = engine.code[item_id]
    rank = ranked.rank(code)
    excluded = excluded_by(engine, ranked, item_id) if rank is None else ()
    against = engine.items[int(ranked.order[min(k, len(ranked.order)) - 1])].id if len(ranked.order) else ""
    if against in ("", item_id):
        parts: tuple[PartDifference, ...] = ()
    else:
        parts = part_differences(engine, ranked, item_id, against)
    behind = min(parts, key=lambda part: part.difference, default=None)
    held = behind.name if behind is not None and behind.difference < -SMALL else ""
    text = _not_in_words(engine, ranked, WhyNot(item_id, rank, excluded, against, parts, held, ""), k)
    return WhyNot(item_id, rank, excluded, against, parts, held, text)


def excluded_by(engine: Engine, ranked: Ranked, item_id: str) -> tuple[str, ...]:
    """In words, what keeps an item out of the order."""
    item, options = engine.item(item_id), ranked.options
    found = _filters(item, options)
    if item_id in ranked.profile.history and not options.seen_too:
        found.append("you came to it already")
    return tuple(found or ["it is not among the items that taste, habit or popularity would name"])


def _filters(item: Item, options: Options) -> list[str]:
    found = []
    if options.scenarios and item.scenario not in options.scenarios:
        found.append(f"only {listed(sorted(options.scenarios))} are let through, and it is one of {item.scenario}")
    if options.price_bands and item.price_band not in options.price_bands:
        own = f"its price is {item.price_band}" if item.price_band else "its price is not known"
        found.append(f"only {listed(sorted(options.price_bands))} prices are let through, and {own}")
    return found


def _not_in_words(engine: Engine, ranked: Ranked, found: WhyNot, k: int) -> str:
    title = engine.item(found.item_id).title
    totals = ranked.scores.totals
    own = totals[engine.code[found.item_id]]
    if found.rank is None:
        place = int((totals[ranked.order] > own).sum()) + 1
        return f"{title} is not in the list: {listed(found.excluded)}. By its score alone it would be number {place:,}."
    if found.rank <= k:
        return f"{title} is there already, as number {found.rank:,}."
    said = [f"{title} is number {found.rank:,} of {len(ranked.order):,}."]
    last = engine.item(found.against).title
    behind = own - totals[engine.code[found.against]]
    if behind >= 0:
        return f"{said[0]} Its score would do for the first {k:,}, but the list was asked to be varied."
    said.append(f"To {last}, number {k:,}, it lacks {-behind:.3f}.")
    if found.held_back_by:
        part = next(one for one in found.parts if one.name == found.held_back_by)
        said.append(f"What holds it back most is {SAID[part.name]} ({part.difference:+.3f}).")
    return " ".join(said)
