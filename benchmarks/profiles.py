"""Which profiles earn their place: what each way to see people adds to their newest visits, on people's next items.

All is known up to the test of the split, and nothing after it. "The best of all, by the judge" takes for each person the style
that did best for them in the validation time before. Without --data: the demo world.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.harness import Options, print_table, write_json
from benchmarks.worlds import WITH_TEXTS, parser_of, worlds
from persona_core.evaluation.ranking_metrics import hit, ndcg, ranks
from persona_core.evaluation.statistics import clustered_interval
from persona_core.profiles.ways.exploring import EXTRACTION, Way, ways_of
from persona_core.profiles.ways.judging import Person, RankingJudge
from persona_core.profiles.ways.styles import STYLES
from persona_core.profiles.ways.work import (
    TESTING,
    TRAINING,
    WAYS,
    WORTH,
    judge_in,
    people_in,
    ways_world,
    worths_of,
)
from persona_core.schema import Profile
from persona_core.workspace import Workspace

PACKAGES = ("torch", "numpy", "scipy", "scikit-learn")
QUICK_PEOPLE, QUICK_SCENARIO = 60, "kitchen"
RECENT_ONLY = "the newest visits alone"


class Ranked(NamedTuple):
    """One row a next item of somebody."""

    people: list[str]
    places: np.ndarray[Any, np.dtype[np.int64]]
    borne_out: list[float]
    characters: list[int]


def main() -> None:
    given = _arguments()
    tables: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name, source in worlds(given, given.home or Path(scratch), WITH_TEXTS, ("catalog", "splits")):
            began = time.perf_counter()
            tables[name] = measured(source, given)
            tables[name]["facts"]["seconds"] = round(time.perf_counter() - began, 1)
            print(f"\n{name}: " + ", ".join(f"{key} {value}" for key, value in tables[name]["facts"].items()))
            print_table(tables[name]["rows"])
            if tables[name]["pairs"]:
                print_table(tables[name]["pairs"])
    write_json("profiles", Options(given.quick, given.json, given.seed), PACKAGES, tables)


def measured(source: Workspace, given: argparse.Namespace) -> dict[str, Any]:
    learning = None if given.quick else ways_world(source, TRAINING)
    window = TESTING._replace(scenarios=(QUICK_SCENARIO,)) if given.quick and not given.data else TESTING
    testing = ways_world(source, window, upto="ways")
    world, judge = judge_in(testing, epochs=3 if given.quick else None)
    people = people_in(source, testing, world, window, source.settings.profiles.recent)
    people = people[:: max(1, len(people) // QUICK_PEOPLE)] if given.quick else people
    ways = ways_of(testing.artefact("ways").file(WAYS))
    rows = []
    base = ranked(judge, people, lambda _: None)
    for name, chosen in _rows(learning, ways, people):
        found = ranked(judge, people, chosen)
        rows.append(_row(name, found, base, given.seed))
    whole = [one._replace(recent=(*one.older, *one.recent)) for one in people]
    rows.append(_row("all visits, no profile", ranked(judge, whole, lambda _: None), base, given.seed))
    rows.append(_row("all visits, and needs", ranked(judge, whole, _in_style(ways, "needs")), base, given.seed))
    pairs = [dict(learning.artefact("pairs").manifest.counts)] if learning else []
    facts = {"people": len(people), "next items": len(base.people), "items": len(world.items)}
    return {"facts": facts, "rows": sorted(rows, key=lambda row: -row["gain"]), "pairs": pairs}


def _rows(
    learning: Workspace | None, ways: Mapping[str, Sequence[Way]], people: Sequence[Person]
) -> Iterator[tuple[str, Callable[[Person], Way | None]]]:
    yield RECENT_ONLY, lambda _: None
    for style in STYLES:
        yield style.name, _in_style(ways, style.name)
    if learning is None:
        return
    judged = worths_of(learning.artefact("worth").file(WORTH))

    def best(person: Person, wholly: bool) -> Way | None:
        own = {way.key: way for way in ways.get(person.user_id, ()) if way.borne_out >= 1.0 or not wholly}
        known = {key: worth.gain for key, worth in judged.get(person.user_id, {"ways": {}})["ways"].items() if key in own}
        return own[max(known, key=lambda key: (known[key], key))] if known else next(iter(own.values()), None)

    yield "the best of all, by the judge", lambda person: best(person, False)
    yield "the best of those wholly borne out", lambda person: best(person, True)


def _in_style(ways: Mapping[str, Sequence[Way]], style: str) -> Callable[[Person], Way | None]:
    """That way, or the first where it was a near copy of that."""

    def chosen(person: Person) -> Way | None:
        own = ways.get(person.user_id, ())
        return next((way for way in own if way.key == f"{EXTRACTION}: {style}"), next(iter(own), None))

    return chosen


def ranked(judge: RankingJudge, people: Sequence[Person], chosen: Callable[[Person], Way | None]) -> Ranked:
    names: list[str] = []
    places: list[Any] = []
    borne: list[float] = []
    lengths: list[int] = []
    for person in people:
        way = chosen(person)
        profile = Profile(user_id=person.user_id, version=1, text="") if way is None else way.profile
        scores = judge.scores(person, [profile])[1:]
        met = [visit.item for visit in (*person.older, *person.recent)]
        others = [sorted({*met, *person.next} - {item}) for item in person.next]
        places.append(ranks(np.repeat(scores, len(person.next), 0), list(person.next), others))
        names += [person.user_id] * len(person.next)
        borne.append(1.0 if way is None else way.borne_out)
        lengths.append(0 if way is None else len(way.lines))
    return Ranked(names, np.concatenate(places), borne, lengths)


def _row(name: str, found: Ranked, base: Ranked, seed: int) -> dict[str, Any]:
    gains = np.log2(base.places) - np.log2(found.places)
    interval = clustered_interval(gains, found.people, seed=seed)
    return {
        "profile": name, "HR@10": float(hit(found.places, 10).mean()), "NDCG@10": float(ndcg(found.places, 10).mean()),
        "gain": float(gains.mean()), "from": interval.low, "to": interval.high, "borne out": float(np.mean(found.borne_out)),
        "characters": float(np.mean(found.characters)),
    }  # fmt: skip


def _arguments() -> argparse.Namespace:
    quick = "one scenario of the demo world, some of its people, a head less trained, without what the judge would choose"
    return parser_of("profiles", __doc__, quick, WITH_TEXTS).parse_args()


if __name__ == "__main__":
    main()
