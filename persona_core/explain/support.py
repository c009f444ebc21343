"""Whether a quote carries a claim: it must speak of what the claim says, and praise or fault as the claim does.

What a claim and a quote share is read three ways: the needs that the sentence judge hears in both, how near they lie in the base
encoder beyond what any claim has with the quote, and the words they have in common. How much each way counts was fitted on half of
the demo world's items and tried on the other half: 7,211 pairs in all of a persona's words and a quote of its item, of which 23% truly
speak of the same motive. Of two such pairs, the right one comes first in 91 cases of 100 (by nearness alone in 84, by words in 60).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

import numpy as np

from persona_core.alignment.head import unit
from persona_core.alignment.phrases import PhraseBook
from persona_core.personas.needs import read_needs
from persona_core.personas.reading import Judge
from persona_core.profiles.building import avoided
from persona_core.schema import Aspect, AspectKind, Persona, Quote, Review, Sentiment, Stance
from persona_core.text.encoder import Matrix
from persona_core.text.phrases import content_words

NEEDS_SAY, NEARNESS_SAY, WORDS_SAY, USUALLY = 1.2, 5.0, 1.5, -2.1
"""Log odds: for each e-fold of shared needs, for a cosine of 1, for all words in common; and what holds before anything is known."""
LEAST = 0.4
"""From this support on, a quote carries a claim. Of the pairs above, 70% of the right ones reach it and 8% of the wrong ones."""
SAME_WISH = 0.5
"""From this cosine on, two phrases say the same wish. Of the phrases of two different needs, one pair in a thousand reaches 0.45."""
STARS_SAY, LEXICON_SAY, STANCE_SAY = 1.0, 0.5, 0.5
MIDDLE_STARS, REACH_STARS = 3.2, 1.8
PLAIN = 0.6
"""So far from nothing must a tone be to count as praise or as fault.

What a passage was read to say (1) outweighs three stars and the lexicon together, but not stars that contradict it: a complaint in
a five-star review, or praise in a one-star one, is most often irony or a misreading.
"""


class Feeling(StrEnum):
    """What a claim says of its quotes."""

    PRAISE = "praise"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Passage:
    """A quote in its review: whose it is, and what was read in it, where that is known."""

    quote: Quote
    review: Review
    persona: Persona
    aspect: Aspect | None = None


@dataclass(frozen=True, slots=True)
class Support:
    """How well one passage carries one claim."""

    about: float
    """From 0 to 1: how likely it speaks of what the claim says."""
    tone: float
    """Above 0 it praises, below it finds fault."""
    holds: bool


def supports(
    book: PhraseBook, floor: Matrix, statement: str, passages: Sequence[Passage], feeling: Feeling, least: float = LEAST
) -> list[Support]:
    """For each passage, whether it carries a claim of this statement and feeling.

    Args:
        book: gives the vectors of texts.
        floor: the middle of what is usually said of personas; what a quote has in common with that proves nothing.
        statement: what is claimed, in words; empty where only the feeling is claimed.
        least: how much support is asked for.
    """
    said = about(book, floor, statement, [one.quote.text for one in passages]) if statement else [1.0] * len(passages)
    tones = [tone_of(one) for one in passages]
    return [
        Support(score, tone, score >= least and agrees(tone, feeling) and stands(passage))
        for score, tone, passage in zip(said, tones, passages, strict=True)
    ]


def about(book: PhraseBook, floor: Matrix, statement: str, texts: Sequence[str]) -> list[float]:
    """How likely each text speaks of what the statement says, from 0 to 1."""
    if not texts:
        return []
    vectors = book.vectors([statement, *texts])
    needs = judge().need.chances(vectors)
    shared = np.log(needs.shape[1] * (needs[1:] @ needs[0]) + 1e-9)
    nearness = vectors[1:] @ unit(vectors[0] - floor)
    overlap = np.array([words_in_common(statement, text) for text in texts])
    odds = NEEDS_SAY * shared + NEARNESS_SAY * nearness + WORDS_SAY * overlap + USUALLY
    chances: list[float] = (1.0 / (1.0 + np.exp(-odds))).tolist()
    return chances


def same_wish(book: PhraseBook, middle: Matrix, phrase: str, wishes: Sequence[str]) -> bool:
    """Whether the phrase says the same as one of the wishes; `middle` is that of all phrases (see alignment/head.py)."""
    need = need_of(phrase)
    if need and any(need_of(wish) == need for wish in wishes):
        return True
    others = [wish for wish in wishes if not (need and need_of(wish))]  # two needs are the same, or they are not
    if not phrase or not others:
        return False
    vectors = unit(book.vectors([phrase, *others]) - middle)
    return bool((vectors[1:] @ vectors[0]).max() >= SAME_WISH)


@cache
def _needs_by_text() -> dict[str, str]:
    found = {avoided()[need.id]: need.id for need in read_needs()}
    for need in read_needs():
        said = (need.phrase, need.wants, f"They want {need.wants}.", f"They also want {need.wants}.")
        found |= dict.fromkeys(said, need.id)
    return found


def need_of(text: str) -> str:
    """The need that one of our own phrases names; empty for the words of others."""
    return _needs_by_text().get(text, "")


def words_in_common(one: str, other: str) -> float:
    """The share of the shorter text's telling words that stand in the longer one, too."""
    words, others = set(content_words(one)), set(content_words(other))
    return len(words & others) / max(1, min(len(words), len(others)))


def tone_of(passage: Passage) -> float:
    """How far a passage praises: by what was read in it, by the stars of its review, by the sentiment lexicon.

    A passage that is known to judge nothing (a purpose, a habit) has no tone: it may say who somebody is, but carries no verdict.
    """
    if passage.aspect is not None and passage.aspect.kind is not AspectKind.QUALITY:
        return 0.0
    return _said(passage) + STARS_SAY * _stars(passage.review.rating) + LEXICON_SAY * lexicon_tone(passage.quote.text)


def agrees(tone: float, feeling: Feeling) -> bool:
    return tone >= PLAIN if feeling is Feeling.PRAISE else tone <= -PLAIN


def stands(passage: Passage) -> bool:
    """Whether the quote is verbatim in its review, and both are of the persona's item."""
    return passage.quote.stands_in(passage.review) and passage.review.item_id == passage.persona.item_id


def lexicon_tone(text: str) -> float:
    """From -1 to 1, by the sentiment lexicon alone."""
    return float(_lexicon().polarity_scores(text)["compound"])


@cache
def judge() -> Judge:
    return Judge.load()


@cache
def _lexicon() -> Any:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()


def _said(passage: Passage) -> float:
    if passage.aspect is not None:
        return {Sentiment.POSITIVE: 1.0, Sentiment.NEGATIVE: -1.0}.get(passage.aspect.sentiment, 0.0)
    return STANCE_SAY * {Stance.SUITS: 1.0, Stance.DISAPPOINTS: -1.0}.get(passage.persona.stance, 0.0)


def _stars(rating: float | None) -> float:
    return 0.0 if rating is None else max(-1.0, min(1.0, (rating - MIDDLE_STARS) / REACH_STARS))
