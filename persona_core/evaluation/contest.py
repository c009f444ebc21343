"""One data set, one split: rankers are tuned on validation, then meet once on the test, and personas are taken apart."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

import numpy as np

from persona_core.alignment.full import FullRecipe
from persona_core.alignment.head import Head
from persona_core.alignment.pairs import World, item_middles
from persona_core.alignment.phrases import PhraseBook
from persona_core.alignment.steps import frozen_head, phrases_known, trained_on, world_of
from persona_core.alignment.training import Recipe
from persona_core.catalog.store import Catalog
from persona_core.evaluation import rankers
from persona_core.evaluation.arena import (
    Arena,
    Result,
    Scores,
    arena_of,
    compared,
    in_world,
    pool_rows,
    result_of,
    row_of,
    slice_rows,
    taste_scores,
)
from persona_core.evaluation.cases import Case, Part, last_item_cases, point_in_time_cases
from persona_core.evaluation.tuned import tuned_scores
from persona_core.evaluation.worlds import Cut, cut_world, split_moments, without_kind
from persona_core.profiles.building import Rules
from persona_core.progress import Listener, nobody
from persona_core.ranking.parts import Weights
from persona_core.schema import AspectKind, Stance
from persona_core.text.parts import remembered_readings
from persona_core.trends.building import panel_of
from persona_core.trends.steps import rise_at
from persona_core.workspace import Workspace

Split = Literal["point_in_time", "last_item_out"]
TEMPERATURES = (0.02, 0.05, 0.1)
BLEND, WITHOUT, HEAD, FROZEN = (
    "personas and habits (the engine)",
    "habits alone, blended",
    "personas, trained head",
    "personas, frozen encoder",
)
TRENDS = "the engine, with what is foretold"
FULL = "personas, whole encoder fine-tuned"
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a contest is to do."""

    split: Split
    scenarios: tuple[str, ...] = ()
    most_cases: int = 5
    """Of one person, where all are asked at one moment."""
    thorough: bool = True
    """Searches the temperature, and takes the personas apart."""
    full_pairs: int = 0
    """Fine-tunes the whole encoder too, on so many pairs."""
    seed: int = 7


class Tuned(NamedTuple):
    """What validation chose."""

    recipe: Recipe
    weights: Weights
    weights_without: Weights
    best_single: str


@dataclass
class Report:
    """Tables for people and machines, filled as the contest goes on."""

    facts: dict[str, Any] = field(default_factory=dict)
    rankers: list[dict[str, Any]] = field(default_factory=list)
    comparisons: list[dict[str, Any]] = field(default_factory=list)
    slices: list[dict[str, Any]] = field(default_factory=list)
    pools: list[dict[str, Any]] = field(default_factory=list)
    ablations: list[dict[str, Any]] = field(default_factory=list)


def contest(source: Workspace, plan: Plan, listener: Listener = nobody, say: Tell = lambda _: None) -> Report:
    with remembered_readings():
        tuning = _arena(source, plan, "valid", listener)
        arena = _arena(source, plan, "test", listener)
        leaky = cut_world(source, _cut(plan, ("train", "valid", "test")), listener=listener) if plan.thorough else None
    book = phrases_known(PhraseBook())
    say(f"{plan.split}: {len(tuning.cases)} cases to tune on, {len(arena.cases)} to test with")
    tuned = _tuned(tuning, book, plan)
    report = Report(facts=_facts(arena, tuning, tuned, plan))
    scored = dict(_all_scores(arena, book, tuned))
    if plan.full_pairs:
        folder = source.root / "evaluation" / "full" / _cut(plan, ("train", "valid")).name
        scored[FULL] = tuned_scores(arena, book, folder, FullRecipe(seed=plan.seed, epochs=1), plan.full_pairs)
    if plan.thorough and plan.split == "point_in_time":
        scored[TRENDS] = _with_trends(arena, book, tuned)
    results = {name: result_of(arena, name, scores) for name, scores in scored.items()}
    report.rankers = [row_of(arena, result) for result in results.values()]
    report.comparisons = [_comparison(arena, results[one], results[other]) for one, other in _pairs_to_compare(tuned, results)]
    shown = [results[name] for name in (tuned.best_single, WITHOUT, HEAD, BLEND)]
    report.slices = slice_rows(arena, shown)
    report.pools = pool_rows(
        arena, scored[tuned.best_single], [(name, scored[name]) for name in (tuned.best_single, FROZEN, HEAD, BLEND)]
    )
    if leaky is not None:
        report.ablations = [_ablation_row(arena, name, scores) for name, scores in _taken_apart(arena, book, tuned, leaky)]
        cut = cut_world(source, _cut(plan, ("train", "valid")), listener=listener)
        for kind in AspectKind:
            less = without_kind(cut, kind, listener)
            world = world_of(less)
            report.ablations.append(_ablation_row(arena, f"nobody ever says: {kind}", _taste_anew(arena, book, tuned.recipe, world)))
    return report


# Worlds and cases ------------------------------------------------------------------------------------------------------


def _cut(plan: Plan, parts: tuple[str, ...]) -> Cut:
    return Cut(plan.split, parts, plan.scenarios)


def _arena(source: Workspace, plan: Plan, part: Part, listener: Listener) -> Arena:
    cut = cut_world(source, _cut(plan, ("train",) if part == "valid" else ("train", "valid")), listener=listener)
    world = world_of(cut)
    cases = _cases(source, plan, part)
    arena = arena_of(f"{plan.split} {part}", source, cut, world, cases)
    return replace(arena, seed=plan.seed)


def _cases(source: Workspace, plan: Plan, part: Part) -> list[Case]:
    catalog = Catalog.of(source.artefact("catalog"))
    reviews = catalog.reviews(["review_id", "user_id", "item_id", "rating", "time"])
    items = catalog.items()
    scenario_of = dict(zip(items["item_id"], items["scenario"], strict=True))
    if plan.split == "last_item_out":
        return last_item_cases(reviews, scenario_of, part)
    return point_in_time_cases(reviews, scenario_of, split_moments(source, reviews), part, most=plan.most_cases)


# Tuning ----------------------------------------------------------------------------------------------------------------


def _tuned(arena: Arena, book: PhraseBook, plan: Plan) -> Tuned:
    single = {name: _quality(arena, scores) for name, scores in rankers.collaborative(arena)}
    habit, popular = _habits(arena)
    recipes = [Recipe(seed=plan.seed, temperature=one) for one in TEMPERATURES] if plan.thorough else [Recipe(seed=plan.seed)]
    tried = [_tried(arena, book, recipe, habit, popular) for recipe in recipes]
    _, recipe, weights = max(tried, key=lambda one: one[0])
    without = rankers.fitted_weights(arena, (rankers.raised(habit), rankers.raised(popular)))
    return Tuned(recipe, weights, _weights(0.0, *without), max(single, key=lambda name: single[name]))


def _tried(arena: Arena, book: PhraseBook, recipe: Recipe, habit: Scores, popular: Scores) -> tuple[float, Recipe, Weights]:
    """How well the engine's score does with this recipe, under the weights that suit it."""
    parts = _parts(arena, book, _trained(arena.world, book, recipe))
    taste = rankers.blended(*parts, habit, popular, Weights(1.0, 0.0, 0.0))
    weights = _weights(*rankers.fitted_weights(arena, (taste, rankers.raised(habit), rankers.raised(popular))))
    return _quality(arena, rankers.blended(*parts, habit, popular, weights)), recipe, weights


def _weights(taste: float, habit: float, popularity: float) -> Weights:
    total = max(taste + habit + popularity, 1e-9)
    return Weights(*(round(float(one / total), 3) for one in (taste, habit, popularity)))


def _quality(arena: Arena, scores: Scores) -> float:
    return float(row_of(arena, result_of(arena, "", scores))["NDCG@10"])


def _trained(world: World, book: PhraseBook, recipe: Recipe) -> Head:
    return trained_on(world, book, Rules(), recipe).head


def _taste(arena: Arena, book: PhraseBook, head: Head, mix: float = 0.5, world: World | None = None) -> tuple[Any, Scores]:
    found = taste_scores(world or arena.world, head, arena.asked(head, book), mix)
    return found, found.total(head.penalty)


def _parts(arena: Arena, book: PhraseBook, head: Head) -> tuple[Scores, Scores, float]:
    found, _ = _taste(arena, book, head)
    return found.suits, found.wrong, head.penalty


def _habits(arena: Arena) -> tuple[Scores, Scores]:
    """The two that the engine uses."""
    known = dict(rankers.collaborative(arena))
    return known.get("EASE", known["item-kNN"]), known["popularity at the moment, 30 days"]


# The contest -----------------------------------------------------------------------------------------------------------


def _all_scores(arena: Arena, book: PhraseBook, tuned: Tuned) -> Iterator[tuple[str, Scores]]:
    yield from rankers.collaborative(arena)
    yield "BM25 of the profile's text", rankers.bm25(arena)
    frozen = frozen_head(arena.world, book)
    asked = arena.asked(frozen, book)
    yield "one vector an item: its reviews", rankers.one_vector(arena, rankers.mean_of_reviews(arena), asked)
    yield "one vector an item: its summary", rankers.one_vector(arena, rankers.summaries(arena), asked)
    yield FROZEN, _taste(arena, book, frozen)[1]
    head = _trained(arena.world, book, tuned.recipe)
    suits, wrong, penalty = _parts(arena, book, head)
    yield HEAD, suits - np.float32(penalty) * wrong
    habit, popular = _habits(arena)
    yield WITHOUT, rankers.blended(suits, wrong, penalty, habit, popular, tuned.weights_without)
    yield BLEND, rankers.blended(suits, wrong, penalty, habit, popular, tuned.weights)


def _with_trends(arena: Arena, book: PhraseBook, tuned: Tuned) -> Scores:
    """The engine's score with the part that comes from forecasts, as known when all are asked: at one moment."""
    suits, wrong, penalty = _parts(arena, book, _trained(arena.world, book, tuned.recipe))
    habit, popular = _habits(arena)
    weights = replace(tuned.weights, trend=Weights().trend)
    return rankers.blended(suits, wrong, penalty, habit, popular, weights, rise_at(panel_of(arena.catalog)))


def _pairs_to_compare(tuned: Tuned, known: Collection[str]) -> list[tuple[str, str]]:
    pairs = [
        (BLEND, tuned.best_single), (BLEND, WITHOUT), (HEAD, tuned.best_single), (HEAD, FROZEN),
        (FROZEN, "one vector an item: its reviews"), (FROZEN, "one vector an item: its summary"), (TRENDS, BLEND), (FULL, HEAD),
    ]  # fmt: skip
    return [pair for pair in pairs if set(pair) <= set(known)]


def _comparison(arena: Arena, one: Result, other: Result) -> dict[str, Any]:
    found = compared(arena, one, other)
    gain = found.relative
    return {
        "this": one.name,
        "against": other.name,
        "NDCG@10": found.first,
        "its": found.second,
        "gain %": 100 * gain.mean if gain else None,
        "from %": 100 * gain.low if gain else None,
        "to %": 100 * gain.high if gain else None,
        "p": found.p_value,
    }


def _facts(arena: Arena, tuning: Arena, tuned: Tuned, plan: Plan) -> dict[str, Any]:
    return {
        "split": plan.split,
        "items": len(arena.world.items),
        "people in training": len(arena.world.visits),
        "personas": len(arena.world.personas),
        "cases": len(arena.cases),
        "people asked": len(set(arena.people)),
        "cases to tune on": len(tuning.cases),
        "temperature": tuned.recipe.temperature,
        "weights": {"taste": tuned.weights.taste, "habit": tuned.weights.habit, "popularity": tuned.weights.popularity},
        "weights without personas": {"habit": tuned.weights_without.habit, "popularity": tuned.weights_without.popularity},
        "best single generator on validation": tuned.best_single,
    }


# Taken apart -----------------------------------------------------------------------------------------------------------


def _taken_apart(arena: Arena, book: PhraseBook, tuned: Tuned, leaky: Workspace) -> Iterator[tuple[str, Scores]]:
    """The trained head on personas as they are, and with one thing taken away at a time; each is trained anew."""

    def taste(world: World, recipe: Recipe = tuned.recipe, mix: float = 0.5, mild: bool = False) -> Scores:
        return _taste_anew(arena, book, recipe, world, mix, mild)

    world = arena.world
    yield "as it is", taste(world)
    yield "words only", taste(world, mix=1.0)
    yield "past only", taste(world, mix=0.0)
    yield "the strongest persona only", taste(_strongest(world, 1))
    yield "the three strongest", taste(_strongest(world, 3))
    yield "one middle vector an item", taste(_one_middle(world, frozen_head(world, book)))
    yield "complaints taken for praise", taste(_all_suit(world))
    yield "complaints not looked at", taste(world, mild=True)
    yield "no teacher", taste(world, replace(tuned.recipe, teacher_say=0.0))
    yield "PERSONAS THAT KNOW THE FUTURE", taste(_with_personas_of(world, leaky))


def _taste_anew(arena: Arena, book: PhraseBook, recipe: Recipe, world: World, mix: float = 0.5, mild: bool = False) -> Scores:
    """By a head that learned from this world, meeting its personas."""
    found, total = _taste(in_world(arena, world), book, _trained(world, book, recipe), mix)
    return found.suits if mild else total


def _ablation_row(arena: Arena, name: str, scores: Scores) -> dict[str, Any]:
    row = row_of(arena, result_of(arena, name, scores))
    return {key: row[key] for key in ("ranker", "HR@10", "NDCG@10", "low", "high", "MRR")}


def _strongest(world: World, most: int) -> World:
    rows: list[int] = []
    by_item: dict[str, list[int]] = {}
    for row, one in enumerate(world.personas):
        by_item.setdefault(one.item_id, []).append(row)
    for own in by_item.values():
        rows += sorted(sorted(own, key=lambda row: -world.personas[row].weight)[:most])
    return _only(world, sorted(rows))


def _only(world: World, rows: list[int]) -> World:
    return replace(world, personas=tuple(world.personas[row] for row in rows), vectors=world.vectors[rows])


def _one_middle(world: World, head: Head) -> World:
    """Every item as one persona, in the middle of those whom it suits."""
    middles = item_middles(world.items, world.personas, world.vectors, head)
    code = {item: place for place, item in enumerate(world.items)}
    first = {one.item_id: one for one in reversed(world.personas)}
    ones = [one.model_copy(update={"stance": Stance.SUITS, "weight": 1.0}) for one in first.values()]
    return replace(world, personas=tuple(ones), vectors=middles[[code[one.item_id] for one in ones]] + head.middle_of_personas)


def _all_suit(world: World) -> World:
    return replace(world, personas=tuple(one.model_copy(update={"stance": Stance.SUITS}) for one in world.personas))


def _with_personas_of(world: World, leaky: Workspace) -> World:
    other = world_of(leaky)
    return replace(world, personas=other.personas, vectors=other.vectors)
