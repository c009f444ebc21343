"""Who speaks alike about an item: one voice for each reviewer's praise and one for their complaints, gathered into groups.

Two voices are alike when what they say lies in the same direction from what everybody says of the item, and when they speak of
the same needs. Grouping is average linkage over that, praise and complaints apart: a persona never mixes them by accident.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from persona_core.columns import rows_by
from persona_core.personas.aspects import KeptAspect
from persona_core.schema import AspectKind, Sentiment, Stance
from persona_core.text.encoder import Matrix

ALIKE = 0.13
"""How alike, from -1 to 1, two groups must be on average to be one."""
MOST_GROUPS = 7
MOST_VOICES = 300
"""Of one item and one stance; beyond that the newest stand for all."""
TOPIC_SHARE, NEED_SHARE, KINSHIP_SHARE = 0.4, 0.4, 0.2
PLEASED, DISPLEASED = 4.0, 2.0
DAMPING = 0.7
"""Sentences of one group repeat each other: n of them are evidence like n to the power of 0.3 of the mean one."""


@dataclass(frozen=True, slots=True)
class Voice:
    """What one review says with one feeling; `rows` are positions in the item's aspects."""

    review_id: str
    praising: bool
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Voices that speak alike, as one kind of person would."""

    stance: Stance
    voices: tuple[Voice, ...]
    need: int
    """The need they speak of most, by its position."""
    certainty: float
    """How far that need stands out before the next one, from 0 to 1."""

    def as_list(self) -> list[Any]:
        """As JSON can say it."""
        return [str(self.stance), self.need, self.certainty, [[one.review_id, one.praising, list(one.rows)] for one in self.voices]]

    @classmethod
    def from_list(cls, parts: list[Any]) -> Self:
        stance, need, certainty, voices = parts
        told = tuple(Voice(review, praising, tuple(rows)) for review, praising, rows in voices)
        return cls(Stance(stance), told, need, certainty)

    @property
    def rows(self) -> list[int]:
        return [row for voice in self.voices for row in voice.rows]

    @property
    def reviews(self) -> set[str]:
        return {voice.review_id for voice in self.voices}


@dataclass(frozen=True, slots=True)
class Field:
    """What is known of an item's aspects: vectors of topics, and log chances of needs against the usual."""

    topics: Matrix
    needs: Matrix
    shares: Matrix
    """How much each aspect tells of who speaks: why they came and who they are tell more than a verdict."""
    kinship: Matrix
    """How near the needs are to each other."""
    bearings: Matrix
    """For each need, the direction in which texts about it lie."""
    middle: Matrix
    """The middle of all topics, of all items: directions are taken from there."""
    usual: Matrix
    """Log chances of each need in the item's scenario; a need that hardly anybody has there must be plain to be believed."""


def voices_of(aspects: Sequence[KeptAspect]) -> list[Voice]:
    """A voice for each review and feeling; what is neutral goes with the feeling that the review has, or that its stars show."""
    by_review = rows_by(one.aspect.quote.review_id for one in aspects)
    found = []
    for review, rows in by_review.items():
        sides = {praising: [row for row in rows if _feeling(aspects[row]) is praising] for praising in (True, False)}
        neutral = [row for row in rows if _feeling(aspects[row]) is None]
        for praising, own in sides.items():
            alone = not sides[not praising]
            if own or (alone and _side_by_stars(aspects[rows[0]].rating) is praising):
                found.append(Voice(review, praising, tuple(sorted(own + neutral))))
    return found


def _feeling(one: KeptAspect) -> bool | None:
    if one.aspect.kind is not AspectKind.QUALITY or one.aspect.sentiment is Sentiment.NEUTRAL:
        return None
    return one.aspect.sentiment is Sentiment.POSITIVE


def _side_by_stars(rating: float | None) -> bool | None:
    if rating is None:
        return None
    return True if rating >= PLEASED else False if rating <= DISPLEASED else None


def group(aspects: Sequence[KeptAspect], field: Field) -> list[Group]:
    """The item's groups, the largest first; single voices only where nothing larger says what they say."""
    voices = voices_of(aspects)
    found: list[Group] = []
    for praising in (True, False):
        side = [voice for voice in voices if voice.praising is praising][-MOST_VOICES:]
        found += _grouped(side, field, Stance.SUITS if praising else Stance.DISAPPOINTS)
    found = _with_mixed(_one_a_need(found, field), field)
    ranked = sorted(found, key=lambda one: (-len(one.reviews), one.stance, min(one.reviews), one.need))
    return _without_strays(ranked)[:MOST_GROUPS]


def _grouped(voices: list[Voice], field: Field, stance: Stance) -> list[Group]:
    if not voices:
        return []
    if len(voices) == 1:
        return [_group(voices, field, stance)]
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    distance = np.clip(1.0 - _likeness(voices, field), 0.0, 2.0)
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform(distance, checks=False), method="average")
    labels = fcluster(tree, t=1.0 - ALIKE, criterion="distance")
    return [_group([v for v, at in zip(voices, labels, strict=True) if at == label], field, stance) for label in sorted(set(labels))]


def _likeness(voices: list[Voice], field: Field) -> np.ndarray[Any, Any]:
    middle = field.topics.mean(0)
    topics = _unit(np.array([(field.topics[list(voice.rows)] - middle).sum(0) for voice in voices]))
    needs = np.array([field.needs[list(voice.rows)].mean(0) for voice in voices])
    directions = _unit(needs - needs.mean(1, keepdims=True))
    chances = np.exp(needs - needs.max(1, keepdims=True))
    chances /= chances.sum(1, keepdims=True)
    kin = chances @ field.kinship @ chances.T
    found: np.ndarray[Any, Any] = TOPIC_SHARE * topics @ topics.T + NEED_SHARE * directions @ directions.T + KINSHIP_SHARE * kin
    found += found.T
    return found / 2


def _unit(rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    found: np.ndarray[Any, Any] = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return found


def _group(voices: list[Voice], field: Field, stance: Stance) -> Group:
    rows = [row for voice in voices for row in voice.rows]
    shares = np.array([field.shares[row] for row in rows])
    evidence = shares @ field.needs[rows] / shares.sum() ** DAMPING + field.usual
    bearing = shares @ field.topics[rows] / shares.sum() - field.middle
    evidence = evidence + field.bearings @ bearing / max(float(np.linalg.norm(bearing)), 1e-9)
    chances = np.exp(evidence - evidence.max())
    order = np.argsort(-chances)
    certainty = float((chances[order[0]] - chances[order[1]]) / chances.sum())
    return Group(stance, tuple(voices), int(order[0]), certainty)


def _one_a_need(groups: list[Group], field: Field) -> list[Group]:
    """Groups of one stance that speak of the same need are the same kind of person."""
    merged: dict[tuple[Stance, int], Group] = {}
    for one in groups:
        key = (one.stance, one.need)
        merged[key] = _group([*merged[key].voices, *one.voices], field, one.stance) if key in merged else one
    return list(merged.values())


def _with_mixed(groups: list[Group], field: Field) -> list[Group]:
    """Where those who praise and those who complain of one need are mostly the same people, they are one, of two minds."""
    kept = list(groups)
    for pleased in [one for one in groups if one.stance is Stance.SUITS]:
        for let_down in [one for one in groups if one.stance is Stance.DISAPPOINTS and one.need == pleased.need]:
            shared = pleased.reviews & let_down.reviews
            if len(shared) * 2 > min(len(pleased.reviews), len(let_down.reviews)):
                kept = [one for one in kept if one not in (pleased, let_down)]
                kept.append(_group([*pleased.voices, *let_down.voices], field, Stance.MIXED))
    return kept


def _without_strays(ranked: list[Group]) -> list[Group]:
    """Drops groups of a single review where a larger one of that stance is heard; a lonely complaint stays."""
    kept: list[Group] = []
    for one in ranked:
        larger = sum(other.stance is one.stance and len(other.reviews) > 1 for other in kept)
        if len(one.reviews) > 1 or larger == 0 or len(ranked) <= 2:
            kept.append(one)
    return kept
