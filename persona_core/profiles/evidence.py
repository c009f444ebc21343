"""What a history says of somebody's needs: what they wrote, and what the things they liked are liked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from persona_core.schema import Persona, Stance
from persona_core.text.encoder import Matrix
from persona_core.text.stored import blocks_of

Numbers = npt.NDArray[np.float64]
INDIFFERENT = 2.7
"""Stars at which a thing says nothing about the taste of whoever bought it."""
UNRATED = 0.4
"""How pleased somebody is taken to be who says nothing of it: they did choose it."""
STANCE_SAYS = {Stance.SUITS: 1.0, Stance.MIXED: 0.0, Stance.DISAPPOINTS: -0.5}
DAY = 86_400.0


def pleased(rating: float | None) -> float:
    """From -0.74 for one star to 1 for five."""
    return UNRATED if rating is None or rating != rating else (rating - INDIFFERENT) / (5.0 - INDIFFERENT)


def recency(age_days: float, half_life_days: float) -> float:
    """How much what happened so long ago still counts."""
    return float(0.5 ** (max(age_days, 0.0) / half_life_days))


@dataclass(frozen=True, slots=True)
class Visit:
    """One thing that somebody came to: which item, when, how pleased they were, and what they said of it."""

    review_id: str
    item: int
    time: int
    pleased: float
    rows: tuple[int, ...] = ()
    """Positions of the aspects that they wrote, in the world's evidence."""


@dataclass(frozen=True, slots=True)
class NeedEvidence:
    """What is known in a world about needs: of every aspect, and of every item."""

    of_aspects: Matrix
    """How far each aspect speaks of each need beyond the usual."""
    faults: npt.NDArray[np.bool_]
    """Which aspects find fault."""
    of_items: Matrix
    """How far each item serves each need beyond the usual item."""

    @classmethod
    def of(
        cls, evidence: Matrix, faults: npt.ArrayLike, persona_needs: Matrix, personas: Sequence[Persona], items: Sequence[str]
    ) -> NeedEvidence:
        """From log evidence of the aspects' and of the personas' needs (see `Judge.evidence`).

        The aspects' evidence is what becomes of it: of millions there is no room for two.
        """
        code = {item: place for place, item in enumerate(items)}
        served: Matrix = np.zeros((len(items), evidence.shape[1]), np.float32)
        for persona, needs in zip(personas, shares(persona_needs), strict=True):
            served[code[persona.item_id]] += persona.weight * STANCE_SAYS[persona.stance] * needs
        said = np.asarray(evidence, np.float32)
        for block in blocks_of(said):
            said[block] = shares(said[block])
        said -= said.mean(0) if len(said) else 0.0
        return cls(said, np.array(faults, bool), (served - served.mean(0)).astype(np.float32))

    def lift_rows(self, visits: Sequence[Visit], now: int, half_life_days: float, own_say: float) -> tuple[Numbers, Numbers]:
        """How far each visit speaks of each need, beyond the usual: by what pleased and by what let down. Their sums are the lifts."""
        wants, woes = np.zeros((2, len(visits), self.of_items.shape[1]))
        for place, visit in enumerate(visits):
            counts = recency((now - visit.time) / DAY, half_life_days)
            served = self.of_items[visit.item]
            # what let somebody down speaks against what it serves, and not for all that it does not serve
            wants[place] = counts * visit.pleased * (served if visit.pleased > 0 else np.maximum(served, 0.0))
            if visit.rows:
                rows = list(visit.rows)
                wants[place] += counts * own_say * self.of_aspects[rows].sum(0) / len(rows) ** 0.5
                wrong = [row for row in rows if self.faults[row]]
                if wrong:
                    woes[place] = counts * self.of_aspects[wrong].sum(0) / len(wrong) ** 0.5
        return wants, woes


def shares(evidence: Matrix) -> Matrix:
    """Log evidence as shares that sum to one."""
    if not len(evidence):
        return evidence
    raised = np.exp(evidence - evidence.max(1, keepdims=True))
    found: Matrix = (raised / raised.sum(1, keepdims=True)).astype(np.float32)
    return found


def visits_of(rows: Any, item_code: dict[str, int], said: dict[str, list[int]]) -> dict[str, list[Visit]]:
    """Every user's visits in order of time, from the rows of a frame of reviews; `said` are aspect rows by review."""
    found: dict[str, list[Visit]] = {}
    for row in rows.sort_values(["time", "review_id"]).itertuples(index=False):
        rating = None if row.rating is None or row.rating != row.rating else float(row.rating)
        visit = Visit(
            row.review_id, item_code[row.item_id], int(row.time.timestamp()), pleased(rating), tuple(said.get(row.review_id, ()))
        )
        found.setdefault(row.user_id, []).append(visit)
    return found
