"""A profile as a vector: the one builder that training and serving share.

A taste is a sum of components (a phrase, a sentence, a past item), each with its weight: so an edit moves it at once, and
what each component adds to a match can be read off.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from persona_core.alignment.head import Head, LowRank, unit
from persona_core.schema import Profile
from persona_core.text.encoder import DIMENSION, Matrix
from persona_core.text.sentences import sentence_spans

TEXT_SAY = 0.5
"""What the free text weighs beside the phrases, which weigh 1 together."""
DISLIKE_SAY = 1.0
MIX = 0.5
"""How much the words weigh beside the past, where there are both."""
MOST_SENTENCES, LONGEST_TEXT = 12, 4_000
REFUSES = re.compile(
    r"\b(?:rather not(?: have)?|avoids?|dislikes?|hates?|loathes?|can(?:not| not|['’]t) (?:stand|bear|abide)"
    r"|(?:do|does)(?:n['’]t| not) (?:like|want|need|enjoy|care for)|not into|tired of|sick of|fed up with|no interest in|no more)\b",
    re.IGNORECASE,
)


class Role(StrEnum):
    LIKE = "like"
    DISLIKE = "dislike"
    TEXT = "text"
    PAST = "past"


@dataclass(frozen=True, slots=True)
class Component:
    """One thing a taste is made of; its weight is negative where it pushes away."""

    role: Role
    label: str
    """The phrase, the sentence, or the id of the past item."""
    weight: float


@dataclass(frozen=True, slots=True)
class Taste:
    """A profile as vectors. `wants` has length 1 and is the sum of `shares`, one row a component; `fears` meets what disappoints."""

    components: tuple[Component, ...]
    shares: Matrix
    fears: Matrix

    @property
    def wants(self) -> Matrix:
        total: Matrix = self.shares.sum(0)
        return total

    def contributions(self, persona: Matrix) -> list[tuple[Component, float]]:
        """What each component adds to the match with this (mapped) persona; they sum to the match."""
        return list(zip(self.components, (self.shares @ persona).tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a profile, sorted out: what attracts, what repels, and what is feared as a fault."""

    components: tuple[Component, ...]
    feared: tuple[Component, ...]

    @property
    def texts(self) -> list[str]:
        return [one.label for one in (*self.components, *self.feared)]


Encode = Callable[[Sequence[str]], Matrix]
IsFault = Callable[[str], bool]


def words_of(profile: Profile, is_fault: IsFault) -> Words:
    """Likes attract. A dislike of a fault is looked for among complaints; one of a kind of thing pushes away."""
    total = sum(one.strength for one in profile.likes) or 1.0
    attracts = [Component(Role.LIKE, one.text, one.strength / total) for one in profile.likes]
    dislikes = [(Component(Role.DISLIKE, one.text, one.strength / total), one.fault) for one in profile.dislikes]
    told = {one.text for one in profile.dislikes}
    sentences = [profile.text[start:end].strip() for start, end in sentence_spans(profile.text[:LONGEST_TEXT])[:MOST_SENTENCES]]
    for sentence in sentences:
        refused = refused_in(sentence)
        if refused in told:
            continue  # the phrase says it already
        if refused:
            dislikes.append((Component(Role.DISLIKE, refused, TEXT_SAY / len(sentences)), None))
        else:
            attracts.append(Component(Role.TEXT, sentence, TEXT_SAY / len(sentences)))
    faults = {one.label: is_fault(one.label) if fault is None else fault for one, fault in dislikes}
    feared = [one for one, _ in dislikes if faults[one.label]]
    attracts += [replace(one, weight=-DISLIKE_SAY * one.weight) for one, _ in dislikes if not faults[one.label]]
    return Words(tuple(attracts), tuple(feared))


def said_in(profiles: Iterable[Profile]) -> list[str]:
    """Every phrase and sentence of these profiles."""
    return [text for one in profiles for text in words_of(one, lambda _: False).texts]


def refused_in(sentence: str) -> str:
    """What a sentence says that somebody does not want; empty where it refuses nothing."""
    found = REFUSES.search(sentence)
    return (sentence[found.end() :].strip(" .,;:!") or sentence) if found else ""


def taste_of(
    words: Words, past: Mapping[str, float], item_vectors: Callable[[str], Matrix | None], encode: Encode, head: Head, mix: float = MIX
) -> Taste:
    """The taste that these words and this past add up to; where one of the two is missing, the other is all.

    Args:
        words: from `words_of`.
        past: how much each past item counts, by id; negative where it let them down.
        item_vectors: an item's middle (see `item_middles`), None where it has no personas.
        encode: the base encoder's topics of texts.
        mix: how much the words weigh beside the past.
    """
    vectors = encode(words.texts)
    said = weighted(vectors[: len(words.components)], words.components, head)
    known = [
        (Component(Role.PAST, item, weight), vector) for item, weight in past.items() if (vector := item_vectors(item)) is not None
    ]
    done = rows_of([vector * one.weight for one, vector in known])
    mix = 1.0 if not len(done) else 0.0 if not len(said) else mix
    shares = np.concatenate([_scaled(said, head.words, mix), _scaled(done, head.past, 1.0 - mix)])
    shares = np.asarray(shares / max(float(np.linalg.norm(shares.sum(0))), 1e-9), np.float32)
    fears = weighted(vectors[len(words.components) :], words.feared, head).sum(0)
    return Taste((*words.components, *(one for one, _ in known)), shares, unit(head.words(unit(fears))))


def rows_of(vectors: Sequence[Matrix]) -> Matrix:
    rows: Matrix = np.array(vectors, np.float32).reshape(-1, DIMENSION)
    return rows


def weighted(vectors: Matrix, components: Sequence[Component], head: Head) -> Matrix:
    """Each text's direction times its weight."""
    rows: Matrix = unit(vectors - head.middle_of_words) * np.array([one.weight for one in components], np.float32)[:, None]
    return rows


def _scaled(rows: Matrix, mapping: LowRank, share: float) -> Matrix:
    """The rows mapped, all times the one number that gives their sum the length `share` before the map."""
    length = float(np.linalg.norm(rows.sum(0)))
    return mapping(rows) * np.float32(share / length) if length > 1e-6 else rows * np.float32(0)
