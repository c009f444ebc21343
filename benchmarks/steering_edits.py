"""Edits of profiles that say what they should do to the ranking, and what they did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from benchmarks.steering_words import SAID
from persona_core.alignment.phrases import PhraseBook
from persona_core.alignment.taste import rows_of
from persona_core.engine import Engine, Options
from persona_core.evaluation.truth import TrueUser, Truth
from persona_core.personas.needs import read_needs
from persona_core.profiles.edits import STRONGEST, flipped, saying, weighing, with_like, without
from persona_core.schema import Phrase, Profile
from persona_core.text.encoder import DIMENSION, Matrix

SERVES = 0.4
"""From so much on an item counts as serving a motive; in the demo world no motive is served by less, but for not at all."""
TOP = 10
Places = npt.NDArray[np.bool_]
Ranks = npt.NDArray[np.float64]


class Kind(StrEnum):
    ADD = "add a like"
    SENTENCE = "add a sentence"
    REMOVE = "remove a like"
    FLIP = "flip a like into a dislike"
    STRENGTHEN = "strengthen a like"

    @property
    def way(self) -> int:
        """1 where the items that serve the motive should rise, -1 where they should sink."""
        return -1 if self in (Kind.REMOVE, Kind.FLIP) else 1


@dataclass(frozen=True, slots=True)
class Edit:
    kind: Kind
    motive: str
    words: str
    """Whose words are edited: the world's own phrase, a paraphrase, a sentence, or the profile's own like."""
    text: str
    before: Profile
    after: Profile


class Move(NamedTuple):
    """What an edit did to the ranks of what the person has not seen; positive is the right way."""

    ranks: float
    """By how much the mean rank of the items that serve the motive moved."""
    top: int
    """How many of them came into the first ten; after an edit that should make them sink, how many left it."""
    rest_moved: float
    """By how many ranks the items that have nothing to do with the motive moved on average, among themselves."""
    rest_same: float
    """Spearman's correlation of their order before and after."""

    @property
    def right(self) -> bool:
        return self.ranks > 0


# Edits ---------------------------------------------------------------------------------------------------------------


def edits_for(
    profile: Profile, person: TrueUser, truth: Truth, niche: frozenset[str], each: int, rng: np.random.Generator
) -> list[Edit]:
    """`each` common and `each` niche motives that the person lacks, said in three ways; up to `each` likes of their own changed."""
    edits: list[Edit] = []
    for rare in (False, True):
        lacked = sorted(one for one in truth.motives if one not in person.motives and (one in niche) is rare)
        for motive in rng.choice(lacked, min(each, len(lacked)), replace=False).tolist():
            edits += additions(profile, motive, truth.motives[motive].phrase)
    own = [(like, motive) for like in profile.likes if (motive := motive_meant(like.text)) is not None]
    for place in rng.permutation(len(own))[:each].tolist():
        edits += changes(profile, own[place][1], own[place][0])
    return edits


def additions(profile: Profile, motive: str, phrase: str) -> list[Edit]:
    """The motive as a like in the world's words and in others, and as a sentence of the text."""
    other, sentence = SAID[motive].phrase, SAID[motive].sentence
    return [
        Edit(Kind.ADD, motive, "phrase", phrase, profile, with_like(profile, phrase)),
        Edit(Kind.ADD, motive, "paraphrase", other, profile, with_like(profile, other)),
        Edit(Kind.SENTENCE, motive, "sentence", sentence, profile, saying(profile, f"{profile.text} {sentence}")),
    ]


def changes(profile: Profile, motive: str, like: Phrase) -> list[Edit]:
    """The like removed, turned into a dislike of that kind of thing, and made twice as strong where it may be stronger."""
    found = [
        Edit(Kind.REMOVE, motive, "own", like.text, profile, without(profile, like.text)),
        Edit(Kind.FLIP, motive, "own", like.text, profile, flipped(profile, like.text)),
    ]
    if like.strength < STRONGEST:
        found.append(Edit(Kind.STRENGTHEN, motive, "own", like.text, profile, weighing(profile, like.text, 2 * like.strength)))
    return found


def motive_meant(phrase: str) -> str | None:
    """The motive that a built profile's phrase means; None where it means none of the world's."""
    need = next((need.id for need in read_needs() if need.phrase == phrase), None)
    return next((motive for motive, said in SAID.items() if need in said.needs), None)


def niche_motives(truth: Truth) -> frozenset[str]:
    """The half of the motives that the fewest items serve."""
    served = {one: sum(item.serves.get(one, 0.0) >= SERVES for item in truth.items.values()) for one in truth.motives}
    return frozenset(sorted(served, key=lambda one: (served[one], one))[: len(served) // 2])


def at_random(edit: Edit, number: int, book: PhraseBook, middle: Matrix, rng: np.random.Generator) -> Edit:
    """The same edit, of a text that nobody ever wrote and that points in a random direction: before and after."""
    text = f"They are like {number} of that." if edit.kind is Kind.SENTENCE else f"something {number}"
    direction = rng.standard_normal(DIMENSION)
    book.learn([text], rows_of([middle + direction / np.linalg.norm(direction)]))
    before, after = (_reworded(profile, edit.text, text) for profile in (edit.before, edit.after))
    return replace(edit, text=text, before=before, after=after)


def _reworded(profile: Profile, old: str, new: str) -> Profile:
    likes, dislikes = (
        tuple(one.model_copy(update={"text": new}) if one.text == old else one for one in phrases)
        for phrases in (profile.likes, profile.dislikes)
    )
    return profile.model_copy(update={"likes": likes, "dislikes": dislikes, "text": profile.text.replace(old, new)})


# What they did -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Served:
    """For each motive, which items truly serve it, and which have nothing to do with it."""

    by: Mapping[str, Places]
    untouched: Mapping[str, Places]

    @classmethod
    def of(cls, truth: Truth, items: Sequence[str]) -> Self:
        known = [truth.items[item] for item in items]
        by = {motive: np.array([one.serves.get(motive, 0.0) >= SERVES for one in known]) for motive in truth.motives}
        untouched = {
            motive: np.array([motive not in one.serves and motive not in one.disappoints for one in known]) for motive in truth.motives
        }
        return cls(by, untouched)


def ranks(engine: Engine, profile: Profile, options: Options) -> Ranks:
    """Each item's rank for this profile; NaN where it is no candidate, as what was seen is not."""
    found = np.full(len(engine.items), np.nan)
    order = engine.rank(profile, options).order
    found[order] = np.arange(1, len(order) + 1)
    return found


def move_of(edit: Edit, before: Ranks, after: Ranks, served: Served) -> Move | None:
    """None where nothing that serves the motive is left unseen."""
    there = ~np.isnan(before) & ~np.isnan(after)
    wanted, rest = served.by[edit.motive] & there, served.untouched[edit.motive] & there
    if not wanted.any() or rest.sum() < 2:
        return None
    was, now = places_among(before[rest]), places_among(after[rest])
    return Move(
        ranks=edit.kind.way * float((before - after)[wanted].mean()),
        top=edit.kind.way * int((after[wanted] <= TOP).sum() - (before[wanted] <= TOP).sum()),
        rest_moved=float(np.abs(was - now).mean()),
        rest_same=float(np.corrcoef(was, now)[0, 1]),
    )


def places_among(some: Ranks) -> Ranks:
    """Each one's place among these alone, from 0, so that making room for others is no move."""
    return np.argsort(np.argsort(some)).astype(np.float64)
