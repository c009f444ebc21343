"""How good personas are, whoever wrote them: against the demo world's truth and beside personas written by hand.

A persona speaks for the motive that most of its quotes are about. It is *invented* if there is no such motive, if its item neither
serves nor disappoints it, or if it takes the wrong side. What an item's reviews never speak of, no persona can cover: so coverage is
given of all its motives, and of those that at least two of its reviews speak of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from persona_core.evaluation.truth import TrueItem, Truth
from persona_core.personas.files import read_personas
from persona_core.schema import Persona, Quote, Review, Stance
from persona_core.settings import DEMO_DATA
from persona_core.text.encoder import BaseEncoder, Matrix

REFERENCE = "reference_personas.jsonl"
SPOKEN_BY = 2
MAJORITY = 0.5
Side = tuple[str, str]
"""A motive, and whether the item serves or disappoints it."""


def read_reference(folder: Path = DEMO_DATA) -> list[Persona]:
    """The personas that were written by hand, for 30 items."""
    return read_personas(folder / REFERENCE)


def persona_scores(
    personas: Sequence[Persona], truth: Truth, reviews: Mapping[str, Review], encoder: BaseEncoder, items: Sequence[str]
) -> dict[str, Any]:
    """One row of the table, over the named items."""
    by_item: dict[str, list[Persona]] = {item: [] for item in items}
    for persona in personas:
        if persona.item_id in by_item:
            by_item[persona.item_id].append(persona)
    sides = {item: [side_of(one, truth) for one in of_item] for item, of_item in by_item.items()}
    spoken = _spoken_sides(truth, reviews)
    own = [one for of_item in by_item.values() for one in of_item]
    right = {item: [side for side in found if _holds(side, truth.items[item])] for item, found in sides.items()}
    count = max(1, len(own))
    return {
        "items": len(items),
        "personas an item": len(own) / max(1, len(items)),
        "motives covered": _mean_share(right, {item: _true_sides(truth.items[item]) for item in items}),
        "covered of those spoken of": _mean_share(right, {item: spoken.get(item, set()) for item in items}),
        "invented": sum(len(sides[item]) - len(right[item]) for item in items) / count,
        "repeated": sum(len(found) - len(set(found)) for found in right.values()) / count,
        "grounded": _grounded(own, reviews),
        **_name_scores(own, by_item, encoder),
    }


def side_of(persona: Persona, truth: Truth) -> Side | None:
    """The motive that the persona's quotes speak of, and the side it takes; nothing if they speak of no one motive."""
    told = Counter(motive for quote in persona.quotes if (motive := _motive_of(quote, truth)))
    if not told:
        return None
    motive, count = told.most_common(1)[0]
    if count / told.total() < MAJORITY:
        return None
    if persona.stance is Stance.MIXED:
        item = truth.items[persona.item_id]
        return motive, "serves" if motive in item.serves else "disappoints"
    return motive, "serves" if persona.stance is Stance.SUITS else "disappoints"


def _motive_of(quote: Quote, truth: Truth) -> str | None:
    for sentence in truth.sentences.get(quote.review_id, ()):
        if quote.start < sentence.end and sentence.start < quote.end:
            return sentence.motive
    return None


def _holds(side: Side | None, item: TrueItem) -> bool:
    return side is not None and side in _true_sides(item)


def _true_sides(item: TrueItem) -> set[Side]:
    return {(motive, "serves") for motive in item.serves} | {(motive, "disappoints") for motive in item.disappoints}


def _spoken_sides(truth: Truth, reviews: Mapping[str, Review]) -> dict[str, set[Side]]:
    told: dict[str, Counter[str]] = {}
    for review, sentences in truth.sentences.items():
        if review in reviews:
            told.setdefault(reviews[review].item_id, Counter()).update({one.motive for one in sentences if one.motive})
    return {item: {side for side in _true_sides(truth.items[item]) if counts[side[0]] >= SPOKEN_BY} for item, counts in told.items()}


def _mean_share(found: Mapping[str, Sequence[Side | None]], wanted: Mapping[str, set[Side]]) -> float:
    shares = [len(set(found[item]) & sides) / len(sides) for item, sides in wanted.items() if sides]
    return float(np.mean(shares)) if shares else 0.0


def _grounded(personas: Sequence[Persona], reviews: Mapping[str, Review]) -> float:
    quotes = [(persona, quote) for persona in personas for quote in persona.quotes]
    stand = [
        quote.review_id in reviews
        and quote.stands_in(reviews[quote.review_id])
        and reviews[quote.review_id].item_id == persona.item_id
        for persona, quote in quotes
    ]
    return sum(stand) / max(1, len(stand))


def _name_scores(own: Sequence[Persona], by_item: Mapping[str, Sequence[Persona]], encoder: BaseEncoder) -> dict[str, float]:
    """How far personas of an item lie apart, and how often a name alone leads back to its own quotes among its item's."""
    words = encoder.topics([f"{one.name}. {one.description}" for one in own])
    names = encoder.topics([one.name for one in own])
    quotes = encoder.topics([" ".join(quote.text for quote in one.quotes) for one in own])
    row_of = {one.id: row for row, one in enumerate(own)}
    apart, led, chance = [], [], []
    for of_item in by_item.values():
        rows = [row_of[one.id] for one in of_item]
        if len(rows) < 2:
            continue
        apart.append(1.0 - _mean_between(words[rows]))
        likeness = names[rows] @ quotes[rows].T
        led += list(likeness.argmax(1) == np.arange(len(rows)))
        chance += [1 / len(rows)] * len(rows)
    different = len({one.name for one in own}) / max(1, len(own))
    return {
        "distinctness": float(np.mean(apart)) if apart else 0.0,
        "name leads to its quotes": float(np.mean(led)) if led else 0.0,
        "by chance": float(np.mean(chance)) if chance else 0.0,
        "different names": different,
    }


def _mean_between(rows: Matrix) -> float:
    likeness = rows @ rows.T
    count = len(rows)
    return float((likeness.sum() - np.trace(likeness)) / (count * (count - 1)))
