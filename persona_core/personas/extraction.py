"""Aspects without a language model: each sentence is judged, and is its own quote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from persona_core.columns import rows_by
from persona_core.personas.aspects import Found
from persona_core.personas.reading import Judge
from persona_core.personas.reading.company import Vector, company_says
from persona_core.personas.reading.judge import KINDS, Judged, nothing_judged
from persona_core.schema import Aspect, AspectKind, Quote, Review, Sentiment
from persona_core.text.encoder import Matrix, Readings
from persona_core.text.phrases import Telling, label_of
from persona_core.text.sentences import Span, sentence_spans

MOST_SENTENCES = 40
"""Of one review; what goes on longer than that has made its point."""
LEAST_LETTERS = 3
MOST_COMPANY = 1500
"""Sentences of one item that are weighed against each other; of more, the newest."""

Sentence = tuple[int, Span]
"""The position of its review, and where it stands in it."""


def sentences_of(reviews: Sequence[Review]) -> list[Sentence]:
    """Every sentence that is worth judging, in the order of the reviews."""
    return [
        (place, span)
        for place, review in enumerate(reviews)
        for span in sentence_spans(review.text)[:MOST_SENTENCES]
        if sum(letter.isalpha() for letter in review.text[span[0] : span[1]]) >= LEAST_LETTERS
    ]


def extract(reviews: Sequence[Review], sentences: Sequence[Sentence], readings: Readings, judge: Judge) -> Iterator[Found]:
    """The aspects of each review, in order, from all that was read of them."""
    texts = texts_of(reviews, sentences)
    judged = judge.judge(texts, readings, [reviews[place].rating for place, _ in sentences]) if sentences else nothing_judged(0, 0)
    yield from aspects_by(reviews, sentences, readings.topics, judged)


def texts_of(reviews: Sequence[Review], sentences: Sequence[Sentence]) -> list[str]:
    return [reviews[place].text[start:end] for place, (start, end) in sentences]


def aspects_by(
    reviews: Sequence[Review], sentences: Sequence[Sentence], topics: Matrix, judged: Judged, telling: Telling | None = None
) -> Iterator[Found]:
    """The aspects of each review, in order; small talk is none. A verdict has a feeling, all else is neutral.

    `telling`: of all sentences, where these are not all.
    """
    if not sentences:
        yield from (Found(review, ()) for review in reviews)
        return
    texts = texts_of(reviews, sentences)
    kinds = judged.kinds.argmax(1)
    praise = judged.praise + _company(reviews, sentences, topics, judged)
    telling = telling or Telling([texts])
    by_review: dict[int, list[Aspect]] = {}
    for number, (place, (start, end)) in enumerate(sentences):
        kind = KINDS[kinds[number]]
        if kind is None:
            continue
        sentiment = Sentiment.NEUTRAL
        if kind is AspectKind.QUALITY:
            sentiment = Sentiment.POSITIVE if praise[number] >= 0 else Sentiment.NEGATIVE
        quote = Quote.cut(reviews[place], start, end)
        aspect = Aspect(kind=kind, sentiment=sentiment, label=label_of(texts[number], telling), quote=quote)
        by_review.setdefault(place, []).append(aspect)
    for place, review in enumerate(reviews):
        yield Found(review, tuple(by_review.get(place, ())))


def _company(reviews: Sequence[Review], sentences: Sequence[Sentence], topics: Matrix, judged: Judged) -> Vector:
    """What the company of each sentence says, item by item."""
    says: Vector = np.zeros(len(sentences))
    by_item = rows_by(reviews[place].item_id for place, _ in sentences)
    is_aspect = judged.kinds.argmax(1) != KINDS.index(None)
    needs = judged.need_evidence
    for numbers in by_item.values():
        own = numbers[-MOST_COMPANY:]
        of_own = [reviews[sentences[number][0]] for number in own]
        says[own] = company_says(topics[own], needs[own], [one.id for one in of_own], [one.rating for one in of_own], is_aspect[own])
    return says
