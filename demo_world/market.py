"""Who bought what when, and how it went: demand with shapes in time, choices by motive, ratings by how the item served."""

from __future__ import annotations

import calendar
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from demo_world.blocks import ItemBlock
from demo_world.people import MONTHS, Person

FIRST_YEAR, FIRST_MONTH = 2024, 7
SEASON_PEAK = {"winter": 1, "spring": 4, "summer": 7, "autumn": 10}
PULL = 2.6
"""How strongly an item that serves a motive draws somebody who has it."""
FORESIGHT = 0.3
"""How much of a coming disappointment people see beforehand."""


@dataclass(frozen=True, slots=True)
class Touch:
    """A motive that the purchase met, and how: positive where it was served, negative where it was let down."""

    motive: str
    mood: str
    strength: float


@dataclass(frozen=True, slots=True)
class Purchase:
    person: Person
    item: ItemBlock
    time: datetime
    rating: int
    touches: tuple[Touch, ...]


@dataclass(frozen=True, slots=True)
class Demand:
    """An item's pull on everybody, month by month."""

    by_month: tuple[float, ...]


def month_start(month: int) -> datetime:
    years, months = divmod(FIRST_MONTH - 1 + month, 12)
    return datetime(FIRST_YEAR + years, months + 1, 1, tzinfo=UTC)


def demand_of(rng: Random, item: ItemBlock) -> Demand:
    appeal = rng.lognormvariate(0.0, 0.55)
    factor = {"rising": _rising, "fading": _fading, "spiky": _spiky, "new": _new}.get(item.shape, _steady)(rng)
    if item.shape in SEASON_PEAK:
        factor = _seasonal(SEASON_PEAK[item.shape])
    return Demand(tuple(appeal * value for value in factor))


def _steady(rng: Random) -> list[float]:
    return [rng.uniform(0.9, 1.1) for _ in range(MONTHS)]


def _rising(rng: Random) -> list[float]:
    middle, pace = rng.uniform(10, 16), rng.uniform(2.0, 3.5)
    return [0.25 + 2.3 / (1 + math.exp(-(month - middle) / pace)) for month in range(MONTHS)]


def _fading(rng: Random) -> list[float]:
    return _rising(rng)[::-1]


def _spiky(rng: Random) -> list[float]:
    values = [0.55] * MONTHS
    for peak in rng.sample(range(3, MONTHS - 1), 2):
        for after, height in enumerate((5.0, 2.4, 1.0)):
            if peak + after < MONTHS:
                values[peak + after] += height
    return values


def _new(rng: Random) -> list[float]:
    launch = rng.randrange(15, 20)
    return [0.0 if month < launch else 1.5 + 2.2 * math.exp(-(month - launch) / 3) for month in range(MONTHS)]


def _seasonal(peak: int) -> list[float]:
    turn = [math.cos(2 * math.pi * (FIRST_MONTH + month - peak) / 12) for month in range(MONTHS)]
    return [max(0.12, 1.0 + 1.25 * value) for value in turn]


def buy(rng: Random, people: list[Person], items: list[ItemBlock], demands: dict[str, Demand]) -> list[Purchase]:
    """Everybody's purchases over the two years, in the order of time."""
    shelves: dict[str, list[ItemBlock]] = {}
    for item in items:
        shelves.setdefault(item.scenario, []).append(item)
    purchases = [p for person in people for p in _purchases_of(rng, person, shelves, demands)]
    return sorted(purchases, key=lambda p: (p.time, p.person.id, p.item.id))


def _purchases_of(rng: Random, person: Person, shelves: dict[str, list[ItemBlock]], demands: dict[str, Demand]) -> list[Purchase]:
    owned: set[str] = set()
    found = []
    months = sorted(rng.randrange(person.first_month, MONTHS) for _ in range(person.purchases))
    for month in months:
        scenario = rng.choices(list(person.scenarios), list(person.scenarios.values()))[0]
        shelf = [item for item in shelves[scenario] if item.id not in owned]
        motives = person.motives_in(month)
        weights = [demands[item.id].by_month[month] * math.exp(PULL * _promise(motives, item)) for item in shelf]
        if sum(weights) <= 0:
            continue
        item = rng.choices(shelf, weights)[0]
        owned.add(item.id)
        touches = touches_of(motives, item)
        found.append(Purchase(person, item, _moment(rng, month), _rating(rng, person, touches), touches))
    return found


def _promise(motives: dict[str, float], item: ItemBlock) -> float:
    serves = sum(weight * item.serves.get(motive, 0.0) for motive, weight in motives.items())
    fails = sum(weight * item.disappoints.get(motive, 0.0) for motive, weight in motives.items())
    return serves - FORESIGHT * fails


def touches_of(motives: dict[str, float], item: ItemBlock) -> tuple[Touch, ...]:
    """What this item meets in this person, the strongest first."""
    met = [Touch(m, "positive", w * item.serves[m]) for m, w in motives.items() if m in item.serves]
    met += [Touch(m, "negative", w * item.disappoints[m]) for m, w in motives.items() if m in item.disappoints]
    return tuple(sorted(met, key=lambda touch: (-touch.strength, touch.motive)))


def _rating(rng: Random, person: Person, touches: tuple[Touch, ...]) -> int:
    balance = sum(touch.strength if touch.mood == "positive" else -1.5 * touch.strength for touch in touches)
    value = 3.55 + 1.5 * math.tanh(1.3 * balance) + person.bias + rng.gauss(0.0, 0.55)
    return max(1, min(5, round(value)))


def _moment(rng: Random, month: int) -> datetime:
    start = month_start(month)
    days = calendar.monthrange(start.year, start.month)[1]
    hour = rng.choices(range(24), (2, 1, 1, 1, 1, 2, 4, 6, 7, 6, 6, 6, 7, 6, 5, 5, 6, 7, 9, 11, 13, 12, 9, 5))[0]
    return start + timedelta(days=rng.randrange(days), hours=hour, minutes=rng.randrange(60), seconds=rng.randrange(60))
