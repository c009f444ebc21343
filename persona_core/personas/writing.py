"""Writes the personas of a whole catalogue without a language model: groups the voices of each item, then words them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple, Self

import numpy as np

from persona_core.columns import Columns, rows_by
from persona_core.personas.aspects import KeptAspect
from persona_core.personas.grouping import Field, Group, group
from persona_core.personas.needs import Need, read_needs
from persona_core.personas.reading import Judge
from persona_core.personas.reading.judge import beyond
from persona_core.personas.wording import Book, persona_of
from persona_core.schema import AspectKind, Persona
from persona_core.text.encoder import BaseEncoder, Matrix
from persona_core.text.phrases import Telling
from persona_core.text.stored import Rows, blocks_of

RAREST = 1e-4
SHARES = {AspectKind.PREFERENCE: 1.5, AspectKind.PURPOSE: 1.5}
Tell = Callable[[int, int, str], None]
Each = Callable[[Callable[["Unread"], Any], Sequence["Unread"]], Iterable[Any]]
"""Does the work for each item, in their order."""


@dataclass(frozen=True, slots=True)
class ItemAspects:
    """What is said of one item; `rows` are the positions of its aspects among the topics."""

    item_id: str
    scenario: str
    aspects: Columns[KeptAspect]
    rows: Sequence[int]


@dataclass(frozen=True, slots=True)
class Ground:
    """What the field of every item is laid out from."""

    topics: Rows
    judge: Judge
    chances: Matrix
    """The usual ones, of each need."""
    kinship: Matrix
    middle: Matrix
    usual: Mapping[str, Matrix]

    @classmethod
    def of(cls, items: Sequence[ItemAspects], topics: Rows, judge: Judge) -> Self:
        chances = usual_chances(judge, topics)
        middle: Matrix = topics.mean(0) if len(topics) else np.zeros(judge.bearings.shape[1], np.float32)
        ground = cls(topics, judge, chances, kinship_of(judge), middle, {})
        return replace(ground, usual=_usual(items, ground))

    def evidence(self, topics: Matrix) -> Matrix:
        """How much more each speaks of each need than all usually do, in logs."""
        return beyond(self.judge.need.chances(topics), self.chances)

    def spoken(self, item: ItemAspects) -> Spoken:
        aspects, topics = tuple(item.aspects), self.topics[list(item.rows)]
        field = Field(
            topics=topics,
            needs=self.evidence(topics),
            shares=np.array([SHARES.get(one.aspect.kind, 1.0) for one in aspects], np.float32),
            kinship=self.kinship,
            bearings=self.judge.bearings,
            middle=self.middle,
            usual=self.usual[item.scenario],
        )
        return Spoken(aspects, field)


class Spoken(NamedTuple):
    """An item's aspects with their field."""

    aspects: tuple[KeptAspect, ...]
    field: Field


class Unread:
    """An item whose field is laid out when it is needed. On its way to a worker it is, and takes nothing else along."""

    def __init__(self, item_id: str, spoken: Callable[[], Spoken]) -> None:
        self.item_id = item_id
        self.spoken = spoken

    def __reduce__(self) -> tuple[Callable[..., Unread], tuple[str, Spoken]]:
        return _read, (self.item_id, self.spoken())


def _read(item_id: str, spoken: Spoken) -> Unread:
    return Unread(item_id, lambda: spoken)


def groups_of(item: Unread) -> list[Any]:
    """The groups of one item, as JSON can say them."""
    spoken = item.spoken()
    return [one.as_list() for one in group(*spoken)] if spoken.aspects else []


def write_personas(
    items: Sequence[ItemAspects], topics: Rows, judge: Judge, encoder: BaseEncoder, tell: Tell, each: Each = map
) -> Iterator[tuple[str, list[Persona]]]:
    """The personas of each item, in order; an item of which nothing usable is said has none."""
    ground = Ground.of(items, topics, judge)
    unread = [Unread(item.item_id, partial(ground.spoken, item)) for item in items]
    grouped = [(item, groups) for item, groups in zip(items, each(groups_of, unread), strict=True) if groups]
    needs = read_needs()
    said = (
        [texts[row] for row in Group.from_list(one).rows]
        for item, groups in grouped
        for texts in [item.aspects.column("text")]
        for one in groups
    )
    book = Book(needs, _vectors_of_names(needs, encoder), Telling(said))
    number = 0
    for done, (item, groups) in enumerate(grouped, start=1):
        taken: set[str] = set()
        spoken = ground.spoken(item)
        personas = []
        for one in groups:
            persona = persona_of(Group.from_list(one), number, *spoken, book, taken)
            taken.add(persona.name)
            personas.append(persona)
            number += 1
        tell(done, len(grouped), "items")
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


def usual_chances(judge: Judge, topics: Rows) -> Matrix:
    """Of each need, over all topics."""
    total = np.zeros(len(judge.need_ids))
    for block in blocks_of(topics):
        total += judge.need.chances(topics[block]).sum(0, dtype=np.float64)
    found: Matrix = (total / max(1, len(topics))).astype(np.float32)
    return found


def _usual(items: Sequence[ItemAspects], ground: Ground) -> Mapping[str, Matrix]:
    """How common each need is in each scenario, in logs: every review has one say."""
    says: dict[str, Matrix] = {}
    many: Counter[str] = Counter()
    for item in items:
        by_review = rows_by(item.aspects.column("review_id"))
        evidence = ground.evidence(ground.topics[list(item.rows)])
        for rows in by_review.values():
            total = evidence[rows].sum(0) / len(rows) ** 0.5
            raised = np.exp(total - total.max())
            says[item.scenario] = says.get(item.scenario, 0.0) + raised / raised.sum()
            many[item.scenario] += 1
    nothing: Matrix = np.zeros(len(ground.chances), np.float32)
    return {
        name: np.log(np.maximum(says[name] / many[name], RAREST)).astype(np.float32) if name in says else nothing
        for name in {item.scenario for item in items}
    }
