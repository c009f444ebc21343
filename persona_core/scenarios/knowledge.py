"""What scenarios have in common and what a person's taste in one says of another, counted and put into words without a model.

A person's wishes in a scenario are the needs that their visits there speak of beyond what everybody's visits there do. Two scenarios
go together as far as people's wishes in both are more alike than two strangers' are; the needs that make them so are the reasons.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

import numpy as np
import numpy.typing as npt

from persona_core.alignment.pairs import World
from persona_core.evaluation.statistics import clustered_interval
from persona_core.personas.aspects import KeptAspect
from persona_core.personas.needs import read_needs
from persona_core.profiles.building import Rules, strongest
from persona_core.profiles.evidence import Numbers
from persona_core.schema import Frozen, Quote
from persona_core.text.stored import blocks_of

FEWEST = 2
"""So many visits to a scenario say something of somebody's wishes there."""
MOST_WITHIN, MOST_ACROSS, MOST_REASONS = 3, 3, 4
FEWEST_SHARED = 8
"""Of fewer people in both scenarios nothing is said."""


class Interest(Frozen):
    """A need that shows in what somebody did, and the reviews that speak loudest of it."""

    need: str
    strength: float
    review_ids: tuple[str, ...] = ()


class PersonKnows(Frozen):
    """One person across scenarios."""

    user_id: str
    visits: dict[str, int]
    within: dict[str, tuple[Interest, ...]]
    across: tuple[Interest, ...]
    """What shows wherever they are."""
    only: dict[str, tuple[str, ...]]
    """Needs that show in this scenario and nowhere else that they know."""
    text: str


class Reason(Frozen):
    """A need that people bring from one scenario to the other, with what one person said of it in both."""

    need: str
    share: float
    """How much of the likeness it makes."""
    quotes: tuple[Quote, ...] = ()


class Between(Frozen):
    """Two scenarios: how much more alike a person's wishes in both are than two strangers', from -1 to 1."""

    one: str
    other: str
    people: int
    strength: float | None
    """None where too few people know both."""
    low: float | None = None
    high: float | None = None
    reasons: tuple[Reason, ...] = ()
    text: str


class About(Frozen):
    """One scenario: who comes and what for."""

    scenario: str
    people: int
    things: int
    visits: int
    liked: float
    """The share of visits that pleased."""
    wants: tuple[Interest, ...]
    text: str


@dataclass(frozen=True)
class Ground:
    """Everybody's wishes by scenario, of one world: what all knowledge is read from."""

    world: World
    scenario_of: Sequence[int]
    """By item code."""
    names: Sequence[str]
    rules: Rules = field(default_factory=Rules)

    @cached_property
    def users(self) -> tuple[str, ...]:
        return tuple(sorted(self.world.visits))

    @cached_property
    def places(self) -> dict[str, int]:
        return {user: place for place, user in enumerate(self.users)}

    @cached_property
    def counts(self) -> Numbers:
        """Users by scenarios: how often they came."""
        found = np.zeros((len(self.users), len(self.names)))
        for place, user in enumerate(self.users):
            for visit in self.world.visits[user]:
                found[place, self.scenario_of[visit.item]] += 1
        return found

    @cached_property
    def lifts(self) -> Numbers:
        """Users by scenarios by needs: what their visits there speak of, beyond all things."""
        found = np.zeros((len(self.users), len(self.names), self.world.known.of_items.shape[1]))
        for place, user in enumerate(self.users):
            rows = self.rows_of(user)
            for row, visit in zip(rows, self.world.visits[user], strict=True):
                found[place, self.scenario_of[visit.item]] += row
        return found

    @cached_property
    def middles(self) -> Numbers:
        """Scenarios by needs: what everybody's visits there speak of."""
        known = self.counts >= FEWEST
        long = (_long(self.lifts[known[:, at], at]) for at in range(len(self.names)))
        return np.stack([own.mean(0) if len(own) else np.zeros(self.lifts.shape[2]) for own in long])

    @cached_property
    def wishes(self) -> Numbers:
        """The same beyond what everybody's visits there speak of, at length 1; nothing where too little is known."""
        return beyond(self.lifts, self.counts, self.middles)

    def rows_of(self, user: str) -> Numbers:
        """By visit and need."""
        rules = self.rules
        return self.world.known.lift_rows(self.world.visits[user], self.world.now, rules.half_life_days, rules.own_say)[0]


def beyond(lifts: Numbers, counts: Numbers, middles: Numbers) -> Numbers:
    """Wishes from lifts, people by scenarios by needs: what is not everybody's, at length 1; nothing where too little is known."""
    found = np.zeros(lifts.shape)
    for block in blocks_of(found):
        found[block] = _long((_long(lifts[block]) - middles) * (counts[block] >= FEWEST)[:, :, None])
    return found


def _long(rows: Numbers) -> Numbers:
    found: Numbers = rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9)
    return found


# People ------------------------------------------------------------------------------------------------------------------


def person_knows(ground: Ground, user: str) -> PersonKnows:
    """What carries over and what does not; of somebody of whom too little is known, empty words."""
    place = ground.places[user]
    there = [at for at in range(len(ground.names)) if ground.counts[place, at] >= FEWEST]
    lifts = ground.lifts[place]
    rows = ground.rows_of(user)
    within = {ground.names[at]: _interests(ground, user, rows, lifts[at], at, MOST_WITHIN) for at in there}
    across: tuple[Interest, ...] = ()
    only: dict[str, tuple[str, ...]] = {}
    if len(there) > 1:
        least = np.sort(lifts[there], axis=0)[-2]  # a need carries over as far as it shows in a second place
        across = _interests(ground, user, rows, least, None, MOST_ACROSS)
        needs = [need.id for need in read_needs()]
        for at in there:
            others = lifts[[one for one in there if one != at]].max(0)
            names = {one.need for one in within[ground.names[at]]}
            only[ground.names[at]] = tuple(name for name in needs if name in names and others[needs.index(name)] <= 0)
    visits = {ground.names[at]: int(ground.counts[place, at]) for at in range(len(ground.names)) if ground.counts[place, at]}
    text = person_in_words(visits, within, across, only)
    return PersonKnows(user_id=user, visits=visits, within=within, across=across, only=only, text=text)


def _interests(ground: Ground, user: str, rows: Numbers, lifts: Numbers, at: int | None, most: int) -> tuple[Interest, ...]:
    """The needs that stand out, each with the visits that speak loudest of it: in one scenario, or anywhere."""
    visits = ground.world.visits[user]
    inside = np.array([at is None or ground.scenario_of[visit.item] == at for visit in visits])
    found = []
    for need, strength in strongest(lifts, most):
        says = np.where(inside, rows[:, need], 0.0)
        loud = [visits[row].review_id for row in np.argsort(-says, kind="stable")[:2] if says[row] > 0]
        found.append(Interest(need=read_needs()[need].id, strength=strength, review_ids=tuple(loud)))
    return tuple(found)


def person_in_words(
    visits: Mapping[str, int], within: Mapping[str, Sequence[Interest]], across: Sequence[Interest], only: Mapping[str, Sequence[str]]
) -> str:
    """One sentence a scenario, then what shows everywhere, then what stays where it is."""
    said = [f"In {name} this person {_and(one.need for one in some)}." for name, some in within.items() if some]
    if across:
        said.append(f"Wherever they are, this person {_and(one.need for one in across)}.")
    said += [f"Only in {name} this person {_and(needs)}." for name, needs in only.items() if needs]
    return " ".join(said)


# Scenarios ---------------------------------------------------------------------------------------------------------------


def about(ground: Ground, at: int) -> About:
    known = ground.counts[:, at] > 0
    inside = [visit for user in ground.users for visit in ground.world.visits[user] if ground.scenario_of[visit.item] == at]
    other = np.array([one for one in range(len(ground.names)) if one != at], int)
    own = ground.lifts[known, at].mean(0) if known.any() else np.zeros(ground.lifts.shape[2])
    usual = ground.lifts[:, other].sum((0, 1)) / max(1, int((ground.counts[:, other] > 0).sum()))
    wants = tuple(Interest(need=read_needs()[need].id, strength=strength) for need, strength in strongest(own - usual, MOST_WITHIN))
    people, things = int(known.sum()), sum(1 for one in ground.scenario_of if one == at)
    liked = float(np.mean([visit.pleased > 0 for visit in inside])) if inside else 0.0
    name = ground.names[at]
    text = f"{name.capitalize()}: {people} people, {things} things, {len(inside)} visits, {liked:.0%} of them pleased."
    if wants:
        text += f" More than elsewhere, who comes here {_and(one.need for one in wants)}."
    return About(scenario=name, people=people, things=things, visits=len(inside), liked=liked, wants=wants, text=text)


def between(ground: Ground, aspects: Sequence[KeptAspect], seed: int = 7) -> list[Between]:
    """Every two scenarios."""
    return [_between(ground, one, other, aspects, seed) for one, other in combinations(range(len(ground.names)), 2)]


def _between(ground: Ground, one: int, other: int, aspects: Sequence[KeptAspect], seed: int) -> Between:
    both = np.flatnonzero((ground.counts[:, [one, other]] >= FEWEST).all(1))
    names = ground.names[one], ground.names[other]
    if len(both) < FEWEST_SHARED:
        text = f"Too few people know both {names[0]} and {names[1]} to say how they go together."
        return Between(one=names[0], other=names[1], people=len(both), strength=None, text=text)
    here, there = ground.wishes[both, one], ground.wishes[both, other]
    alike = (here * there).sum(1) - here @ there.mean(0)
    strength = clustered_interval(alike, both, seed=seed)
    parts = (here * there).mean(0) - here.mean(0) * there.mean(0)
    reasons = [_reason(ground, need, share, both, (one, other), aspects) for need, share in _largest(parts)]
    text = between_in_words(names, float(alike.mean()), strength.low, len(both), reasons)
    return Between(one=names[0], other=names[1], people=len(both), strength=round(float(alike.mean()), 4), low=round(strength.low, 4),
                   high=round(strength.high, 4), reasons=tuple(reasons), text=text)  # fmt: skip


def _largest(parts: Numbers) -> list[tuple[int, float]]:
    whole = max(float(np.maximum(parts, 0).sum()), 1e-9)
    order = np.argsort(-parts, kind="stable")[:MOST_REASONS]
    return [(int(need), round(float(parts[need]) / whole, 3)) for need in order if parts[need] > 0]


def _reason(
    ground: Ground, need: int, share: float, both: npt.NDArray[np.int64], pair: tuple[int, int], aspects: Sequence[KeptAspect]
) -> Reason:
    """With what one person said in both, of those with the need in both: whoever speaks of it most plainly where they do so less."""
    said = ground.world.known.of_aspects[:, need]
    shared = ground.wishes[both, pair[0], need] * ground.wishes[both, pair[1], need]
    best: tuple[float, tuple[Quote, ...]] = (0.0, ())
    for place in both[shared > 0]:
        visits = ground.world.visits[ground.users[int(place)]]
        rows = [[row for visit in visits if ground.scenario_of[visit.item] == at for row in visit.rows] for at in pair]
        loudest = [max(own, key=lambda row: float(said[row]), default=None) for own in rows]
        if None not in loudest:
            plain = min(float(said[row]) for row in loudest if row is not None)
            if plain > best[0]:
                best = plain, tuple(aspects[row].aspect.quote for row in loudest if row is not None)
    return Reason(need=read_needs()[need].id, share=share, quotes=best[1])


def between_in_words(names: Sequence[str], strength: float, low: float, people: int, reasons: Sequence[Reason]) -> str:
    one, other = names
    if low <= 0:
        return f"What {people} people look for in {one} says nothing for certain of what they look for in {other}."
    much = "much" if strength >= 0.3 else "something" if strength >= 0.1 else "a little"
    why = f" What carries over most: who {_and(one.need for one in reasons[:MOST_ACROSS])}." if reasons else ""
    return f"What {people} people look for in {one} says {much} of what they look for in {other}.{why}"


def _and(needs: Iterable[str]) -> str:
    """Needs by their ids, as one phrase: "wants it light and loves fine making"."""
    phrases = {need.id: need.phrase for need in read_needs()}
    words = [phrases[one] for one in needs]
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
