"""Writes the personas of a whole catalogue without a language model: groups the voices of each item, then words them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from persona_core.personas.aspects import KeptAspect
from persona_core.personas.grouping import Field, Group, group
from persona_core.personas.needs import Need, read_needs
from persona_core.personas.reading import Judge
from persona_core.personas.reading.judge import evidence_of
from persona_core.personas.wording import Book, persona_of
from persona_core.schema import AspectKind, Persona
from persona_core.text.encoder import BaseEncoder, Matrix
from persona_core.text.phrases import Telling

RAREST = 1e-4
SHARES = {AspectKind.PREFERENCE: 1.5, AspectKind.PURPOSE: 1.5}
Tell = Callable[[int, int, str], None]
Each = Callable[[Callable[["ItemAspects"], Any], Sequence["ItemAspects"]], Iterable[Any]]
"""Does the work for each item, in their order."""


@dataclass(frozen=True, slots=True)
class ItemAspects:
    """What is said of one item; `rows` are the positions of its aspects in the matrix of topics."""

    item_id: str
    scenario: str
    aspects: tuple[KeptAspect, ...]
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Ground:
    """What the field of every item is laid out from."""

    topics: Matrix
    evidence: Matrix
    kinship: Matrix
    bearings: Matrix
    middle: Matrix
    usual: Mapping[str, Matrix]

    @classmethod
    def of(cls, items: Sequence[ItemAspects], topics: Matrix, judge: Judge) -> Self:
        chances = judge.need.chances(topics) if len(topics) else np.zeros((0, len(judge.need_ids)), np.float32)
        evidence = evidence_of(chances)
        middle: Matrix = topics.mean(0) if len(topics) else np.zeros(judge.bearings.shape[1], np.float32)
        return cls(topics, evidence, kinship_of(judge), judge.bearings, middle, _usual(items, evidence))

    def field(self, item: ItemAspects) -> Field:
        return Field(
            topics=self.topics[list(item.rows)],
            needs=self.evidence[list(item.rows)],
            shares=np.array([SHARES.get(one.aspect.kind, 1.0) for one in item.aspects], np.float32),
            kinship=self.kinship,
            bearings=self.bearings,
            middle=self.middle,
            usual=self.usual[item.scenario],
        )


@dataclass(frozen=True, slots=True)
class _Grouping:
    """The groups of one item, as JSON can say them."""

    ground: Ground

    def __call__(self, item: ItemAspects) -> list[Any]:
        return [one.as_list() for one in group(item.aspects, self.ground.field(item))] if item.aspects else []


def write_personas(
    items: Sequence[ItemAspects], topics: Matrix, judge: Judge, encoder: BaseEncoder, tell: Tell, each: Each = map
) -> Iterator[tuple[str, list[Persona]]]:
    """The personas of each item, in order; an item of which nothing usable is said has none."""
    ground = Ground.of(items, topics, judge)
    grouped = [
        (item, [Group.from_list(one) for one in groups])
        for item, groups in zip(items, each(_Grouping(ground), items), strict=True)
    ]  # fmt: skip
    needs = read_needs()
    book = Book(
        needs,
        _vectors_of_names(needs, encoder),
        Telling([[item.aspects[row].text for row in one.rows] for item, groups in grouped for one in groups]),
    )
    number = 0
    for done, (item, groups) in enumerate(grouped):
        taken: set[str] = set()
        field = ground.field(item)
        personas = []
        for one in groups:
            persona = persona_of(one, number, item.aspects, field, book, taken)
            taken.add(persona.name)
            personas.append(persona)
            number += 1
        tell(done + 1, len(items), "items")
        yield item.item_id, personas


def _vectors_of_names(needs: Sequence[Need], encoder: BaseEncoder) -> tuple[Matrix, ...]:
    """Of each need's names; encoded all at once, which costs a tenth of one call a need."""
    vectors = encoder.topics([name for need in needs for name in need.names])
    return tuple(np.split(vectors, np.cumsum([len(need.names) for need in needs])[:-1]))


def kinship_of(judge: Judge) -> Matrix:
    """How alike the needs are, by the weights that tell them apart."""
    weights = judge.need.weights.T
    weights = weights - weights.mean(0)
    weights = weights / np.linalg.norm(weights, axis=1, keepdims=True)
    kinship: Matrix = weights @ weights.T
    return kinship


def _usual(items: Sequence[ItemAspects], evidence: Matrix) -> Mapping[str, Matrix]:
    """How common each need is in each scenario, in logs: every review has one say."""
    says: dict[str, list[Matrix]] = {}
    for item in items:
        by_review: dict[str, list[int]] = {}
        for one, row in zip(item.aspects, item.rows, strict=True):
            by_review.setdefault(one.aspect.quote.review_id, []).append(row)
        for rows in by_review.values():
            total = evidence[rows].sum(0) / len(rows) ** 0.5
            raised = np.exp(total - total.max())
            says.setdefault(item.scenario, []).append(raised / raised.sum())
    width = evidence.shape[1]
    nothing: Matrix = np.zeros(width, np.float32)
    scenarios = {item.scenario for item in items}
    return {
        name: np.log(np.maximum(np.mean(says[name], axis=0), RAREST)).astype(np.float32) if name in says else nothing
        for name in scenarios
    }
