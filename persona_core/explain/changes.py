"""What an edit did: which items entered and left the first, which moved, and the phrase that did it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from persona_core.engine import Engine, Ranked
from persona_core.explain.differences import Edit, edits_between, undone
from persona_core.explain.grammar import clipped, quoted
from persona_core.ranking.parts import PARTS
from persona_core.schema import Persona

MOST_EDITS = 24
"""With more edits than this at once, nobody asks which of them did it: all did."""
SMALL = 0.0005


@dataclass(frozen=True, slots=True)
class Shift:
    """One component's share in a match, before and after."""

    role: str
    label: str
    before: float
    after: float

    @property
    def difference(self) -> float:
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Move:
    """One item whose place changed; no rank where it is not in that order at all."""

    item_id: str
    before: int | None
    after: int | None
    persona_id: str
    """The persona whose match is taken apart: the nearest after, or before for what left; empty where it has none."""
    shifts: tuple[Shift, ...]
    """What each component adds to that match, the largest change first; their differences add up to the match's."""
    parts: tuple[tuple[str, float], ...]
    """How each part of its score changed."""
    cause: Edit | None
    """The edit that did most of it."""
    text: str


@dataclass(frozen=True, slots=True)
class Changes:
    """Two answers side by side, as far as their first k go."""

    k: int
    edits: tuple[Edit, ...]
    entered: tuple[Move, ...]
    left: tuple[Move, ...]
    moved: tuple[Move, ...]
    unchanged: int
    """How many of the first k kept their very place."""

    @property
    def text(self) -> str:
        counts = ((self.entered, "entered"), (self.left, "left"), (self.moved, "moved"))
        said = [f"{len(moves)} {verb}" for moves, verb in counts if moves]
        return f"Of the first {self.k}: {', '.join([*said, f'{self.unchanged} unchanged'])}."


def changes(engine: Engine, before: Ranked, after: Ranked, k: int = 10) -> Changes:
    """How the first k of one answer became those of the other, and which edit did what."""
    old, new = (list(dict.fromkeys(int(item) for item in one.order[:k])) for one in (before, after))
    edits = edits_between(before, after, lambda item: engine.item(item).title)
    story = _Story(engine, before, after, edits)
    moved = [item for item in new if item in old and old.index(item) != new.index(item)]
    return Changes(
        k=k,
        edits=edits,
        entered=tuple(story.move(item, after) for item in new if item not in old),
        left=tuple(story.move(item, before) for item in old if item not in new),
        moved=tuple(story.move(item, after) for item in moved),
        unchanged=sum(one == other for one, other in zip(old, new, strict=False)),
    )


def shifts_of(engine: Engine, before: Ranked, after: Ranked, persona: Persona) -> tuple[Shift, ...]:
    """Every component of either taste, with its exact share in the match with this persona; the largest change first."""
    direction = engine.direction_of(persona.id)
    shares: dict[tuple[str, str], list[float]] = {}
    for side, ranked in enumerate((before, after)):
        for component, share in ranked.taste.contributions(direction):
            shares.setdefault((str(component.role), component.label), [0.0, 0.0])[side] += share
    found = [Shift(role, label, *values) for (role, label), values in shares.items()]
    return tuple(sorted(found, key=lambda one: -abs(one.difference)))


class _Story:
    """Tells each move, asking the engine once for every edit that is left out."""

    def __init__(self, engine: Engine, before: Ranked, after: Ranked, edits: Sequence[Edit]) -> None:
        self._engine, self._before, self._after = engine, before, after
        self._without: dict[Edit, Ranked] = {}
        if 1 < len(edits) <= MOST_EDITS:
            self._without = {one: engine.rank(*undone(before, after, one)) for one in edits}
        self._edits = tuple(edits)

    def move(self, item: int, where: Ranked) -> Move:
        engine = self._engine
        match = engine.recommendation(where, item).match
        persona = engine.persona(match.persona_id) if match else None
        shifts = shifts_of(engine, self._before, self._after, persona) if persona else ()
        rows = (self._after.scores.table[item] - self._before.scores.table[item]).tolist()
        parts = tuple(zip(PARTS, rows, strict=True))
        ranks = (self._before.rank(item), self._after.rank(item))
        cause = self._cause(item, ranks)
        text = self._in_words(item, ranks, persona, shifts, cause)
        return Move(engine.items[item].id, *ranks, persona.id if persona else "", shifts, parts, cause, text)

    def _cause(self, item: int, ranks: tuple[int | None, int | None]) -> Edit | None:
        """The edit without which the item would have come least far."""
        if len(self._edits) == 1:
            return self._edits[0]
        if not self._without:
            return None
        nowhere = len(self._engine.items) + 1
        old, new = (rank or nowhere for rank in ranks)
        upwards = 1 if new < old else -1

        def done(edit: Edit) -> tuple[float, float]:
            ranked = self._without[edit]
            places = upwards * ((ranked.rank(item) or nowhere) - new)
            score = upwards * (self._after.scores.totals[item] - ranked.scores.totals[item])
            return places, float(score)

        best = max(self._edits, key=done)
        return best if done(best)[0] > 0 else None

    def _in_words(
        self, item: int, ranks: tuple[int | None, int | None], persona: Persona | None, shifts: Sequence[Shift], cause: Edit | None
    ) -> str:  # fmt: skip
        old, new = ranks
        title = clipped(self._engine.items[item].title)
        if new is None or old is None:
            head = f"{title} is no longer in the list" if new is None else f"{title} is new in the list, at {new:,}"
        else:
            head = f"{title} {'rose' if new < old else 'fell'} from {old:,} to {new:,}"
        if cause is None:
            return f"{head}: {'all your edits together did that' if self._edits else 'nothing in your profile changed'}."
        return f"{head}, because {cause.words}{self._how(item, ranks, persona, shifts, cause)}."

    def _how(
        self, item: int, ranks: tuple[int | None, int | None], persona: Persona | None, shifts: Sequence[Shift], cause: Edit
    ) -> str:  # fmt: skip
        """What the cause did to this very item, or that it did more to others."""
        own = next((one for one in shifts if one.label in cause.labels and abs(one.difference) > SMALL), None)
        gained = float(self._after.scores.totals[item] - self._before.scores.totals[item])
        upwards = (ranks[1] or len(self._engine.items) + 1) < (ranks[0] or len(self._engine.items) + 1)
        if (gained > 0) is not upwards:
            return f"; its own score {'rose' if gained > 0 else 'fell'}, but others {'fell' if upwards else 'rose'} more"
        if own is None or persona is None or (own.difference > 0) is not upwards:
            return f"; its score {'rose' if gained > 0 else 'fell'} by {abs(gained):.3f}"
        named = "that" if cause.names(own.label) else quoted(own.label)
        verb, way = ("adds", "to") if own.difference > 0 else ("takes", "from")
        return f"; {named} {verb} {abs(own.difference):.3f} {way} its match with {persona.name}"
