"""Where rankers meet: the same cases for all of them, what each may know, and what they are measured by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from persona_core.alignment.head import Head, unit
from persona_core.alignment.matching import best_of_items, matches, wants_of
from persona_core.alignment.pairs import World, item_middles, past_weights, pooled
from persona_core.alignment.phrases import PhraseBook
from persona_core.alignment.taste import rows_of
from persona_core.catalog.store import Catalog
from persona_core.evaluation import ranking_metrics as measured
from persona_core.evaluation.cases import Case
from persona_core.evaluation.statistics import Comparison, clustered_interval, compare
from persona_core.profiles.building import Rules, chosen_needs, drafted
from persona_core.profiles.evidence import Visit, visits_of
from persona_core.ranking.interactions import Interactions
from persona_core.schema import Profile
from persona_core.text.encoder import Matrix
from persona_core.workspace import Workspace

Scores = npt.NDArray[np.float32]
KS = (5, 10, 20)
COLD, WARM = 4, 10
"""Histories shorter than the first are cold, from the second on warm."""


class Asked(NamedTuple):
    """What is known of the people who ask, as vectors; one row a case."""

    words: Matrix
    fears: Matrix
    past: Matrix


@dataclass(frozen=True)
class Arena:
    """One split of one data set: a world that does not know the future, and the questions about it."""

    name: str
    world: World
    catalog: Catalog
    """What the cut left: texts and interactions to learn from."""
    cases: tuple[Case, ...]
    visits: tuple[tuple[Visit, ...], ...]
    """By case: what its person did before its moment."""
    seed: int = 7

    @cached_property
    def code(self) -> dict[str, int]:
        return {item: place for place, item in enumerate(self.world.items)}

    @cached_property
    def targets(self) -> npt.NDArray[np.int64]:
        return np.array([self.code[case.target] for case in self.cases], np.int64)

    @cached_property
    def histories(self) -> list[npt.NDArray[np.int32]]:
        return [np.array([self.code[item] for item in case.history], np.int32) for case in self.cases]

    @cached_property
    def moments(self) -> list[int]:
        return [case.moment for case in self.cases]

    @cached_property
    def interactions(self) -> Interactions:
        return Interactions.of(self.catalog.reviews(["user_id", "item_id", "rating", "time"]), self.world.items)

    @cached_property
    def popularity(self) -> npt.NDArray[np.int64]:
        return np.bincount(self.interactions.item, minlength=len(self.world.items))

    @cached_property
    def popularity_then(self) -> list[npt.NDArray[np.int64]]:
        """By case: how often people had come to each item by its moment."""
        known: dict[int, npt.NDArray[np.int64]] = {}
        for moment in sorted(set(self.moments)):
            before = self.interactions.until(moment)
            known[moment] = np.bincount(before.item, minlength=len(self.world.items))
        return [known[moment] for moment in self.moments]

    @property
    def people(self) -> list[str]:
        return [case.user_id for case in self.cases]

    @cached_property
    def profiles(self) -> tuple[Profile, ...]:
        """By case: the profile in words that its person would have had at its moment."""
        rules, found = Rules(), []
        for case, visits in zip(self.cases, self.visits, strict=True):
            wants, woes = self.world.known.lift_rows(visits, case.moment, rules.half_life_days, rules.own_say)
            found.append(drafted(case.user_id, chosen_needs(wants.sum(0), woes.sum(0), rules)))
        return tuple(found)

    def asked(self, head: Head, book: PhraseBook) -> Asked:
        """Everybody's words and past, by the same building and pooling as in training and in the app."""
        middles = item_middles(self.world.items, self.world.personas, self.world.vectors, head)
        rows = []
        for case, visits, profile in zip(self.cases, self.visits, self.profiles, strict=True):
            weights = past_weights(visits, case.moment, Rules().half_life_days)
            past = unit(rows_of([middles[item] * weight for item, weight in weights.items()]).sum(0))
            rows.append((*pooled(profile, head, book.vectors, book.is_fault), past))
        words, fears, pasts = zip(*rows, strict=True)
        return Asked(rows_of(words), rows_of(fears), rows_of(pasts))


def in_world(arena: Arena, world: World) -> Arena:
    """The same cases met with another world: what somebody's reviews say is what that world read in them."""
    said = {visit.review_id: visit.rows for visits in world.visits.values() for visit in visits}
    visits = tuple(tuple(replace(visit, rows=said.get(visit.review_id, ())) for visit in own) for own in arena.visits)
    return replace(arena, world=world, visits=visits)


def arena_of(name: str, source: Workspace, cut: Workspace, world: World, cases: Sequence[Case]) -> Arena:
    """The cases whose target is in the world; visits come from the source, but only from before each case's moment."""
    code = {item: place for place, item in enumerate(world.items)}
    reviews = Catalog.of(source.artefact("catalog")).reviews(["review_id", "user_id", "item_id", "rating", "time"])
    asking = {case.user_id for case in cases}
    reviews = reviews[reviews["user_id"].isin(asking) & reviews["item_id"].isin(code)]
    said = {visit.review_id: list(visit.rows) for visits in world.visits.values() for visit in visits if visit.rows}
    visits = visits_of(reviews, code, said)
    kept = [_within(case, code) for case in cases if case.target in code]
    kept = [case for case in kept if case.history]
    before = tuple(tuple(visit for visit in visits[case.user_id] if visit.time < case.moment) for case in kept)
    return Arena(name, world, Catalog.of(cut.artefact("catalog")), tuple(kept), before)


def _within(case: Case, code: dict[str, int]) -> Case:
    history = tuple(item for item in case.history if item in code)
    return Case(case.user_id, case.moment, history, case.target, case.scenario)


# Scores ----------------------------------------------------------------------------------------------------------------


class TasteScores(NamedTuple):
    suits: Scores
    """Each item's best match among those whom it suits; -1 where it has none."""
    wrong: Scores
    """Each item's closest disappointing match, at least 0."""

    def total(self, penalty: float) -> Scores:
        return self.suits - np.float32(penalty) * self.wrong


def taste_scores(world: World, head: Head, asked: Asked, mix: float = 0.5) -> TasteScores:
    wants = wants_of(head, asked.words, asked.past, mix)
    suits, alarms = matches(head.of_personas(world.vectors), wants, unit(head.words(asked.fears)))
    items, wrong = world.persona_items, world.disappoints
    return TasteScores(
        best_of_items(suits[:, ~wrong], items[~wrong], len(world.items), -1.0),
        np.maximum(best_of_items(alarms[:, wrong], items[wrong], len(world.items), 0.0), 0.0),
    )


# Measures --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Result:
    """How one ranker did, case by case."""

    name: str
    ranks: npt.NDArray[np.int64]
    top: npt.NDArray[np.int64]


def result_of(arena: Arena, name: str, scores: Scores, pools: Sequence[Any] | None = None) -> Result:
    ranks = measured.ranks(scores, arena.targets, arena.histories, pools)
    return Result(name, ranks, measured.top_k(scores, 10, arena.histories, pools))


def row_of(arena: Arena, result: Result) -> dict[str, Any]:
    """One line of the table: all measures, with the interval of the one that counts."""
    gains = measured.ndcg(result.ranks, 10)
    interval = clustered_interval(gains, arena.people, seed=arena.seed)
    row: dict[str, Any] = {"ranker": result.name}
    row |= {f"HR@{k}": float(measured.hit(result.ranks, k).mean()) for k in KS}
    row |= {f"NDCG@{k}": float(measured.ndcg(result.ranks, k).mean()) for k in KS}
    row |= {"low": interval.low, "high": interval.high, "MRR": float(measured.reciprocal(result.ranks).mean())}
    row["coverage"] = measured.coverage(result.top, len(arena.world.items))
    row["novelty"] = measured.novelty(result.top, arena.popularity)
    return row


def compared(arena: Arena, one: Result, other: Result) -> Comparison:
    """NDCG@10, paired case by case, drawn person by person."""
    return compare(measured.ndcg(one.ranks, 10), measured.ndcg(other.ranks, 10), seed=arena.seed, groups=arena.people)


def slice_rows(arena: Arena, results: Sequence[Result]) -> list[dict[str, Any]]:
    """NDCG@10 by kind of person and by kind of item."""
    slices = measured.slices(
        [len(history) for history in arena.histories], arena.popularity_then, arena.targets, cold_below=COLD, warm_from=WARM
    )
    rows = []
    for labels in (slices.users, slices.items):
        for label in sorted(set(labels)):
            which = labels == label
            row: dict[str, Any] = {"slice": str(label), "cases": int(which.sum())}
            rows.append(row | {one.name: float(measured.ndcg(one.ranks, 10)[which].mean()) for one in results})
    return rows


def pool_rows(
    arena: Arena, pooling: Scores, rankers: Sequence[tuple[str, Scores]], sizes: Sequence[int] = (20, 100)
) -> list[dict[str, Any]]:
    """Reranking the first so many of one generator: beside each result, the best that any reranker could do."""
    rows = []
    for size in sizes:
        pools = list(measured.top_k(pooling, size, arena.histories))
        best = measured.ceiling(pools, arena.targets)
        for name, scores in rankers:
            ranks = measured.ranks(scores, arena.targets, arena.histories, pools)
            rows.append(
                {
                    "pool": size,
                    "ranker": name,
                    "HR@10": float(measured.hit(ranks, 10).mean()),
                    "NDCG@10": float(measured.ndcg(ranks, 10).mean()),
                    "ceiling": best,
                }
            )
    return rows
