"""The people of the demo world: a name, a household, motives that go together, a way of writing."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from random import Random

from demo_world.blocks import BLOCKS, SCENARIOS, Motive

MONTHS = 24


@dataclass(frozen=True, slots=True)
class Voice:
    """How somebody types."""

    typo_rate: float
    lower: bool
    drops_apostrophes: bool
    american: bool
    exclaims: bool
    trails_off: bool
    emoji: bool
    drops_last_stop: bool
    wordy: float


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    name: str
    motives: dict[str, float]
    since: dict[str, int]
    """For a motive that came later: the month in which it came."""
    scenarios: dict[str, float]
    purchases: int
    first_month: int
    talks: float
    bias: float
    voice: Voice
    persons: tuple[str, ...]
    kids: tuple[str, ...]

    def motives_in(self, month: int) -> dict[str, float]:
        return {motive: weight for motive, weight in self.motives.items() if month >= self.since.get(motive, 0)}


def make_people(rng: Random, motives: dict[str, Motive], number: int) -> list[Person]:
    pools = tomllib.loads((BLOCKS / "names.toml").read_text("utf-8"))
    names = _names(rng, pools, number)
    return [_person(rng, f"u{position:04d}", name, motives, pools) for position, name in enumerate(names, start=1)]


def _names(rng: Random, pools: dict[str, list[str]], number: int) -> list[str]:
    names: dict[str, None] = {}
    while len(names) < number:
        first, last = rng.choice(pools["first"]), rng.choice(pools["last"])
        form = rng.random()
        if form < 0.72:
            names[f"{first} {last}"] = None
        elif form < 0.9:
            names[f"{first} {last[0]}."] = None
        else:
            names[f"{first} from {rng.choice(pools['places'])}"] = None
    return list(names)


def _person(rng: Random, user_id: str, name: str, motives: dict[str, Motive], pools: dict[str, list[str]]) -> Person:
    chosen, since = _motives(rng, motives)
    with_kids = "with_children" in chosen
    return Person(
        id=user_id,
        name=name,
        motives=chosen,
        since=since,
        scenarios=_scenario_shares(rng, chosen, motives),
        purchases=max(6, min(95, round(rng.lognormvariate(3.22, 0.55)))),
        first_month=rng.choice((0, 0, 0, 0, 0, 1, 2, 3, 4, 6, 8, 10, 12, 15)),
        talks=min(0.75, max(0.04, rng.betavariate(1.4, 3.6))),
        bias=rng.gauss(0.0, 0.35),
        voice=_voice(rng),
        persons=tuple(rng.sample(pools["persons"], 3)),
        kids=tuple(rng.sample(pools["own_kids" if with_kids else "other_kids"], 2)),
    )


def _motives(rng: Random, motives: dict[str, Motive]) -> tuple[dict[str, float], dict[str, int]]:
    """Two to four motives, mostly ones that go together; now and then one that came with a change in life."""
    names = list(motives)
    chosen = [rng.choice(names)]
    wanted = rng.choices((2, 3, 4), (2, 5, 3))[0]
    while len(chosen) < wanted:
        neighbours = [near for motive in chosen for near in motives[motive].goes_with if near not in chosen]
        pool = neighbours if neighbours and rng.random() < 0.68 else [name for name in names if name not in chosen]
        chosen.append(rng.choice(pool))
    weights = {motive: round(max(0.25, 1.0 - 0.2 * place + rng.gauss(0, 0.08)), 2) for place, motive in enumerate(chosen)}
    since = {chosen[-1]: rng.randrange(8, 17)} if rng.random() < 0.15 and wanted > 2 else {}
    return weights, since


def _scenario_shares(rng: Random, chosen: dict[str, float], motives: dict[str, Motive]) -> dict[str, float]:
    """Where somebody spends: in one scenario for one in five, else in two or three, more where their motives live."""
    pull = {s: sum(w for m, w in chosen.items() if s in motives[m].scenarios) * rng.uniform(0.5, 1.5) for s in SCENARIOS}
    number = rng.choices((1, 2, 3), (20, 45, 35))[0]
    kept = sorted(pull, key=lambda s: -pull[s])[:number]
    total = sum(pull[s] + 0.1 for s in kept)
    return {s: round((pull[s] + 0.1) / total, 3) for s in SCENARIOS if s in kept}


def _voice(rng: Random) -> Voice:
    return Voice(
        typo_rate=rng.choice((0.0, 0.0, 0.0, 0.0, 0.0, 0.03, 0.05, 0.1, 0.22)),
        lower=rng.random() < 0.09,
        drops_apostrophes=rng.random() < 0.12,
        american=rng.random() < 0.35,
        exclaims=rng.random() < 0.1,
        trails_off=rng.random() < 0.08,
        emoji=rng.random() < 0.07,
        drops_last_stop=rng.random() < 0.2,
        wordy=rng.betavariate(1.6, 2.2),
    )
