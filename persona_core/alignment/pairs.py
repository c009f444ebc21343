"""Pairs to learn from: a profile without the item, and the personas of an item that its person liked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from persona_core.alignment.head import Head, unit
from persona_core.alignment.taste import rows_of, weighted, words_of
from persona_core.profiles.building import Rules, chosen_needs, drafted
from persona_core.profiles.evidence import DAY, NeedEvidence, Visit, pleased, recency
from persona_core.schema import Persona, Profile, Stance
from persona_core.text.encoder import DIMENSION, Matrix
from persona_core.text.stored import Rows

LIKED = pleased(3.5)
"""How pleased somebody must have been for the item to count as liked, as in evaluation; who gave no stars did choose it."""
Codes = npt.NDArray[np.int32]
NOBODY = -1
MOST_VISITS = 30_000
"""Of so many in all a small linear head learns what there is to learn; beyond that, people are drawn."""


@dataclass(frozen=True, slots=True)
class World:
    """What pairs are made from: one side of a split, and nothing beyond it."""

    items: tuple[str, ...]
    personas: Sequence[Persona]
    vectors: Matrix
    """Of the personas."""
    visits: Mapping[str, Sequence[Visit]]
    known: NeedEvidence
    topics: Rows
    """Of the aspects."""
    now: int

    @property
    def persona_items(self) -> Codes:
        code = {item: place for place, item in enumerate(self.items)}
        return np.array([code[one.item_id] for one in self.personas], np.int32)

    @property
    def disappoints(self) -> npt.NDArray[np.bool_]:
        return np.array([one.stance is Stance.DISAPPOINTS for one in self.personas], bool)


@dataclass(frozen=True, slots=True)
class Pairs:
    """One row a pair; what is known of the person leaves the pair's own item out."""

    users: tuple[str, ...]
    user: Codes
    item: Codes
    words: Matrix
    fears: Matrix
    past: Matrix
    persona: Codes
    """The persona that the person's own review of the item lies closest to; NOBODY where they wrote none."""
    own: tuple[Codes, ...]
    """By user: all items they came to, which are no negatives."""

    def __len__(self) -> int:
        return len(self.item)


def with_fewer_people(world: World, seed: int, most: int = MOST_VISITS) -> World:
    """The world with so many drawn people that they have about `most` visits; all of them, where there are no more."""
    left = most
    drawn: dict[str, Sequence[Visit]] = {}
    if sum(map(len, world.visits.values())) <= most:
        return world
    users = sorted(world.visits)
    for place in np.random.default_rng(seed).permutation(len(users)).tolist():
        if left <= 0:
            break
        drawn[users[place]] = world.visits[users[place]]
        left -= len(world.visits[users[place]])
    return replace(world, visits=drawn)


def item_middles(items: Sequence[str], personas: Sequence[Persona], vectors: Matrix, head: Head) -> Matrix:
    """For each item, the middle of those whom it suits, at length 1; zeros where it suits nobody that we know of."""
    code = {item: place for place, item in enumerate(items)}
    middles: Matrix = np.zeros((len(items), DIMENSION), np.float32)
    for persona, vector in zip(personas, unit(vectors - head.middle_of_personas), strict=True):
        if persona.stance is not Stance.DISAPPOINTS:
            middles[code[persona.item_id]] += persona.weight * vector
    return unit(middles)


def past_weights(visits: Sequence[Visit], now: int, half_life_days: float) -> dict[int, float]:
    """How much each item of a history counts, by its code: the newer and the more pleasing, the more."""
    weights: dict[int, float] = {}
    for visit in visits:
        weights[visit.item] = visit.pleased * recency((now - visit.time) / DAY, half_life_days)
    return weights


def pairs_of(
    world: World, head: Head, encode: Callable[[Sequence[str]], Matrix], is_fault: Callable[[str], bool], rules: Rules | None = None
) -> Pairs:
    """Every liked item of everybody who came to at least one other."""
    rules = rules or Rules()
    middles = item_middles(world.items, world.personas, world.vectors, head)
    hindsight = _Hindsight(world, head)
    users = tuple(sorted(user for user, visits in world.visits.items() if len({visit.item for visit in visits}) > 1))
    rows: list[tuple[int, int, Matrix, Matrix, Matrix, int]] = []
    for number, user in enumerate(users):
        visits = world.visits[user]
        without = drafts_without(world, user, rules)
        weights = past_weights(visits, world.now, rules.half_life_days)
        done = rows_of([middles[item] * weight for item, weight in weights.items()]).sum(0)
        for item in sorted({visit.item for visit in visits if visit.pleased >= LIKED}):
            said, feared = pooled(without(item), head, encode, is_fault)
            past = unit(done - middles[item] * weights[item])
            rows.append((number, item, said, feared, past, hindsight.persona([v for v in visits if v.item == item], item)))
    return _stacked(users, rows, [np.array(sorted({v.item for v in world.visits[user]}), np.int32) for user in users])


def drafts_without(world: World, user: str, rules: Rules) -> Callable[[int], Profile]:
    """For each item, the person's profile in words as it would be had they never come to it."""
    visits = world.visits[user]
    wants, woes = world.known.lift_rows(visits, world.now, rules.half_life_days, rules.own_say)

    def without(item: int) -> Profile:
        others = np.array([visit.item != item for visit in visits])
        return drafted(user, chosen_needs(wants[others].sum(0), woes[others].sum(0), rules))

    return without


def spoken_pairs(world: World, head: Head, users: tuple[str, ...]) -> Pairs:
    """What reviewers say in praise of an item, as if it were all that somebody wished for: so that free words are understood.

    The built profiles know the phrases of some dozens of needs; people type others. No person is known of these pairs.
    """
    said = [
        (row, visit.item)
        for visits in world.visits.values()
        for visit in visits
        if visit.pleased >= LIKED
        for row in visit.rows
        if not world.known.faults[row]
    ]
    rows, items = (np.array(column, np.int32) for column in zip(*said, strict=True)) if said else (np.empty(0, np.int32),) * 2
    nothing: Matrix = np.zeros((len(rows), DIMENSION), np.float32)
    words = unit(world.topics[rows] - world.topics.mean(0)) if len(rows) else nothing
    own = tuple(np.array([item], np.int32) for item in range(len(world.items)))
    return Pairs(users, items, items, words, nothing, nothing, np.full(len(rows), NOBODY, np.int32), own)


def pooled(
    profile: Profile, head: Head, encode: Callable[[Sequence[str]], Matrix], is_fault: Callable[[str], bool]
) -> tuple[Matrix, Matrix]:
    """What attracts and what is feared in a profile's words, each at length 1, before any map: as `taste_of` sums them."""
    words = words_of(profile, is_fault)
    vectors = encode(words.texts)
    middle = len(words.components)
    return (
        unit(weighted(vectors[:middle], words.components, head).sum(0)),
        unit(weighted(vectors[middle:], words.feared, head).sum(0)),
    )


def _stacked(users: tuple[str, ...], rows: Sequence[tuple[int, int, Matrix, Matrix, Matrix, int]], own: Sequence[Codes]) -> Pairs:
    user, item, words, fears, past, persona = zip(*rows, strict=True) if rows else ((),) * 6
    return Pairs(
        users, np.array(user, np.int32), np.array(item, np.int32), rows_of(words), rows_of(fears), rows_of(past),
        np.array(persona, np.int32), tuple(own),
    )  # fmt: skip


class _Hindsight:
    """The teacher that has read the review: which of an item's personas its writer turned out to be."""

    def __init__(self, world: World, head: Head) -> None:
        self._topics = world.topics
        self._middle = world.topics.mean(0) if len(world.topics) else 0.0
        self._faults = world.known.faults
        self._vectors = unit(world.vectors - head.middle_of_personas)
        self._of_item: dict[int, list[int]] = {}
        for row, (item, disappoints) in enumerate(zip(world.persona_items, world.disappoints, strict=True)):
            if not disappoints:
                self._of_item.setdefault(int(item), []).append(row)

    def persona(self, visits: Sequence[Visit], item: int) -> int:
        rows = [row for visit in visits for row in visit.rows if not self._faults[row]]
        personas = self._of_item.get(item, [])
        if not rows or not personas:
            return NOBODY
        near = self._vectors[personas] @ (self._topics[rows] - self._middle).sum(0)
        return personas[int(near.argmax())]
