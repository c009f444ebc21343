"""Aspects with a language model: it reads a few reviews at a time, and what it quotes is kept only if it stands in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from persona_core.llm.prompts import fenced, plain, prompt
from persona_core.llm.protocol import LanguageModel, Prompt
from persona_core.personas.aspects import Found
from persona_core.schema import Aspect, AspectKind, Quote, Review, Sentiment
from persona_core.text.quotes import find_quote
from persona_core.text.sentences import sentence_spans

MOST_REVIEWS = 6
BATCH_BYTES = 2_000
"""Of reviews in one prompt: what they say must fit into one answer of 1,024 tokens."""
LONGEST_BYTES = 6_000
"""Of one review; what goes on longer than that has made its point, and must not crowd the model's context."""
MOST_ASPECTS = 12
MOST_FINDINGS = 24
LABEL_WORDS, LONGEST_LABEL = 5, 60
LEAST_LETTERS = 3
"""Of a quote; an article proves nothing."""


def clipped(most: int) -> BeforeValidator:
    """Cuts a text or list that is too long: one talkative finding must not cost all the others."""
    return BeforeValidator(lambda value: value[:most] if isinstance(value, str | list) else value)


OR_NOTHING = BeforeValidator(lambda value: "" if value is None else value)
"""Null, where a text is due, is no text."""


CLOSED = ConfigDict(json_schema_extra={"additionalProperties": False})
"""The server is told that there are no other fields (it would let a small model invent some without end); those that come pass."""


class Finding(BaseModel):
    """What the model says that one review says. The quote stands before its judgement, so that it is judged by it."""

    model_config = CLOSED

    review: int = Field(json_schema_extra={"minimum": 1, "maximum": MOST_REVIEWS})
    kind: AspectKind
    quote: Annotated[str, clipped(300), OR_NOTHING, Field(max_length=300)]
    sentiment: Sentiment
    label: Annotated[str, clipped(60), OR_NOTHING, Field(max_length=60)]


class Findings(BaseModel):
    model_config = CLOSED
    findings: Annotated[list[Finding], clipped(MOST_FINDINGS), Field(max_length=MOST_FINDINGS)]


class ModelFinder:
    """Finds aspects by asking a model. Safe to use from several threads, as the model is."""

    def __init__(self, model: LanguageModel) -> None:
        self.name = model.name
        self._model = model

    def find(self, reviews: Sequence[Review]) -> Iterator[Found]:
        """What each review says, item by item. A batch that the model cannot answer is an error, not an empty answer."""
        for batch in self.batches(reviews):
            yield from self.find_batch(batch)

    def batches(self, reviews: Sequence[Review]) -> list[list[Review]]:
        """Every review once, in groups that can be asked about at once.

        Items are kept apart: a new review then changes the batches of its own item only, and all other answers are in the cache.
        """
        by_item: dict[str, list[Review]] = {}
        for review in reviews:
            by_item.setdefault(review.item_id, []).append(review)
        return [batch for of_item in by_item.values() for batch in _packed(of_item)]

    def find_batch(self, reviews: Sequence[Review]) -> list[Found]:
        """What each of these reviews says, in their order, by one call; by none if there is nothing to read."""
        readable = [review for review in reviews if _says_something(review)]
        findings = self._model.ask(prompt_for(readable), Findings).value.findings if readable else []
        by_review: dict[int, list[Finding]] = {}
        for finding in findings:
            # a number that nobody has is charged to the nearest: its quote will not stand there, or it does and is true
            place = min(max(finding.review, 1), len(readable)) - 1
            by_review.setdefault(place, []).append(finding)
        found = {review.id: _grounded(review, by_review.get(at, []), self.name) for at, review in enumerate(readable)}
        return [found.get(review.id) or Found(review, (), by=self.name) for review in reviews]


def prompt_for(reviews: Sequence[Review]) -> Prompt:
    """One prompt for several reviews: each under its number and stars, fenced as data."""
    parts = [
        f"Review {number}{_stars(review)}:\n{fenced(shown(review.text), f'review {number}')}"
        for number, review in enumerate(reviews, start=1)
    ]
    return prompt("aspects", reviews="\n\n".join(parts))


def shown(text: str) -> str:
    """As much of a review as the model gets to read: very long ones end at the end of a sentence."""
    if len(text.encode("utf-8", "replace")) <= LONGEST_BYTES:
        return text
    end = 0
    for _, stop in sentence_spans(text):
        if len(text[:stop].encode("utf-8", "replace")) > LONGEST_BYTES:
            break
        end = stop
    return text[:end]


def _stars(review: Review) -> str:
    return "" if review.rating is None else f" ({review.rating:g} of 5 stars)"


def _says_something(review: Review) -> bool:
    return any(letter.isalpha() for letter in review.text)


def _packed(reviews: Sequence[Review]) -> list[list[Review]]:
    packed: list[list[Review]] = []
    room, places = 0, 0
    for review in reviews:
        costs = len(shown(review.text).encode("utf-8", "replace")) if _says_something(review) else 0
        if not packed or (costs and (costs > room or places == 0)):
            packed.append([])
            room, places = BATCH_BYTES, MOST_REVIEWS
        packed[-1].append(review)
        room, places = room - costs, places - bool(costs)
    return packed


def _grounded(review: Review, findings: Sequence[Finding], by: str) -> Found:
    """The findings whose quotes stand in the review; the others are counted."""
    aspects: dict[tuple[int, int], Aspect] = {}
    dropped = 0
    for finding in findings:
        if not finding.quote.strip():
            continue  # it was told that nothing is the normal answer, and says it this way
        quote = quote_in(review, finding.quote)
        if quote is None:
            dropped += 1
        elif len(aspects) < MOST_ASPECTS:
            aspects.setdefault((quote.start, quote.end), _aspect(finding, quote))
    return Found(review, tuple(sorted(aspects.values(), key=_place)), dropped, by)


def quote_in(review: Review, wanted: str) -> Quote | None:
    """The passage that is meant, in whole words: "art" is not said by who says "part", but a quote may be cut off in a word."""
    quote = find_quote(review, wanted)
    if quote is None or sum(letter.isalpha() for letter in quote.text) < LEAST_LETTERS or _within_word(review.text, quote.start):
        return None
    end = quote.end
    while _within_word(review.text, end):
        end += 1
    return Quote.cut(review, quote.start, end)


def _within_word(text: str, at: int) -> bool:
    """Only of scripts that have capitals: those put spaces between words."""
    return 0 < at < len(text) and all(letter.isupper() or letter.islower() or letter.isdigit() for letter in text[at - 1 : at + 1])


def _place(aspect: Aspect) -> tuple[int, int]:
    return aspect.quote.start, aspect.quote.end


def _aspect(finding: Finding, quote: Quote) -> Aspect:
    sentiment = finding.sentiment if finding.kind is AspectKind.QUALITY else Sentiment.NEUTRAL
    label = _label(finding.label) or _label(quote.text)
    return Aspect(kind=finding.kind, sentiment=sentiment, label=label, quote=quote)


def _label(text: str) -> str:
    return " ".join(plain(text).split()[:LABEL_WORDS])[:LONGEST_LABEL].strip()
