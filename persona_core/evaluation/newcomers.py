"""How well somebody is served in a scenario they are new to: their visits there are hidden, and what they came to next is asked for.

The world knows the training period alone. Of each person who came to something they liked later, all earlier visits to that thing's
scenario are taken out of what is known of them; the things of that scenario are ranked by what they did elsewhere. How wishes carry
over is learned from other people: everybody is asked about by tables that never saw them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import orjson

from persona_core.alignment.head import Head
from persona_core.alignment.phrases import PhraseBook
from persona_core.alignment.steps import phrases_known, trained_on
from persona_core.alignment.training import Recipe
from persona_core.catalog.store import Catalog
from persona_core.errors import ArtefactBroken, PersonaError, WorkspaceMissing
from persona_core.evaluation import rankers
from persona_core.evaluation import ranking_metrics as measured
from persona_core.evaluation.arena import Arena, Scores, TasteScores, arena_of, taste_scores
from persona_core.evaluation.cases import Case, Part, point_in_time_cases
from persona_core.evaluation.statistics import clustered_interval, compare
from persona_core.evaluation.worlds import Cut, cut_world, split_moments
from persona_core.files import write_json
from persona_core.profiles.building import Rules
from persona_core.progress import Listener, nobody
from persona_core.ranking.parts import Weights
from persona_core.scenarios.carried import Carrying, fit_of_items
from persona_core.scenarios.knowledge import FEWEST, Ground
from persona_core.scenarios.work import Knowing
from persona_core.settings import DEMO_DATA
from persona_core.workspace import Workspace

FOLDS, MOST_CASES, K = 5, 10, 10
TRIED = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
WITHOUT, WITH, ALONE = "the engine, without what carries over", "the engine, with it", "what carries over, alone"
POPULAR_NOW = "popularity at the moment, 30 days"
FILE = Path("evaluation") / "newcomers.json"
SHIPPED = DEMO_DATA / "newcomers.json"


def judge(source: Workspace, seed: int = 7, listener: Listener = nobody) -> dict[str, Any]:
    """All rankers on the test, with the weight of what carries over chosen on the validation; and what that part added."""
    place = cut_world(source, Cut("point_in_time", ("train",)), listener=listener)
    ground, book = Knowing.of(place).ground, phrases_known(PhraseBook())
    rules = Rules(half_life_days=place.settings.ranking.half_life_days)
    head = trained_on(ground.world, book, rules, Recipe(seed=seed)).head
    tables = [Carrying.learned(ground, among=_folds(ground) != fold) for fold in range(FOLDS)]
    tuning, testing = (_arena(source, place, ground, part, seed) for part in ("valid", "test"))
    tried = _Parts.of(tuning, ground, head, book, tables)
    gains = {weight: _quality(tuning, ground, tried.engine(weight)) for weight in TRIED}
    best = max(gains, key=lambda weight: (gains[weight], -weight))
    parts = _Parts.of(testing, ground, head, book, tables)
    found = {name: _ranks(testing, ground, scores) for name, scores in _all(testing, ground, tables, parts, best)}
    more = compare(measured.ndcg(found[WITH], K), measured.ndcg(found[WITHOUT], K), seed=seed, groups=testing.people)
    return {
        "catalog": source.artefact("catalog").manifest.content, "seed": seed, "weight": best, "cases": len(testing.cases),
        "people": len(set(testing.people)), "tuning": {f"{weight:g}": round(gain, 4) for weight, gain in gains.items()},
        "rows": [_row(testing, ground, name, ranks, seed) for name, ranks in found.items()],
        "more": None if more.relative is None else [round(one, 4) for one in more.relative], "p": round(more.p_value, 5),
    }  # fmt: skip


def judged(workspace: Workspace) -> dict[str, Any]:
    """What was found of this very catalogue, here or, of the demo world, before it shipped; empty where nothing was."""
    try:
        content = workspace.artefact("catalog").manifest.content
    except (WorkspaceMissing, ArtefactBroken):
        return {}
    for file in (workspace.root / FILE, SHIPPED):
        try:
            found = orjson.loads(file.read_bytes())
            if found["catalog"] == content:
                return dict(found)
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return {}


def judge_and_keep(workspace: Workspace, listener: Listener = nobody) -> dict[str, Any]:
    found = judge(workspace, workspace.settings.seed, listener)
    write_json(workspace.root / FILE, found)
    return found


# Cases -------------------------------------------------------------------------------------------------------------------


def _arena(source: Workspace, place: Workspace, ground: Ground, part: Part, seed: int) -> Arena:
    catalog = Catalog.of(source.artefact("catalog"))
    reviews, items = catalog.reviews(["review_id", "user_id", "item_id", "rating", "time"]), catalog.items()
    scenario_of = dict(zip(items["item_id"], items["scenario"], strict=True))
    moments = split_moments(source, reviews)
    cases = []
    for case in point_in_time_cases(reviews, scenario_of, moments, part, most=MOST_CASES):
        elsewhere = _elsewhere(ground, case)
        if elsewhere:
            cases.append(replace(case, moment=int(moments.valid.timestamp()), history=elsewhere))
    if not cases:
        raise PersonaError("Nobody here who knows one scenario came to another.", mend="use data of several scenarios")
    arena = arena_of(part, source, place, ground.world, cases)
    code = {name: at for at, name in enumerate(ground.names)}
    visits = tuple(
        tuple(visit for visit in some if ground.scenario_of[visit.item] != code[case.scenario])
        for case, some in zip(arena.cases, arena.visits, strict=True)
    )
    return replace(arena, visits=visits, seed=seed)


def _elsewhere(ground: Ground, case: Case) -> tuple[str, ...]:
    """What they came to in other scenarios within the training period; nothing where they are at home in none of these."""
    visits = [visit.item for visit in ground.world.visits.get(case.user_id, ())]
    there = [item for item in visits if ground.names[ground.scenario_of[item]] != case.scenario]
    most = max(Counter(ground.scenario_of[item] for item in there).values(), default=0)
    return tuple(dict.fromkeys(ground.world.items[item] for item in there)) if most >= FEWEST else ()


def _folds(ground: Ground) -> npt.NDArray[np.int64]:
    return np.arange(len(ground.users)) % FOLDS


# Scores ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the engine's score is made of, by case and item: worked out once, whatever the weights."""

    taste: TasteScores
    penalty: float
    others: Mapping[str, Scores]
    """By those who look at who came to what."""
    fits: Scores

    @classmethod
    def of(cls, arena: Arena, ground: Ground, head: Head, book: PhraseBook, tables: Sequence[Carrying]) -> Self:
        taste = taste_scores(arena.world, head, arena.asked(head, book))
        return cls(taste, head.penalty, dict(rankers.collaborative(arena)), _fits(arena, ground, tables))

    def engine(self, weight: float) -> Scores:
        """The engine's score as it ships, but for the weight of what carries over."""
        habit, popular = self.others.get("EASE", self.others["item-kNN"]), self.others[POPULAR_NOW]
        weights = replace(Weights(), scenario=weight)
        return rankers.blended(self.taste.suits, self.taste.wrong, self.penalty, habit, popular, weights, scenario=self.fits)


def _all(arena: Arena, ground: Ground, tables: Sequence[Carrying], parts: _Parts, weight: float) -> Iterator[tuple[str, Scores]]:
    wanted = {"random", "popularity", POPULAR_NOW, "item-kNN", "EASE"}
    yield from ((name, scores) for name, scores in parts.others.items() if name in wanted)
    yield "taste", parts.taste.total(parts.penalty)
    yield "the same needs as elsewhere", _fits(arena, ground, tables, same=True)
    yield ALONE, parts.fits
    yield WITHOUT, parts.engine(0.0)
    yield WITH, parts.engine(weight)


def _fits(arena: Arena, ground: Ground, tables: Sequence[Carrying], same: bool = False) -> Scores:
    """By case and item, what the engine's part says; with `same`, wishes go over as they are, without tables."""
    folds, place = _folds(ground), {user: at for at, user in enumerate(ground.users)}
    scenario_of, served = np.array(ground.scenario_of), ground.world.known.of_items
    rows = []
    for case in arena.cases:
        at, here = place[case.user_id], ground.names.index(case.scenario)
        lifts, counts = ground.lifts[at].copy(), ground.counts[at].copy()
        lifts[here], counts[here] = 0.0, 0.0
        carrying = tables[folds[at]]
        wishes = carrying.wishes(lifts, counts)
        if same:
            rows.append(np.where(scenario_of == here, served @ wishes.sum(0), 0.0))
        else:
            rows.append(fit_of_items(carrying, wishes, [here], scenario_of, served))
    return np.array(rows, np.float32)


# Measures ----------------------------------------------------------------------------------------------------------------


def _ranks(arena: Arena, ground: Ground, scores: Scores) -> npt.NDArray[np.int64]:
    """Among the things of the target's scenario that the person had not truly met."""
    pools = []
    scenario_of = np.array(ground.scenario_of)
    for case, target in zip(arena.cases, arena.targets, strict=True):
        met = {visit.item for visit in ground.world.visits[case.user_id]} - {int(target)}
        inside = np.flatnonzero(scenario_of == ground.names.index(case.scenario))
        pools.append(np.array([item for item in inside if int(item) not in met], np.int64))
    return measured.ranks(scores, arena.targets, None, pools)


def _quality(arena: Arena, ground: Ground, scores: Scores) -> float:
    return float(measured.ndcg(_ranks(arena, ground, scores), K).mean())


def _row(arena: Arena, ground: Ground, name: str, ranks: npt.NDArray[np.int64], seed: int) -> dict[str, Any]:
    gains = measured.ndcg(ranks, K)
    spread = clustered_interval(gains, arena.people, seed=seed)
    of = {f"NDCG@{K}, {one}": float(gains[[case.scenario == one for case in arena.cases]].mean()) for one in ground.names
          if any(case.scenario == one for case in arena.cases)}  # fmt: skip
    found = {f"NDCG@{K}": float(gains.mean()), "low": spread.low, "high": spread.high, f"HR@{K}": float(measured.hit(ranks, K).mean())}
    return {"ranker": name, **{key: round(value, 4) for key, value in (found | of).items()}}
