"""What if: the smallest edit of a profile that brings an item among the first, or out of them, found by asking the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from math import log2

from persona_core.engine import Engine, Options, Ranked
from persona_core.explain.evidence import wishes_of
from persona_core.explain.grammar import capital, clipped, listed, quoted
from persona_core.explain.questions import excluded_by
from persona_core.profiles.edits import MOST_PHRASES, flipped, weighing, with_like, without
from persona_core.schema import Persona, Profile, Stance

STRENGTHS = (0.3, 1.0, 2.0, 3.0)
LEAST_FACTOR = 1.25
"""A strength that is nearly the old one is no change worth trying."""
DROP, ADD, TAKE, TURN = 1.0, 2.0, 2.0, 2.5
"""How large an edit is: dropping a dislike, adding a like, taking one away, turning one into the other. Another strength of a like
counts half its doublings or halvings."""
MOST_ADDED = 4
MOST_ASKED = 500
"""Questions to the engine for one answer; some milliseconds each."""


@dataclass(frozen=True, slots=True)
class Tweak:
    """One small edit that can be tried."""

    kind: str
    phrase: str
    size: float
    words: str
    """What the reader would do, after "if you"."""
    make: Callable[[Profile], Profile]


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The smallest edit found, or none."""

    item_id: str
    profile: Profile | None
    """The edited profile, whose answer has `after`; None where no edit within bounds does it."""
    edits: tuple[Tweak, ...]
    before: int | None
    after: int | None
    asked: int
    text: str


def what_if(engine: Engine, profile: Profile, options: Options | None, item_id: str, k: int = 10) -> WhatIf:
    """The smallest edit that moves the item into the first k, or out of them if it is there.

    All single edits are tried before any two together, smaller ones first; so what is found is the smallest of the kinds tried.
    """
    before = engine.rank(profile, options)
    rank = before.rank(engine.code[item_id])
    title = engine.item(item_id).title
    if rank is None:
        why = listed(excluded_by(engine, before, item_id))
        return WhatIf(item_id, None, (), None, None, 1, f"No edit of your profile brings {title} into the list: {why}.")
    inwards = rank > k
    search = _Search(engine, options or before.options, engine.code[item_id], k, inwards)
    found = search.first_that_does(profile, tweaks(engine, profile, before, item_id, inwards))
    if found is None:
        return WhatIf(item_id, None, (), rank, None, search.asked, _nothing(title, rank, k, search))
    edits, edited, after = found
    return WhatIf(item_id, edited, edits, rank, after, search.asked, _in_words(title, edits, rank, after, len(before.order)))


def tweaks(engine: Engine, profile: Profile, before: Ranked, item_id: str, inwards: bool) -> list[Tweak]:
    """All single edits worth trying, the smallest first."""
    found = [*_of_likes(profile, inwards), *_of_dislikes(profile)]
    if inwards and len(profile.likes) < MOST_PHRASES:
        known = {one.text for one in (*profile.likes, *profile.dislikes)}
        new = [text for text in _offered(engine, before, item_id) if text not in known][:MOST_ADDED]
        found += [Tweak("add", text, ADD, f"add {quoted(text)}", partial(_adding, text)) for text in new]
    return sorted(found, key=lambda one: (one.size, one.kind, one.phrase))


def _of_likes(profile: Profile, inwards: bool) -> Iterator[Tweak]:
    for like in profile.likes:
        text = like.text
        yield Tweak("remove", text, TAKE, f"take {quoted(text)} away", partial(_without, text))
        if not inwards:
            yield Tweak("flip", text, TURN, f"turn {quoted(text)} into a dislike", partial(_flipped, text))
        for strength in STRENGTHS:
            doublings = abs(log2(strength / like.strength))
            if doublings >= log2(LEAST_FACTOR):
                words = f"let {quoted(text)} count {strength:g} instead of {like.strength:g}"
                yield Tweak("strength", text, doublings / 2, words, partial(_weighing, text, strength))


def _of_dislikes(profile: Profile) -> Iterator[Tweak]:
    for one in profile.dislikes:
        yield Tweak("drop", one.text, DROP, f"drop the dislike {quoted(one.text)}", partial(_without, one.text))
        if not one.fault:  # nobody comes to like a fault
            yield Tweak("flip", one.text, TURN, f"turn the dislike {quoted(one.text)} into a like", partial(_flipped, one.text))


def _offered(engine: Engine, before: Ranked, item_id: str) -> list[str]:
    """What the item's personas want, the nearest to the reader first: phrases that could stand among the likes."""
    suited = [one for one in engine.personas_of(item_id) if one.stance is not Stance.DISAPPOINTS]
    nearest = sorted(suited, key=lambda one: (-_match(engine, before, one), one.id))
    return list(dict.fromkeys(text for persona in nearest for text in wishes_of(persona) if text in persona.traits))


def _match(engine: Engine, ranked: Ranked, persona: Persona) -> float:
    return float(ranked.taste.wants @ engine.direction_of(persona.id))


def _adding(text: str, profile: Profile) -> Profile:
    return with_like(profile, text)


def _without(text: str, profile: Profile) -> Profile:
    return without(profile, text)


def _flipped(text: str, profile: Profile) -> Profile:
    return flipped(profile, text)


def _weighing(text: str, strength: float, profile: Profile) -> Profile:
    return weighing(profile, text, strength)


# Asking --------------------------------------------------------------------------------------------------------------------


class _Search:
    """Asks the engine about one edit after the other, and remembers how near the best of them came."""

    def __init__(self, engine: Engine, options: Options, item: int, k: int, inwards: bool) -> None:
        self._engine, self._options = engine, options
        self._item, self._k, self._inwards = item, k, inwards
        self.asked = 0
        self.nearest: int | None = None

    def first_that_does(self, profile: Profile, singles: Sequence[Tweak]) -> tuple[tuple[Tweak, ...], Profile, int] | None:
        for edits in _smallest_first(singles):
            if self.asked >= MOST_ASKED:
                return None
            edited = applied(profile, edits)
            rank = self._rank(edited)
            if rank is not None and (rank <= self._k) is self._inwards:
                return edits, edited, rank
        return None

    def _rank(self, profile: Profile) -> int | None:
        self.asked += 1
        rank = self._engine.rank(profile, self._options).rank(self._item)
        if rank is not None and (self.nearest is None or (rank < self.nearest) is self._inwards):
            self.nearest = rank
        return rank


def applied(profile: Profile, edits: Iterable[Tweak]) -> Profile:
    """The profile after all of these edits; together they are one new version."""
    edited = profile
    for edit in edits:
        edited = edit.make(edited)
    return edited.model_copy(update={"version": profile.version + 1})


def _smallest_first(singles: Sequence[Tweak]) -> Iterator[tuple[Tweak, ...]]:
    yield from ((one,) for one in singles)
    pairs = [pair for pair in combinations(singles, 2) if pair[0].phrase != pair[1].phrase]
    yield from sorted(pairs, key=lambda pair: pair[0].size + pair[1].size)


# Words ---------------------------------------------------------------------------------------------------------------------


def _in_words(title: str, edits: Sequence[Tweak], before: int, after: int, of: int) -> str:
    moves = "rises" if after < before else "falls"
    return f"If you {listed([one.words for one in edits])}, {clipped(title)} {moves} from {before:,} to {after:,} (of {of:,})."


def _nothing(title: str, rank: int, k: int, search: _Search) -> str:
    aim = f"bring {clipped(title)} among the first {k:,}" if rank > k else f"move {clipped(title)} out of the first {k:,}"
    bound = "no edit of one phrase, nor of two," if search.asked < MOST_ASKED else f"none of the {MOST_ASKED:,} smallest edits"
    nearest = f"; the nearest came to {search.nearest:,}, from {rank:,}" if search.nearest is not None else ""
    return capital(f"{bound} would {aim}{nearest}.")
