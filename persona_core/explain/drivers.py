"""Who drives a trend: every visit goes to the one of the item's personas that its visitor matches best, counted by window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from persona_core.catalog.store import Catalog
from persona_core.engine import Engine
from persona_core.ranking.interactions import Interactions
from persona_core.ranking.steps import interactions_in
from persona_core.schema import Persona, Stance
from persona_core.text.encoder import Matrix
from persona_core.trends.signals import SHORT
from persona_core.trends.windows import DAY, Table

Rows = npt.NDArray[np.int64]

PAIRS_AT_ONCE = 16_384
"""So many visitors and personas are compared at a time: more would only take memory."""


@dataclass(frozen=True, slots=True)
class Driver:
    """How many came of one persona's people: lately, and in as long a time right before."""

    persona: Persona
    lately: int
    before: int


@dataclass(frozen=True, slots=True)
class Group:
    """The same of several personas together."""

    name: str
    lately: int
    before: int

    @property
    def change(self) -> int:
        return self.lately - self.before


@dataclass(frozen=True, eq=False)
class Drivers:
    """Visits by persona and window; those of visitors whose taste nobody knows, or to items that suit no persona, are left over."""

    personas: tuple[Persona, ...]
    counts: Table
    """A row for each persona; the columns are the windows of the trends."""
    items: tuple[str, ...]
    left_over: Table
    """A row for each item: visits that belong to no persona."""

    @cached_property
    def _rows(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for row, persona in enumerate(self.personas):
            found.setdefault(persona.item_id, []).append(row)
        return found

    @cached_property
    def _item(self) -> dict[str, int]:
        return {item: row for row, item in enumerate(self.items)}

    def span(self, back: int = 0) -> int:
        """Over how many windows "lately" goes, so that there is as much before it: three, or fewer where the past is short."""
        return max(1, min(SHORT, (int(self.counts.shape[1]) - back) // 2))

    def of_item(self, item_id: str, back: int = 0) -> list[Driver]:
        """The item's personas whose people could come to it, those who came most lately first."""
        found = [Driver(self.personas[row], *self._two(self.counts[row], back)) for row in self._rows.get(item_id, [])]
        told = [one for one in found if one.persona.stance is not Stance.DISAPPOINTS]
        return sorted(told, key=lambda one: (-one.lately, -one.before, one.persona.id))

    def nobodys(self, item_id: str, back: int = 0) -> tuple[int, int]:
        """How many visits of the item belong to no persona: lately, and before."""
        row = self._item.get(item_id)
        return (0, 0) if row is None else self._two(self.left_over[row], back)

    def by_group(self, groups: Mapping[str, str], back: int = 0) -> list[Group]:
        """Personas put together by a name for each; who is not named is left out. What grew most comes first."""
        names = sorted({groups[one.id] for one in self.personas if one.id in groups})
        found = []
        for name in names:
            rows = [row for row, one in enumerate(self.personas) if groups.get(one.id) == name]
            found.append(Group(name, *self._two(self.counts[rows].sum(0), back)))
        return sorted(found, key=lambda one: (-one.change, -one.lately, one.name))

    def _two(self, counts: Table, back: int) -> tuple[int, int]:
        stop, span = len(counts) - back, self.span(back)
        start = max(stop - span, 0)
        return int(counts[start:stop].sum()), int(counts[max(start - span, 0) : start].sum())


def drivers(engine: Engine) -> Drivers:
    """Counts every visit that the trends' windows count, by the persona whose people the visitor is most like.

    How well a visitor matches a persona is what `admirers` says: the cosine of what they want and the persona. Tastes are those
    of today's profiles, also for visits of long ago.
    """
    trends = engine.trends
    if trends is None:
        raise ValueError("without trends there are no windows to count in")
    windows = trends.windows
    visits = interactions_in(Catalog.of(engine.workspace.artefact("catalog"))).until(windows.end)
    place = windows.many - 1 - (windows.end - 1 - visits.time) // (windows.days * DAY)
    inside = np.flatnonzero(place >= 0).astype(np.int64)
    best = best_persona(engine, visits, inside)
    counts = np.zeros((len(engine.personas), windows.many))
    known = best >= 0
    np.add.at(counts, (best[known], place[inside][known]), 1.0)
    left_over = np.zeros((len(visits.items), windows.many))
    np.add.at(left_over, (visits.item[inside][~known], place[inside][~known]), 1.0)
    return Drivers(engine.personas, counts, visits.items, left_over)


def best_persona(engine: Engine, visits: Interactions, which: Rows) -> Rows:
    """For each of these visits the row of the persona among those the item suits that its visitor matches best; -1: nobody."""
    users, wants, _ = engine.tastes
    place = {user: row for row, user in enumerate(users)}
    visitor = np.array([place.get(user, -1) for user in visits.users], np.int64)[visits.user[which]]
    known = np.append(wants.any(1), False)[visitor]  # the last row is of who has no profile
    rows, begin, many = _rows_by_item(engine, visits.items)
    found = np.full(len(which), -1, np.int64)
    some = np.flatnonzero(known & (many[visits.item[which]] > 0))
    if not len(some):
        return found
    directions = np.stack([engine.direction_of(one.id) for one in engine.personas])
    step = max(1, PAIRS_AT_ONCE // int(many.max()))
    for start in range(0, len(some), step):
        part = some[start : start + step]
        item = visits.item[which][part]
        found[part] = _best(wants[visitor[part]], directions, rows, begin[item], many[item])
    return found


def _rows_by_item(engine: Engine, items: Sequence[str]) -> tuple[Rows, Rows, Rows]:
    """The rows of the personas whom something suits, by item; and for each item, where its own begin there and how many they are."""
    code = {item: place for place, item in enumerate(items)}
    rows = np.array([row for row, one in enumerate(engine.personas) if one.stance is not Stance.DISAPPOINTS], np.int64)
    of = np.array([code[engine.personas[row].item_id] for row in rows], np.int64)
    order = np.argsort(of, kind="stable")
    many = np.bincount(of, minlength=len(items)).astype(np.int64)
    return rows[order], np.concatenate([[0], np.cumsum(many)[:-1]]).astype(np.int64), many


def _best(wants: Matrix, directions: Matrix, rows: Rows, begin: Rows, many: Rows) -> Rows:
    """For each row of wants the best of its own personas; every one of them has at least one."""
    starts = np.concatenate([[0], np.cumsum(many)[:-1]])
    visit = np.repeat(np.arange(len(many)), many)
    pair = rows[np.repeat(begin - starts, many) + np.arange(int(many.sum()))]
    match = np.einsum("ij,ij->i", wants[visit], directions[pair])
    order = np.lexsort((pair, -match, visit))  # of equals the first
    return np.asarray(pair[order][starts], np.int64)
