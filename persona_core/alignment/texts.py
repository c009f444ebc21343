"""Profiles and personas as whole texts, and pairs of both to fine-tune an encoder on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Self

import numpy as np
import numpy.typing as npt

from persona_core.alignment.head import Head, unit
from persona_core.alignment.pairs import NOBODY, Codes, Pairs, World, drafts_without
from persona_core.personas.files import text_of
from persona_core.profiles.building import Rules
from persona_core.schema import Profile
from persona_core.text.encoder import Matrix

HARD = 2
"""How many hard negatives a pair has at most: each costs as much time as the positive."""
NEAR = 32
"""Among so many nearest strangers the hard ones are drawn: the very nearest are the same few for everybody, and too often right."""


@dataclass(frozen=True, slots=True)
class TextPair:
    """What somebody is like without an item that they liked, and one of the personas of that item."""

    anchor: str
    positive: str
    item: int
    user: int
    negatives: tuple[str, ...] = ()
    negative_items: tuple[int, ...] = ()
    own: frozenset[int] = frozenset()
    """All items that the person came to: what suits people there is no negative of theirs, beside those chosen above."""


@dataclass(frozen=True, slots=True)
class PersonaTexts:
    """The personas among which that of a held-out pair is to be found."""

    texts: tuple[str, ...]
    items: tuple[int, ...]

    @classmethod
    def of(cls, world: World) -> Self:
        return cls(tuple(text_of(one) for one in world.personas), tuple(world.persona_items.tolist()))

    @classmethod
    def named_in(cls, pairs: Sequence[TextPair]) -> Self:
        """All that the pairs speak of, each once."""
        positives = ((one.positive, one.item) for one in pairs)
        negatives = (both for one in pairs for both in zip(one.negatives, one.negative_items, strict=True))
        known = sorted({*positives, *negatives})
        return cls(tuple(text for text, _ in known), tuple(item for _, item in known))


def profile_text(profile: Profile) -> str:
    """What of a profile is encoded: the one text builder, for training and for serving.

    The likes, the strongest first, then the text. A built text tells the dislikes already; those that it does not tell come last.
    """
    likes = "; ".join(one.text.rstrip(". ") for one in sorted(profile.likes, key=lambda one: -one.strength))
    untold = [one.text.rstrip(". ") for one in profile.dislikes if one.text not in profile.text]
    parts = [likes and f"{likes}.", profile.text.strip(), *(f"They would rather not have {text}." for text in untold)]
    return " ".join(part for part in parts if part)


def text_pairs(
    world: World, pairs: Pairs, head: Head, rules: Rules | None = None, *, hard: int = HARD, seed: int = 7
) -> list[TextPair]:
    """The pairs in words; those of whose person nothing is known, or whose item suits nobody that we know of, are left out.

    The positive is the persona that the teacher names (hindsight, or the judge, see `with_teacher`), else the nearest to the profile.
    Hard negatives are, in this order: the item's nearest other suiting persona, if a teacher chose between them; whom the item
    disappoints; and strangers, drawn from those nearest to the profile among the personas of items that the person never came to.

    Args:
        world: the one that the pairs were made from; nothing outside it is looked at.
        pairs: from `pairs_of`, with the same rules.
        head: whose middles the frozen vectors are taken from, as in `pairs_of`.
        hard: how many hard negatives a pair gets, if there are so many.
    """
    mine = _Mine(world, head)
    positives = [mine.positive(*row) for row in zip(pairs.item.tolist(), pairs.persona.tolist(), pairs.words, strict=True)]
    anchors = anchors_of(world, pairs, rules or Rules())
    usable = [(row, anchor) for row, anchor in enumerate(anchors) if anchor and positives[row] != NOBODY]
    liked: dict[int, set[str]] = {}
    for row, _ in usable:
        liked.setdefault(int(pairs.user[row]), set()).add(mine.texts[positives[row]])
    generator = np.random.default_rng(seed)
    own = [frozenset(codes.tolist()) for codes in pairs.own]
    found = []
    for row, anchor in usable:
        user, item = int(pairs.user[row]), int(pairs.item[row])
        hardest = mine.negatives(pairs, row, positives[row], generator)
        negatives = [one for one in hardest if mine.texts[one] not in liked[user]][:hard]
        texts, items = tuple(mine.texts[one] for one in negatives), tuple(int(mine.items[one]) for one in negatives)
        found.append(TextPair(anchor, mine.texts[positives[row]], item, user, texts, items, own[user]))
    return found


def anchors_of(world: World, pairs: Pairs, rules: Rules) -> Iterator[str]:
    """For each pair the text of its person's profile as it would be without the item; empty where nothing would be known."""
    for code, rows in groupby(range(len(pairs)), key=lambda row: int(pairs.user[row])):
        without = drafts_without(world, pairs.users[code], rules)
        for row in rows:
            yield profile_text(without(int(pairs.item[row])))


class _Mine:
    """The personas of a world, by how near they lie to a profile."""

    def __init__(self, world: World, head: Head) -> None:
        self.texts = [text_of(one) for one in world.personas]
        self.items: Codes = world.persona_items
        self._vectors = unit(world.vectors - head.middle_of_personas)
        self._suits: npt.NDArray[np.bool_] = ~world.disappoints
        self._rows: dict[int, list[int]] = {}
        for row, item in enumerate(self.items.tolist()):
            self._rows.setdefault(item, []).append(row)

    def positive(self, item: int, known: int, words: Matrix) -> int:
        """The persona that a teacher named, else the nearest whom the item suits; NOBODY where it suits nobody."""
        return known if known != NOBODY else next(iter(self._of_item(item, True, self._vectors @ words)), NOBODY)

    def negatives(self, pairs: Pairs, row: int, positive: int, generator: np.random.Generator) -> list[int]:
        """The hard ones, the most telling first."""
        item, near = int(pairs.item[row]), self._vectors @ pairs.words[row]
        others = [one for one in self._of_item(item, True, near) if one != positive] if pairs.persona[row] != NOBODY else []
        strangers = self._strangers(pairs.own[pairs.user[row]], near)
        drawn = [strangers[at] for at in generator.permutation(len(strangers))]
        return [*others[:1], *self._of_item(item, False, near)[:1], *drawn]

    def _of_item(self, item: int, suited: bool, near: Matrix) -> list[int]:
        """Those whom it suits, or those whom it disappoints; the nearest first."""
        rows = (row for row in self._rows.get(item, ()) if self._suits[row] == suited)
        return sorted(rows, key=lambda row: (-float(near[row]), row))

    def _strangers(self, own: Codes, near: Matrix) -> list[int]:
        """The nearest persona of each of the nearest items that the person never came to."""
        rows = np.flatnonzero(self._suits & ~np.isin(self.items, own))
        nearest: dict[int, int] = {}
        for row in rows[np.argsort(-near[rows], kind="stable")].tolist():
            nearest.setdefault(int(self.items[row]), row)
            if len(nearest) == NEAR:
                break
        return list(nearest.values())
