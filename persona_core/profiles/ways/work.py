"""Exploring, judging and pairing as steps, in a world that knows nothing from one moment on.

The world is cut at a split, as for the proof of ranking; what people came to after the cut is read by the judge alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson
import pandas as pd

from persona_core.alignment.pairs import World
from persona_core.alignment.phrases import PhraseBook
from persona_core.alignment.steps import phrases_known, trained_on, world_of
from persona_core.alignment.taste import said_in
from persona_core.alignment.training import Recipe
from persona_core.catalog.splits import Moments
from persona_core.catalog.store import Catalog
from persona_core.evaluation.cases import point_in_time_cases
from persona_core.evaluation.worlds import Cut, cut_steps, cut_world, split_moments
from persona_core.files import json_lines, write_beside, write_json
from persona_core.llm.choice import RETRY, SOURCE, asks_again, model_sources, opened_models
from persona_core.llm.protocol import LanguageModel
from persona_core.personas.aspects import ASPECTS, kept_aspects
from persona_core.personas.reading import Judge
from persona_core.pipeline import Counts, Pipeline, Step, StepContext
from persona_core.profiles.building import Rules
from persona_core.profiles.steps import INPUTS
from persona_core.profiles.ways.asked import PROMPT, WARMTH, asked
from persona_core.profiles.ways.asking import prompt_of
from persona_core.profiles.ways.exploring import Way, explored, extracted, plain_head, ways_of, write_ways
from persona_core.profiles.ways.halves import halved
from persona_core.profiles.ways.judging import Person, RankingJudge, Worth
from persona_core.profiles.ways.preferences import Judged, Pair, balanced, card_of, pairs_for
from persona_core.profiles.ways.preferences import Rules as PairRules
from persona_core.profiles.ways.styles import Past, Usual
from persona_core.profiles.ways.written import Candidate
from persona_core.progress import Listener, nobody
from persona_core.ranking.parts import Weights
from persona_core.ranking.steps import interactions_in
from persona_core.schema import Profile
from persona_core.workspace import Workspace

WAYS, WORTH, PAIRS, CARD = "ways.jsonl", "worth.jsonl", "pairs.jsonl", "card.json"
Tell = Callable[[int, int, str], None]
FEWEST_OLDER = 3
MOST_NEXT = 10
AT_ONCE = 64
"""Of so many people all that is said of them is encoded together: much of it is said of several."""


class Window(NamedTuple):
    """What is known, and which time is asked about."""

    name: str
    """Of the step that judges by it."""
    known: tuple[str, ...]
    upto: str
    """The part whose beginning ends it; empty for all that comes."""
    scenarios: tuple[str, ...] = ()
    """Only these; empty: all."""

    @property
    def cut(self) -> Cut:
        return Cut("point_in_time", self.known, self.scenarios)


TRAINING, LATELY = Window("worth", ("train",), "test"), Window("lately", ("train",), "")
"""For a generator to learn from, the test is not looked at; for people to read, everything since the cut is."""
TESTING = Window("worth", ("train", "valid"), "")


# Worlds ------------------------------------------------------------------------------------------------------------------


def ways_world(source: Workspace, window: Window, listener: Listener = nobody, upto: str = "pairs") -> Workspace:
    """The cut world with what was explored, judged and paired in it, built where it is not, as far as the step `upto`."""
    cut = window.cut
    place = cut_world(source, cut, listener=listener)
    own = [_explore_step(), _judge_step(source, window), _pair_step(window)]
    for step in own[: [step.name for step in own].index(upto) + 1]:
        Pipeline((*cut_steps(source, cut), *own), place).build(step.name, listener=listener)
    return place


def pasts_in(place: Workspace) -> tuple[World, dict[str, Past], dict[str, int | None]]:
    """Everybody with enough of an older history: what their profile may be made from, and where it ends."""
    recent, rules = place.settings.profiles.recent, Rules(half_life_days=place.settings.ranking.half_life_days)
    world = world_of(place)
    aspects = kept_aspects(place.artefact("aspects").file(ASPECTS))
    halves = {user: halved(visits, recent) for user, visits in world.visits.items()}
    older = {user: one.older for user, one in halves.items() if len(one.older) >= FEWEST_OLDER}
    wants = [world.known.lift_rows(visits, world.now, rules.half_life_days, rules.own_say)[0].sum(0) for visits in older.values()]
    usual = Usual.of(wants)
    titles = Catalog.of(place.artefact("catalog")).items()["title"].tolist()
    pasts = {
        user: Past(user, visits, world.items, titles, aspects, world.topics, world.known, usual, world.now, rules)
        for user, visits in sorted(older.items())
    }
    return world, pasts, {user: halves[user].boundary for user in pasts}


def people_in(source: Workspace, place: Workspace, world: World, window: Window, recent: int) -> list[Person]:
    """Everybody who came to something they liked after the cut, with their history up to it in two halves."""
    catalog = Catalog.of(source.artefact("catalog"))
    reviews, items = catalog.reviews(["review_id", "user_id", "item_id", "rating", "time"]), catalog.items()
    begins, ends = bounds_of(source, reviews, window)
    scenario_of = dict(zip(items["item_id"], items["scenario"], strict=True))
    cases = point_in_time_cases(reviews, scenario_of, Moments(begins, ends), "valid", most=MOST_NEXT)
    code = {item: place for place, item in enumerate(world.items)}
    wanted: dict[str, list[int]] = {}
    for case in cases:
        if case.target in code:
            wanted.setdefault(case.user_id, []).append(code[case.target])
    found = []
    for user in sorted(wanted):
        halves = halved(world.visits.get(user, ()), recent)
        if len(halves.older) >= FEWEST_OLDER:
            found.append(Person(user, int(begins.timestamp()), halves.older, halves.recent, tuple(wanted[user])))
    return found


def bounds_of(source: Workspace, reviews: pd.DataFrame, window: Window) -> tuple[pd.Timestamp, pd.Timestamp]:
    """When the window begins and when it is over."""
    moments = split_moments(source, reviews)
    begins = moments.valid if window.known == ("train",) else moments.test
    return begins, moments.test if window.upto == "test" else reviews["time"].max() + pd.Timedelta(days=1)


# Exploring ---------------------------------------------------------------------------------------------------------------


def _explore(context: StepContext) -> Counts:
    _, pasts, boundaries = pasts_in(context.workspace)
    told, counts = _told_by_models(context, pasts)
    book, judge = phrases_known(PhraseBook()), Judge.load()
    plain = plain_head(book)
    ways: list[Way] = []
    people = list(pasts)
    for start in range(0, len(people), AT_ONCE):
        of = {user: [*extracted(pasts[user]), *told.get(user, ())] for user in people[start : start + AT_ONCE]}
        known = book.ahead(said_in(one.profile for candidates in of.values() for one in candidates))
        for user, candidates in of.items():
            ways += explored(pasts[user], boundaries[user], candidates, known, judge, plain)
        context.progress(start + len(of), len(people), "people")
    write_ways(context.file(WAYS), ways)
    styles = pd.Series([way.style for way in ways]).value_counts()
    return {"people": len(pasts), "ways": len(ways), "with claims unborne": sum(bool(way.unborne) for way in ways),
            **counts, **{f"style {name}": int(many) for name, many in styles.items()}}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Asking:
    """What several models write of one person."""

    models: tuple[LanguageModel, ...]
    pasts: Mapping[str, Past]

    def __call__(self, user: str) -> dict[str, Any]:
        found = [one for model in self.models for one in asked(model, self.pasts[user])]
        made = [one for one in found if isinstance(one, Candidate)]
        return {
            "failed": len(found) - len(made),
            "made": [{**one._asdict(), "profile": one.profile.model_dump(mode="json")} for one in made],
        }


def _told_by_models(context: StepContext, pasts: Mapping[str, Past]) -> tuple[dict[str, list[Candidate]], Counts]:
    """What every model that the settings name writes of some people, and what there is to count."""
    settings = context.settings
    models = opened_models(context.workspace, "ways", context.because[f"file {SOURCE}"], WARMTH)
    if not models:
        return {}, {}
    order = np.random.default_rng(settings.seed).permutation(len(pasts))[: settings.profiles.people]
    people = [list(pasts)[place] for place in sorted(order)]
    asking = _Asking(tuple(models), {user: pasts[user] for user in people})
    answers = list(context.map(asking, people, key=lambda user: user, unit="people asked about"))
    told = {
        user: [Candidate(**{**one, "profile": Profile.model_validate(one["profile"])}) for one in answer["made"]]
        for user, answer in zip(people, answers, strict=True)
    }
    counts: Counts = {"people asked about": len(people), "by": ", ".join(model.name for model in models)}
    return told, counts | {RETRY: sum(answer["failed"] for answer in answers)}


# Judging -----------------------------------------------------------------------------------------------------------------


def judge_in(place: Workspace, tell: Tell = lambda done, total, what: None, epochs: int | None = None) -> tuple[World, RankingJudge]:
    """The ranking judge of a cut world: its head learned from that world alone, in so many rounds where fewer will do."""
    settings = place.settings
    world = world_of(place)
    book = phrases_known(PhraseBook())
    recipe = Recipe(seed=settings.seed) if epochs is None else Recipe(seed=settings.seed, epochs=epochs)
    rules = Rules(half_life_days=settings.ranking.half_life_days)
    trained = trained_on(world, book, rules, recipe, lambda done, total, _: tell(done, total, "rounds of training"))
    weights = Weights(settings.ranking.taste, settings.ranking.habit, settings.ranking.popularity, 0.0)
    interactions = interactions_in(Catalog.of(place.artefact("catalog")))
    return world, RankingJudge.of(world, trained.head, book, interactions, weights, settings.seed)


def _judge(context: StepContext, source: Workspace, window: Window) -> Counts:
    settings = context.settings
    world, judge = judge_in(context.workspace, context.progress)
    ways = ways_of(context.inputs["ways"].file(WAYS))
    people = [one for one in people_in(source, context.workspace, world, window, settings.profiles.recent) if one.user_id in ways]
    rows: list[dict[str, Any]] = []
    for start in range(0, len(people), AT_ONCE):
        some = people[start : start + AT_ONCE]
        knowing = judge.knowing(way.profile for person in some for way in ways[person.user_id])
        rows += [_judged(knowing, person, ways[person.user_id]) for person in some]
        context.progress(start + len(some), len(people), "people")
    total = sum(len(row["ways"]) for row in rows)
    write_beside(context.file(WORTH), json_lines(rows))
    gains = [one["gain"] for row in rows for one in row["ways"].values()]
    return {"people": len(rows), "ways": total, "next items": sum(row["cases"] for row in rows),
            "gain, mean": round(float(np.mean(gains)), 4) if gains else 0.0}  # fmt: skip


def _judged(judge: RankingJudge, person: Person, own: Sequence[Way]) -> dict[str, Any]:
    base, worths = judge.worths(person, [way.profile for way in own])
    said = {way.key: one.model_dump(mode="json") for way, one in zip(own, worths, strict=True)}
    return {"user_id": person.user_id, "moment": person.moment, "cases": len(person.next), "found without": base, "ways": said}


def worths_of(file: Path) -> dict[str, dict[str, Any]]:
    """By person: how many next items there were, how many the newest visits alone found, and each way's worth."""
    return worths_in(file.read_bytes().splitlines())


def worths_in(lines: Iterable[bytes]) -> dict[str, dict[str, Any]]:
    rows = map(orjson.loads, lines)
    return {row["user_id"]: {**row, "ways": {name: Worth(**one) for name, one in row["ways"].items()}} for row in rows}


# Pairing -----------------------------------------------------------------------------------------------------------------


def _pair(context: StepContext, window: Window) -> Counts:
    rules = PairRules(seed=context.settings.seed)
    _, pasts, _ = pasts_in(context.workspace)
    ways, worths = ways_of(context.inputs["ways"].file(WAYS)), worths_of(context.inputs[window.name].file(WORTH))
    found: list[Pair] = []
    for user, judged in worths.items():
        own = [Judged(way.style, way.source, way.lines, judged["ways"][way.key], way.borne_out) for way in ways[user]]
        found += pairs_for(user, prompt_of(pasts[user]), own, rules)
    chosen = balanced(found, rules)
    write_beside(context.file(PAIRS), json_lines(asdict(one) for one in chosen))
    write_json(context.file(CARD), card_of(chosen, len(found), len(worths), rules, {"seed": context.settings.seed}))
    return {"pairs": len(chosen), "left out to balance lengths": len(found) - len(chosen), "people looked at": len(worths)}


# Steps -------------------------------------------------------------------------------------------------------------------

CODE = ("persona_core.alignment", "persona_core.llm", "persona_core.profiles", "persona_core.ranking", "persona_core.personas.reading")


def _explore_step() -> Step:
    return Step("ways", "Seeing everybody in several ways", INPUTS, (WAYS,), _explore, CODE,
                settings=lambda settings: [settings.profiles.recent, settings.profiles.people, settings.ranking.half_life_days],
                sources=lambda workspace: model_sources(workspace, "ways", PROMPT, workspace.settings.writers),
                unfinished=lambda workspace, made: asks_again(workspace, made, workspace.settings.writers))  # fmt: skip


def _judge_step(source: Workspace, window: Window) -> Step:
    return Step(
        window.name, "Judging each by what people came to next", (*INPUTS, "ways"), (WORTH,),
        lambda context: _judge(context, source, window), CODE,
        settings=lambda settings: [settings.profiles.recent, settings.ranking.model_dump(mode="json")],
        sources=lambda _: {"window": repr(window), "source": source.artefact("catalog").manifest.content},
    )  # fmt: skip


def _pair_step(window: Window) -> Step:
    return Step(
        "pairs", "Pairing the better with the worse", (*INPUTS, "ways", window.name), (PAIRS, CARD),
        lambda context: _pair(context, window), CODE,
        settings=lambda settings: settings.profiles.recent,
    )  # fmt: skip
