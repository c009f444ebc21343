"""What a way to see somebody is worth: how much higher it puts what they came to next than their newest visits alone put it.

Everything else stays the same: the personas, the trained head, habits and popularity, all from before the moment. A gain is counted in
doublings: 1 means that the next item came to stand at half its rank. It is averaged over several next items, each among the
whole catalogue and among drawn sets, and its error is estimated from how far the next items differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from persona_core.alignment.head import Head, unit
from persona_core.alignment.matching import best_of_items, matches, wants_of
from persona_core.alignment.pairs import World, item_middles, past_weights, pooled
from persona_core.alignment.phrases import PhraseBook
from persona_core.alignment.taste import rows_of, said_in
from persona_core.evaluation.ranking_metrics import ranks
from persona_core.profiles.building import HALF_LIFE_DAYS
from persona_core.profiles.evidence import Visit
from persona_core.ranking.interactions import Interactions
from persona_core.ranking.parts import Weights, scored
from persona_core.ranking.popularity import RecentPopularity
from persona_core.ranking.scorer import Scorer
from persona_core.ranking.steps import fitted_habit
from persona_core.schema import Frozen, Profile
from persona_core.text.encoder import DIMENSION, Matrix

Numbers = npt.NDArray[np.float64]
FIRST = 20
"""A next item counts as found among so many of the whole catalogue."""
SETS, SET_SIZE = 3, 100
"""So many drawn sets beside the whole catalogue, each of so many items."""
RENOWN = 0.75
"""Sets are drawn by popularity to this power: among items that nobody knows everything is easy."""


class Person(NamedTuple):
    """Somebody at a moment: what lies before it, and what they came to after."""

    user_id: str
    moment: int
    older: tuple[Visit, ...]
    recent: tuple[Visit, ...]
    next: tuple[int, ...]
    """Liked items that they came to first after the moment, in that order."""


class Worth(Frozen):
    """What one way to see one person did."""

    gain: float
    error: float | None
    """Its standard error; None where one next item says nothing of that."""
    found: int
    """So many of the next items stand among the first of the whole catalogue."""
    cases: int
    gains: tuple[float, ...]
    """By next item: two ways are compared item by item."""


@dataclass(frozen=True)
class RankingJudge:
    """Knows nothing from the moment on."""

    world: World
    head: Head
    book: PhraseBook
    habit: Scorer
    recent: RecentPopularity
    weights: Weights
    half_life_days: float = HALF_LIFE_DAYS
    mix: float = 0.5
    seed: int = 7

    @classmethod
    def of(
        cls, world: World, head: Head, book: PhraseBook, interactions: Interactions, weights: Weights, seed: int = 7
    ) -> RankingJudge:
        popular = RecentPopularity.fit(interactions, half_life_days=30.0)
        return cls(world, head, book, fitted_habit(interactions), popular, weights, seed=seed)

    def knowing(self, profiles: Iterable[Profile]) -> Self:
        """One that has read all of these at once: people say much of the same."""
        return replace(self, book=self.book.ahead(said_in(profiles)))

    def worths(self, person: Person, profiles: Sequence[Profile]) -> tuple[int, list[Worth]]:
        """How many next items are found by the newest visits alone, and what each profile adds to them."""
        scores = self.scores(person, profiles)
        places = self._places(person, scores)
        gains = np.log2(places[:1]) - np.log2(places)  # profiles x next items x sets
        found = (places[:, :, 0] <= FIRST).sum(1)
        by_item = gains.mean(2)
        return int(found[0]), [_worth(row, int(hits)) for row, hits in zip(by_item[1:], found[1:], strict=True)]

    def scores(self, person: Person, profiles: Sequence[Profile]) -> Numbers:
        """Of every item: in the first row by the newest visits alone, then with each profile beside them."""
        book = self.book.ahead(said_in(profiles))
        nothing: Matrix = np.zeros(DIMENSION, np.float32)
        said = [(nothing, nothing), *(pooled(one, self.head, book.vectors, book.is_fault) for one in profiles)]
        words, fears = (rows_of(column) for column in zip(*said, strict=True))
        past = np.repeat(self._past(person)[None], len(said), 0)
        suits, wrong = self._taste(wants_of(self.head, words, past, self.mix), unit(self.head.words(fears)))
        met = np.array([visit.item for visit in person.recent], np.int32)
        habit = self.habit.scores([met], [person.moment])[0]
        popular = self.recent.scores([met], [person.moment])[0]
        rows = [scored(suits[row], wrong[row], self.head.penalty, habit, popular, self.weights).totals for row in range(len(said))]
        return np.array(rows)

    @cached_property
    def _middles(self) -> Matrix:
        return item_middles(self.world.items, self.world.personas, self.world.vectors, self.head)

    @cached_property
    def _personas(self) -> tuple[Matrix, npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
        """As profiles meet them; whose item each is; which were let down."""
        return self.head.of_personas(self.world.vectors), self.world.persona_items, self.world.disappoints

    def _past(self, person: Person) -> Matrix:
        weights = past_weights(person.recent, person.moment, self.half_life_days)
        past: Matrix = unit(rows_of([self._middles[item] * weight for item, weight in weights.items()]).sum(0))
        return past

    def _taste(self, wants: Matrix, fears: Matrix) -> tuple[Matrix, Matrix]:
        mapped, items, wrong = self._personas
        suits, alarms = matches(mapped, wants, fears)
        many = len(self.world.items)
        return (
            best_of_items(suits[:, ~wrong], items[~wrong], many, np.nan),
            np.maximum(best_of_items(alarms[:, wrong], items[wrong], many, 0.0), 0.0),
        )

    def _places(self, person: Person, scores: Numbers) -> Numbers:
        """Rows by next items by sets: the rank of that item in that set, the whole catalogue first."""
        pools = self._pools(person)
        found = [
            [ranks(scores, np.full(len(scores), item), pools=[pool] * len(scores)) for pool in own]
            for item, own in zip(person.next, pools, strict=True)
        ]
        return np.array(found, np.float64).transpose(2, 0, 1)

    def _pools(self, person: Person) -> list[list[npt.NDArray[np.int64]]]:
        """For each next item the sets that it is to stand out from: nothing met before, and no other next item."""
        met = {visit.item for visit in (*person.older, *person.recent)} | set(person.next)
        strangers = np.array([item for item in range(len(self.world.items)) if item not in met], np.int64)
        known = self.recent.scores([np.empty(0, np.int32)], [person.moment])[0].astype(np.float64)[strangers]
        renown = (1.0 + known) ** RENOWN
        rng = np.random.default_rng([self.seed, person.moment % 2**31, *person.user_id.encode()])
        size = min(SET_SIZE - 1, len(strangers))
        drawn = [
            rng.choice(strangers, size, replace=False, p=renown / renown.sum() if size else None)
            for _ in range(SETS * len(person.next))
        ]
        return [
            [np.append(strangers, item), *(np.append(one, item) for one in drawn[SETS * place : SETS * (place + 1)])]
            for place, item in enumerate(person.next)
        ]


def _worth(gains: Numbers, found: int) -> Worth:
    error = float(gains.std(ddof=1) / len(gains) ** 0.5) if len(gains) > 1 else None
    return Worth(
        gain=round(float(gains.mean()), 4), error=None if error is None else round(error, 4), found=found, cases=len(gains),
        gains=tuple(round(float(one), 4) for one in gains),
    )  # fmt: skip
