"""The persona steps with a language model: what it reads and writes, and extraction where it fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from persona_core.catalog.store import Catalog
from persona_core.columns import Columns
from persona_core.errors import ModelAnswerBad
from persona_core.files import digest
from persona_core.llm.choice import failures
from persona_core.llm.protocol import LanguageModel
from persona_core.personas.asking import ModelFinder
from persona_core.personas.aspects import rows_of
from persona_core.personas.authoring import author, summary_of
from persona_core.personas.writing import ItemAspects
from persona_core.pipeline import Counts, StepContext
from persona_core.schema import Persona, Review

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _FindingAspects:
    """What the model says that a batch of reviews says."""

    finder: ModelFinder

    def __call__(self, batch: list[Review]) -> dict[str, Any]:
        try:
            found = self.finder.find_batch(batch)
        except ModelAnswerBad as error:
            return {"failed": str(error), "reviews": [review.id for review in batch]}
        return {"rows": [row for one in found for row in rows_of(one)], "dropped": sum(one.dropped for one in found)}


@dataclass(frozen=True, slots=True)
class _WritingPersonas:
    """The personas of one item in the model's words."""

    model: LanguageModel
    summaries: Mapping[str, str]

    def __call__(self, item: ItemAspects) -> dict[str, Any]:
        try:
            authored = author(self.model, self.summaries.get(item.item_id, item.item_id), tuple(item.aspects))
        except ModelAnswerBad as error:
            return {"failed": str(error), "personas": [], "refused": 0}
        return {"personas": [one.model_dump(mode="json") for one in authored.personas], "refused": authored.refused}


def asked_aspects(context: StepContext, reviews: Columns[Review], model: LanguageModel) -> tuple[Rows, Columns[Review], Counts]:
    """The rows of all aspects, the reviews that the model failed at, and what there is to count."""
    finder = ModelFinder(model)
    batches = finder.batches(reviews)
    key = lambda batch: digest(repr([review.id for review in batch]).encode())  # noqa: E731
    answers = list(context.map(_FindingAspects(finder), batches, key=key, unit="batches"))
    failed = {name for answer in answers if "failed" in answer for name in answer["reviews"]}
    rows = [row for answer in answers for row in answer.get("rows", ())]
    counts: Counts = {"dropped": sum(answer.get("dropped", 0) for answer in answers), "by": model.name}
    unread = [row for row, name in enumerate(reviews.column("review_id")) if name in failed]
    return rows, reviews.some(unread), counts | failures(answers)


def asked_personas(
    context: StepContext, catalog: Catalog, items: Sequence[ItemAspects], model: LanguageModel
) -> tuple[dict[str, list[Persona]], Counts]:
    """The model's personas by item, and what there is to count; an item that it failed at is not among them."""
    speaking = [item for item in items if item.aspects]
    writing = _WritingPersonas(model, {item.id: summary_of(item) for item in catalog.all_items()})
    answers = list(context.map(writing, speaking, key=lambda item: item.item_id, unit="items"))
    written = {
        item.item_id: [Persona.model_validate(one) for one in answer["personas"]]
        for item, answer in zip(speaking, answers, strict=True)
        if answer["personas"]
    }
    counts: Counts = {"refused": sum(answer["refused"] for answer in answers), "by": model.name}
    return written, {**counts, **failures(answers), "items by extraction": len(speaking) - len(written)}
