"""Words for a persona without a language model: its name and description from the need it has, all else from its own voices."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from persona_core.personas.aspects import KeptAspect
from persona_core.personas.grouping import Field, Group
from persona_core.personas.needs import Need
from persona_core.schema import AspectKind, Persona, Quote, Sentiment, Stance
from persona_core.text.encoder import Matrix
from persona_core.text.phrases import FUNCTION, Telling, may_be, noun_phrases

MOST_QUOTES, MOST_TRAITS = 4, 4
GOOD_LENGTH = (25, 170)
SAME = 0.85
UNSURE = 0.02
"""Below this certainty no need stands out, and the persona is named after what its voices speak of."""
OPENINGS = {
    Stance.SUITS: "What wins them over:",
    Stance.DISAPPOINTS: "What lets them down:",
    Stance.MIXED: "They are of two minds:",
}
CALLED = {Stance.SUITS: "Enthusiast", Stance.DISAPPOINTS: "Critic", Stance.MIXED: "Doubter"}
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


@dataclass(frozen=True, slots=True)
class Book:
    """What wording looks up: the needs, and the vectors of the names that each offers."""

    needs: tuple[Need, ...]
    names: tuple[Matrix, ...]
    telling: Telling


def persona_of(group: Group, number: int, aspects: Sequence[KeptAspect], field: Field, book: Book, taken: set[str]) -> Persona:
    """The group as a persona; `number` is its class in the book's telling words, `taken` the names this item has already."""
    item_id = aspects[group.rows[0]].item_id
    need = book.needs[group.need] if group.certainty >= UNSURE else None
    quotes = _evidence(group, aspects, field)
    name = _name(group, need, number, aspects, field, book, taken)
    everybody = len({one.aspect.quote.review_id for one in aspects})
    return Persona(
        id=f"{item_id}:{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}",
        item_id=item_id,
        name=name,
        description=_description(group, need, number, aspects, field, book),
        rationale=_rationale(group, everybody, quotes),
        stance=group.stance,
        weight=round(min(1.0, max(0.001, len(group.reviews) / everybody)), 3),
        traits=_traits(group, need, number, aspects, book),
        quotes=tuple(quotes),
    )


# Evidence ----------------------------------------------------------------------------------------------------------------


def _evidence(group: Group, aspects: Sequence[KeptAspect], field: Field) -> list[Quote]:
    """The passages that speak for the group best, each from another review where there are enough."""
    ranked = sorted(group.rows, key=lambda row: (-_worth(row, group, aspects, field), aspects[row].id))
    verdicts = [row for row in ranked if _is_verdict(aspects[row], group.stance)] or ranked
    others = [row for row in ranked if row not in verdicts]
    chosen: list[int] = []
    for row in [*verdicts, *others[:1]]:
        if len(chosen) < MOST_QUOTES and not any(_says_the_same(row, before, aspects, field) for before in chosen):
            chosen.append(row)
    if group.stance is Stance.MIXED:
        chosen = _both_sides(verdicts, chosen, aspects)
    return [aspects[row].aspect.quote for row in chosen]


def _both_sides(verdicts: list[int], chosen: list[int], aspects: Sequence[KeptAspect]) -> list[int]:
    """The best praise, the best complaint, then the rest."""
    best = [
        next((row for row in verdicts if aspects[row].aspect.sentiment is feeling), None)
        for feeling in (Sentiment.POSITIVE, Sentiment.NEGATIVE)
    ]
    first = [row for row in best if row is not None]
    return [*first, *(row for row in chosen if row not in first)][:MOST_QUOTES]


def _says_the_same(row: int, before: int, aspects: Sequence[KeptAspect], field: Field) -> bool:
    """Two passages of one review, or nearly the same words in two, are one piece of evidence."""
    same_review = aspects[row].aspect.quote.review_id == aspects[before].aspect.quote.review_id
    return same_review or float(field.topics[row] @ field.topics[before]) > SAME


def _is_verdict(one: KeptAspect, stance: Stance) -> bool:
    if one.aspect.kind is not AspectKind.QUALITY:
        return False
    wanted = {Stance.SUITS: Sentiment.POSITIVE, Stance.DISAPPOINTS: Sentiment.NEGATIVE}.get(stance)
    return wanted is None or one.aspect.sentiment is wanted


def _worth(row: int, group: Group, aspects: Sequence[KeptAspect], field: Field) -> float:
    """How well a passage speaks for its group: near its middle, about its need, of a readable length, typed with care."""
    middle = field.topics[group.rows].mean(0) - field.topics.mean(0)
    near = float((field.topics[row] - field.topics.mean(0)) @ middle) / (float(np.linalg.norm(middle)) + 1e-9)
    about = float(np.tanh(field.needs[row, group.need] / 3.0))
    text = aspects[row].text
    readable = 1.0 if GOOD_LENGTH[0] <= len(text) <= GOOD_LENGTH[1] else 0.4
    careful = 0.15 * (text[:1].isupper() + text.endswith((".", "!")) - text.isupper())
    return near + 0.6 * about + 0.5 * readable + careful


# Words -------------------------------------------------------------------------------------------------------------------


def _name(
    group: Group, need: Need | None, number: int, aspects: Sequence[KeptAspect], field: Field, book: Book, taken: set[str]
) -> str:
    if need is not None:
        middle = field.topics[group.rows].mean(0)
        for place in np.argsort(-(book.names[group.need] @ middle), kind="stable"):
            name = need.names[int(place)]
            if name not in taken:
                return name
    for noun in [*_own_nouns(group, number, aspects, book), "General", "Further", "Other"]:
        name = f"{noun.title()} {CALLED[group.stance]}"
        if name not in taken:
            return name
    return f"Reviewer {len(taken) + 1}"


def _own_nouns(group: Group, number: int, aspects: Sequence[KeptAspect], book: Book) -> list[str]:
    """The group's most telling words that can be nouns, the most telling first."""
    counts = book.telling.counts[number]
    nouns = [word for word in counts if "NOUN" in may_be(word) and word not in FUNCTION and word.isalpha()]
    return sorted(nouns, key=lambda word: (-book.telling.weight(number, word), word))


def _description(group: Group, need: Need | None, number: int, aspects: Sequence[KeptAspect], field: Field, book: Book) -> str:
    if need is not None:
        says = f"They want {need.wants}. They decide {need.decides}."
    else:
        subjects = _own_nouns(group, number, aspects, book)[:3]
        says = f"They keep coming back to {_listed(subjects)}." if subjects else "They say little of themselves."
    own = _in_own_words(group, aspects, field)
    return f"{says} {own}" if own else says


def _in_own_words(group: Group, aspects: Sequence[KeptAspect], field: Field) -> str:
    """What one of them says of themselves, or of why they came."""
    for kind, opening in ((AspectKind.PREFERENCE, "As one of them says:"), (AspectKind.PURPOSE, "How one of them came to it:")):
        rows = [row for row in group.rows if aspects[row].aspect.kind is kind and 15 <= len(aspects[row].text) <= 140]
        if rows:
            best = max(rows, key=lambda row: (_worth(row, group, aspects, field), aspects[row].id))
            return f"{opening} “{aspects[best].text}”"
    return ""


def _rationale(group: Group, everybody: int, quotes: list[Quote]) -> str:
    said = " ".join(f"“{quote.text}”" for quote in quotes[:2])
    if everybody == 1:
        return f"The only review speaks like this. {OPENINGS[group.stance]} {said}"
    many = len(group.reviews)
    verb = "speaks" if many == 1 else "speak"
    count = f"{_counted(many).capitalize()} of the {_counted(everybody)} who say something"
    return f"{count} {verb} like this. {OPENINGS[group.stance]} {said}"


def _traits(group: Group, need: Need | None, number: int, aspects: Sequence[KeptAspect], book: Book) -> tuple[str, ...]:
    """The need in a phrase, then a few of the group's own."""
    labels: dict[str, float] = {}
    for row in group.rows:
        label = aspects[row].aspect.label
        if label not in {" ".join(phrase.words) for phrase in noun_phrases(aspects[row].text)}:
            continue
        words = sorted(set(label.split()))
        labels[label] = labels.get(label, 0.0) + sum(book.telling.weight(number, word) for word in words) / (1 + len(words))
    own = [label for label in sorted(labels, key=lambda one: (-labels[one], one)) if 3 <= len(label) <= 40]
    return tuple([*([need.phrase] if need else []), *own][:MOST_TRAITS])


def _counted(number: int) -> str:
    return NUMBERS[number] if number < len(NUMBERS) else f"{number:,}"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
