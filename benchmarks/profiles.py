"""Which profiles earn their place: what each way to see people adds to their newest visits, on people's next items.

All is known up to the test of the split, and nothing after it. "The best of all, by the judge" takes for each person the style
that did best for them in the validation time before. Without --data: the demo world.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.harness import Options, print_table, write_json
from benchmarks.profile_forms import Forms
from benchmarks.sentiment import Felt, bounds_on, felt_by, quality, standing_of, together
from benchmarks.worlds import WITH_TEXTS, parser_of, worlds
from persona_core.evaluation.ranking_metrics import hit, ndcg, ranks
from persona_core.evaluation.statistics import clustered_interval
from persona_core.profiles.evidence import Visit
from persona_core.profiles.ways.aligning import unseen
from persona_core.profiles.ways.exploring import Way, ways_of
from persona_core.profiles.ways.judging import Person, RankingJudge
from persona_core.profiles.ways.second import heard_in
from persona_core.profiles.ways.styles import STYLES
from persona_core.profiles.ways.work import (
    TESTING,
    TRAINING,
    WAYS,
    WORTH,
    judge_in,
    pasts_in,
    people_in,
    ways_world,
    worths_of,
)
from persona_core.profiles.ways.written import EXTRACTION
from persona_core.schema import Profile
from persona_core.workspace import Workspace

PACKAGES = ("torch", "numpy", "scipy", "scikit-learn")
QUICK_PEOPLE, QUICK_SCENARIO = 60, "kitchen"
RECENT_ONLY = "the newest visits alone"


Choice = Callable[[Person], Way | None]


class Ranked(NamedTuple):
    """One row a next item of somebody; what was felt is of unseen people alone."""

    people: list[str]
    places: np.ndarray[Any, np.dtype[np.int64]]
    borne_out: list[float]
    characters: list[int]
    felt: Felt


@dataclass(frozen=True)
class Table:
    """What every row of it needs."""

    judge: RankingJudge
    people: Sequence[Person]
    since: dict[str, Sequence[Visit]]
    """All that they came to, liked or not."""
    bounds: tuple[float, float]
    seed: int

    def row(self, name: str, chosen: Choice, base: Ranked | None = None, whole: bool = False) -> dict[str, Any]:
        found = self.ranked(chosen, whole)
        gains = np.log2((base or found).places) - np.log2(found.places)
        interval = clustered_interval(gains, found.people, seed=self.seed)
        accuracy, macro = quality(found.felt, self.bounds)
        return {
            "profile": name, "HR@10": float(hit(found.places, 10).mean()), "NDCG@10": float(ndcg(found.places, 10).mean()),
            "gain": float(gains.mean()), "from": interval.low, "to": interval.high, "accuracy": accuracy, "macro-F1": macro,
            "borne out": float(np.mean(found.borne_out)), "characters": float(np.mean(found.characters)),
        }  # fmt: skip

    def ranked(self, chosen: Choice, whole: bool = False) -> Ranked:
        """`whole`: all visits stay raw, not the newest alone."""
        names: list[str] = []
        places: list[Any] = []
        borne: list[float] = []
        lengths: list[int] = []
        felt: list[Felt] = []
        for one in self.people:
            person = one._replace(recent=(*one.older, *one.recent)) if whole else one
            way = chosen(person)
            profile = Profile(user_id=person.user_id, version=1, text="") if way is None else way.profile
            scores = self.judge.scores(person, [profile])[1:]
            met = [visit.item for visit in (*person.older, *person.recent)]
            others = [sorted({*met, *person.next} - {item}) for item in person.next]
            places.append(ranks(np.repeat(scores, len(person.next), 0), list(person.next), others))
            names += [person.user_id] * len(person.next)
            borne.append(1.0 if way is None else way.borne_out)
            lengths.append(0 if way is None else len(way.lines))
            if unseen(person.user_id):
                felt.append(standing_of(scores[0], self.since.get(person.user_id, ())))
        return Ranked(names, np.concatenate(places), borne, lengths, together(felt))


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
    everybody = people_in(source, testing, world, window, source.settings.profiles.recent)
    everybody = everybody[:: max(1, len(everybody) // QUICK_PEOPLE)] if given.quick else everybody
    people = [one for one in everybody if unseen(one.user_id)] if given.weights else everybody
    since: dict[str, Sequence[Visit]] = {one.user_id: one.since for one in heard_in(source, testing, window)}
    bounds = bounds_on(felt_by(judge, [one for one in everybody if not unseen(one.user_id)], since))
    ways = ways_of(testing.artefact("ways").file(WAYS))
    judge = judge.knowing(way.profile for person in people for way in ways.get(person.user_id, ()))
    table = Table(judge, people, since, bounds, given.seed)
    base = table.ranked(lambda _: None)
    rows = [table.row(name, chosen, base) for name, chosen in _rows(learning, ways, people)]
    rows.append(table.row("all visits, no profile", lambda _: None, base, whole=True))
    rows.append(table.row("all visits, and needs", _in_style(ways, "needs"), base, whole=True))
    forms = Forms(pasts_in(testing)[1], judge)
    others = [*forms.fixed(people), *(forms.generated(source, given.weights, people, given.seed) if given.weights else ())]
    rows += [table.row(name, lambda person, own=own: own.get(person.user_id), base) for name, own in others]  # type: ignore[misc]
    pairs = [dict(learning.artefact("pairs").manifest.counts)] if learning else []
    facts = {
        "people": len(people), "next items": len(base.people), "items": len(world.items),
        "feelings of unseen people": len(base.felt.feelings), "dislike below": bounds[0], "like from": bounds[1],
    }  # fmt: skip
    return {"facts": facts, "rows": sorted(rows, key=lambda row: -row["gain"]), "pairs": pairs}


def _rows(learning: Workspace | None, ways: Mapping[str, Sequence[Way]], people: Sequence[Person]) -> Iterator[tuple[str, Choice]]:
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


def _in_style(ways: Mapping[str, Sequence[Way]], style: str) -> Choice:
    """That way, or the first where it was a near copy of that."""

    def chosen(person: Person) -> Way | None:
        own = ways.get(person.user_id, ())
        return next((way for way in own if way.key == f"{EXTRACTION}: {style}"), next(iter(own), None))

    return chosen


def _arguments() -> argparse.Namespace:
    quick = "one scenario of the demo world, some of its people, a head less trained, without what the judge would choose"
    parser = parser_of("profiles", __doc__, quick, WITH_TEXTS)
    parser.add_argument(
        "--weights", type=Path, metavar="FILE", help="a base model to teach; then all is measured on people it never learned from"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
