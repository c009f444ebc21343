"""What an explanation may stand on: an item's personas with their quotes found again, and what a reader's taste shares with them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from persona_core.alignment.phrases import PhraseBook
from persona_core.alignment.taste import Component, Role, words_of
from persona_core.engine import Engine, Ranked
from persona_core.explain.grammar import of_people, one_line
from persona_core.explain.support import Feeling, Passage, Support, about, need_of, same_wish, stands, supports
from persona_core.personas.needs import read_needs
from persona_core.scenarios.carried import Carry
from persona_core.schema import Cited, Item, Persona, Recommendation, Review, Stance
from persona_core.text.sentences import sentence_spans

COUNTS = 0.08
"""What adds less than this share of all that speaks for a match is not named."""
NEAR = 0.2
"""What is named must itself lie at least so near to the persona, as a cosine: a faint thing can count by its weight alone."""
MOST_WORDS, MOST_PAST = 2, 2
MOST_TEXT_WISHES = 3
ELSEWHERE = "elsewhere"
"""The role of a wish that is not of the profile, but of what was done in another scenario."""
MARKS = re.compile(r"[“”\"]")


@dataclass(frozen=True, slots=True)
class _Speaking:
    cited: Cited
    loud: bool
    """It adds a good part of the match, and lies near the persona itself."""


@dataclass(frozen=True)
class Evidence:
    """One item of one answer, with all that can be said of it."""

    engine: Engine
    ranked: Ranked
    item: Item
    reviews: dict[str, Review]
    passages: dict[str, tuple[Passage, ...]]
    """By persona: its quotes as they stand in the item's reviews; one that is not found again is not there."""
    recommendation: Recommendation

    @classmethod
    def of(cls, engine: Engine, ranked: Ranked, item: int) -> Evidence:
        found = engine.items[item]
        reviews = {one.id: one for one in engine.reviews_of(found.id)}
        read = {(one.quote.review_id, one.quote.start, one.quote.end): one for one in engine.aspects_of(found.id)}
        passages: dict[str, tuple[Passage, ...]] = {}
        for persona in engine.personas_of(found.id):
            made = (
                Passage(quote, reviews[quote.review_id], persona, read.get((quote.review_id, quote.start, quote.end)))
                for quote in persona.quotes
                if quote.review_id in reviews
            )
            passages[persona.id] = tuple(one for one in made if stands(one))
        return cls(engine, ranked, found, reviews, passages, engine.recommendation(ranked, item))

    @property
    def book(self) -> PhraseBook:
        return self.engine.book

    @cached_property
    def personas(self) -> list[Persona]:
        return self.engine.personas_of(self.item.id)

    @property
    def suited(self) -> list[Persona]:
        return [one for one in self.personas if one.stance is not Stance.DISAPPOINTS]

    @property
    def knows_the_reader(self) -> bool:
        """Whether the profile says anything that a match could rest on."""
        return bool(np.abs(self.ranked.taste.wants).max(initial=0.0) > 0)

    @cached_property
    def speakers(self) -> int:
        """How many reviews say something of the item: those from which its personas were made."""
        read = {one.quote.review_id for one in self.engine.aspects_of(self.item.id)}
        return len(read) or sum(bool(one.text.strip()) for one in self.reviews.values())

    def behind(self, persona: Persona) -> int:
        """How many of the speakers are like this persona."""
        return max(1, round(persona.weight * self.speakers))

    def supports(self, statement: str, passages: Sequence[Passage], feeling: Feeling, least: float) -> list[Support]:
        return supports(self.book, self.engine.head.middle_of_personas, statement, passages, feeling, least)

    def about(self, statement: str, texts: Sequence[str]) -> list[float]:
        return about(self.book, self.engine.head.middle_of_personas, statement, texts)

    def same_wish(self, phrase: str, persona: Persona) -> bool:
        return same_wish(self.book, self.engine.head.middle_of_words, phrase, wishes_of(persona))

    def match(self, persona: Persona) -> float:
        return float(self.ranked.taste.wants @ self.engine.direction_of(persona.id))

    # The reader's side ---------------------------------------------------------------------------------------------------

    def cited(self, persona: Persona) -> tuple[Cited, ...]:
        """What of the reader's own speaks for this persona: words first, then the past; what says the same before what lies near."""
        made = [one for one in self._speaking(persona) if one.loud or (one.cited.shared and one.cited.role != Role.PAST)]
        kept = [one.cited for one in sorted(made, key=lambda one: not one.cited.shared)]
        words = [one for one in kept if one.role != Role.PAST]
        past = [one for one in kept if one.role == Role.PAST]
        return (*words[:MOST_WORDS], *past[:MOST_PAST])

    def wish(self, text: str, persona: Persona) -> Cited | None:
        """The reader's own phrase, where it speaks for this persona."""
        return next((one.cited for one in self._speaking(persona) if one.cited.text == text and one.cited.role == Role.LIKE), None)

    @cached_property
    def _heard(self) -> dict[str, list[_Speaking]]:
        return {}

    def _speaking(self, persona: Persona) -> list[_Speaking]:
        """All that adds to the match with this persona, the loudest first; worked out once, as every claim asks for it."""
        if persona.id not in self._heard:
            self._heard[persona.id] = self._listened(persona)
        return self._heard[persona.id]

    def _listened(self, persona: Persona) -> list[_Speaking]:
        shares = self.ranked.taste.contributions(self.engine.direction_of(persona.id))
        gains = sum(max(share, 0.0) for _, share in shares)
        lengths = np.linalg.norm(self.ranked.taste.shares, axis=1)
        return [
            _Speaking(self._cited(component, share, persona), share >= COUNTS * gains and share >= NEAR * length)
            for (component, share), length in sorted(zip(shares, lengths, strict=True), key=lambda one: -one[0][1])
            if share > 0
        ]

    @cached_property
    def carries(self) -> list[Carry]:
        """Which of the reader's wishes elsewhere speak for this item; none where its scenario is not new to them."""
        over, scenarios = self.ranked.over, self.engine.scenarios
        return [] if over is None or scenarios is None else scenarios.carries(over, self.item.id)

    def elsewhere(self, carry: Carry) -> tuple[Cited, ...]:
        """The wish as it was before it carried over, and the past item that speaks of it loudest."""
        scenarios = self.engine.scenarios
        assert scenarios is not None  # nosec B101 # where a wish carries over, there are scenarios
        wish = read_needs()[carry.need].phrase
        name, item = scenarios.names[carry.scenario], scenarios.loudest(self.ranked.profile.history, carry.scenario, carry.need)
        said = Cited(role=ELSEWHERE, text=wish, share=carry.adds, shared=True, scenario=name)
        past = [Cited(role=Role.PAST, text=self.engine.item(item).title, share=0.0, item_id=item, scenario=name)] if item else []
        return (said, *past)

    def feared(self, persona: Persona) -> tuple[Cited, ...]:
        """Which of the faults that the reader fears this persona complains of."""
        feared = {one.label: one for one in words_of(self.ranked.profile, self.book.is_fault).feared}
        return tuple(
            Cited(role=one.role, text=one.label, share=0.0, shared=True, review_ids=self._reviews_behind(one.label))
            for one in feared.values()
            if self.same_wish(one.label, persona)
        )[:MOST_WORDS]

    def _cited(self, component: Component, share: float, persona: Persona) -> Cited:
        away = component.weight < 0
        if component.role is Role.PAST:
            title = self.engine.item(component.label).title
            alike = not away and self._also_suits(component.label, persona)
            return Cited(role=Role.PAST, text=title, share=share, shared=alike, away=away, item_id=component.label)
        shared = not away and self.same_wish(component.label, persona)
        behind = self._reviews_behind(component.label)
        return Cited(role=component.role, text=component.label, share=share, shared=shared, away=away, review_ids=behind)

    def _also_suits(self, item_id: str, persona: Persona) -> bool:
        """Whether the past item is known to suit people who want the same."""
        needs = needs_of(persona)
        others = (one for one in self.engine.personas_of(item_id) if one.stance is Stance.SUITS)
        return any(needs & needs_of(other) for other in others) if needs else False

    def _reviews_behind(self, text: str) -> tuple[str, ...]:
        phrases = (*self.ranked.profile.likes, *self.ranked.profile.dislikes)
        return next((one.review_ids for one in phrases if one.text == text), ())


def wishes_of(persona: Persona) -> list[str]:
    """What a persona wants, in phrases: those of its traits that say what somebody does or wants, then its description's first."""
    return list(_wishes(persona.traits, persona.description))


@lru_cache(maxsize=50_000)
def _wishes(traits: tuple[str, ...], description: str) -> tuple[str, ...]:
    """Kept: every past item's personas are asked about for every match."""
    of_theirs = [trait for trait in traits if need_of(trait) or of_people(trait)]
    return (*dict.fromkeys(of_theirs[:MOST_TEXT_WISHES]), *_described(description)[:1])


def needs_of(persona: Persona) -> frozenset[str]:
    """The known needs that a persona's wishes name."""
    return _needs(persona.traits, persona.description)


@lru_cache(maxsize=50_000)
def _needs(traits: tuple[str, ...], description: str) -> frozenset[str]:
    return frozenset(need_of(wish) for wish in _wishes(traits, description)) - {""}


def statement_of(persona: Persona) -> str:
    """What is claimed of somebody who is this persona: their name and what they want, without words of single reviewers."""
    said = described(persona)
    return one_line(f"{persona.name}. {' '.join(said or persona.traits)}")


def statement_of_phrase(text: str) -> str:
    """What is claimed where a phrase of a profile is spoken of: one of our own stands for a need, and is held to all of it."""
    need = next((one for one in read_needs() if one.id == need_of(text)), None)
    return text if need is None else f"{text}. They want {need.wants}. They decide {need.decides}."


def described(persona: Persona) -> list[str]:
    """The sentences of the description that quote nobody."""
    return list(_described(persona.description))


@lru_cache(maxsize=50_000)
def _described(description: str) -> tuple[str, ...]:
    """Kept: the same persona is asked about for every phrase of a profile."""
    spans = sentence_spans(description)
    outside = [description[start:end].strip() for start, end in spans if not _in_marks(description, start, end)]
    return tuple(one for one in outside if one and not MARKS.search(one))


def _in_marks(text: str, start: int, end: int) -> bool:
    return bool(MARKS.search(text[start:end])) or text[:start].count("“") > text[:start].count("”")
