"""What somebody is likely to look for in a scenario they are new to: their wishes elsewhere, as others' carried over.

For every two scenarios one table says how far a wish for one need in the first goes with a wish for any need in the second, among
the people who know both (ridge regression, so that a few people say little). It is the wishes that carry over and not the things:
nothing here asks what was bought together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from persona_core.alignment.head import unit
from persona_core.profiles.evidence import Numbers
from persona_core.scenarios.knowledge import FEWEST, FEWEST_SHARED, Ground, beyond
from persona_core.text.encoder import Matrix

RIDGE = 3.0
"""Chosen on the demo world's validation part (`benchmarks.newcomers`): 1 to 30 do about as well."""

PLAIN = 3.5
"""From so many spreads of chance on it is said that two wishes go together: of all pairs of needs, chance gives about one."""


class Carry(NamedTuple):
    """A wish in one scenario that speaks for a need in another."""

    scenario: int
    need: int
    becomes: int
    adds: float
    """How much it adds to what is asked about."""


@dataclass(frozen=True, slots=True, eq=False)
class Carrying:
    """How wishes go from scenario to scenario; nothing in it changes."""

    middles: Numbers
    """Scenarios by needs: what everybody looks for there."""
    tables: Numbers
    """From scenario, to scenario, from need, to need."""
    sure: Numbers
    """As the tables: how plainly the two wishes go together in people, as a correlation in units of its spread by chance."""
    people: npt.NDArray[np.int64]
    """Who know both: scenarios by scenarios."""

    @classmethod
    def learned(cls, ground: Ground, among: npt.NDArray[np.bool_] | None = None, ridge: float = RIDGE) -> Self:
        """From everybody, or from those of `ground.users` that are named."""
        wishes, known = ground.wishes, ground.counts >= FEWEST
        if among is not None:
            known = known & among[:, None]
        many, needs = wishes.shape[1:]
        tables, sure = np.zeros((2, many, many, needs, needs))
        people = np.zeros((many, many), np.int64)
        for one in range(many):
            for other in range(many):
                both = np.flatnonzero(known[:, one] & known[:, other])
                people[one, other] = len(both)
                if one != other and len(both) >= FEWEST_SHARED:
                    here, there = (wishes[both, at] - wishes[both, at].mean(0) for at in (one, other))
                    tables[one, other] = np.linalg.solve(here.T @ here + ridge * np.eye(needs), here.T @ there)
                    spread = np.maximum(np.outer(here.std(0), there.std(0)), 1e-9)
                    sure[one, other] = here.T @ there / len(both) / spread * len(both) ** 0.5
        return cls(ground.middles, tables, sure, people)

    def wishes(self, lifts: Numbers, counts: Numbers) -> Numbers:
        """Scenarios by needs, of somebody of whom this is known; nothing where it is too little."""
        found: Numbers = beyond(lifts[None], counts[None], self.middles)[0]
        return found

    def new_to(self, counts: Numbers) -> list[int]:
        """Scenarios of which somebody knows nothing to speak of, and others like them know something."""
        there = [at for at in range(len(counts)) if counts[at] >= FEWEST]
        return [at for at in range(len(counts)) if counts[at] < FEWEST and any(self.people[one, at] >= FEWEST_SHARED for one in there)]

    def wish(self, wishes: Numbers, at: int) -> Numbers:
        """By need: what they are likely to look for there, beyond what everybody does."""
        others = [one for one in range(len(wishes)) if one != at]
        found: Numbers = np.einsum("sn,snm->m", wishes[others], self.tables[others, at])
        return found

    def carries(self, wishes: Numbers, at: int, served: Numbers, most: int) -> list[Carry]:
        """What adds most to how far something there serves them: wishes of theirs and needs it serves, which plainly go together."""
        found = []
        for one in range(len(wishes)):
            if one != at:
                adds = np.maximum(wishes[one], 0.0)[:, None] * self.tables[one, at] * np.maximum(served, 0.0)[None]
                adds = np.where(self.sure[one, at] >= PLAIN, adds, 0.0)
                for flat in np.argsort(-adds, axis=None, kind="stable")[:most]:
                    need, becomes = np.unravel_index(flat, adds.shape)
                    if adds[need, becomes] > 0:
                        found.append(Carry(one, int(need), int(becomes), float(adds[need, becomes])))
        return sorted(found, key=lambda one: (-one.adds, one.scenario, one.need, one.becomes))[:most]


def fit_of_items(carrying: Carrying, wishes: Numbers, places: Sequence[int], scenario_of: Any, served: Any) -> Numbers:
    """By item: how far it serves what carries over to its scenario, beyond the usual there; 0 in scenarios not among these places.

    From the least to the best of a scenario it rises by 1, and in its middle it is 0: being new to a scenario lifts nothing by itself.
    """
    found = np.zeros(len(served))
    for at in places:
        inside = scenario_of == at
        said = served[inside] @ carrying.wish(wishes, at)
        reach = float(np.ptp(said)) if len(said) else 0.0
        found[inside] = (said - said.mean()) / reach if reach > 0 else 0.0
    return found


def as_numbers(ground: Ground, carrying: Carrying) -> Matrix:
    """What is known of everybody, without words: their wishes by scenario, with what carries over from the others, at length 1."""
    rows = []
    for lifts, counts in zip(ground.lifts, ground.counts, strict=True):
        wishes = carrying.wishes(lifts, counts)
        rows.append(np.concatenate([wishes[at] + carrying.wish(wishes, at) for at in range(len(wishes))]))
    return unit(np.array(rows, np.float32).reshape(len(ground.users), -1))
