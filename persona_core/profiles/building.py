"""Profiles without a language model: a person's needs as phrases they can edit, and a short text that says the same.

A need is liked as far as the history speaks of it beyond the usual; what let them down becomes what they would rather not have.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from persona_core.personas.needs import Need, read_needs
from persona_core.profiles.evidence import NeedEvidence, Numbers, Visit
from persona_core.schema import Phrase, Profile

AVOIDED = Path(__file__).with_name("avoided.toml")
HALF_LIFE_DAYS = 365.0
"""After so long, what somebody did counts half."""
OWN_SAY = 1.0
"""How much a review of one's own tells of one's needs, beside having liked the thing at all."""
MOST_LIKES, MOST_DISLIKES, MOST_EVIDENCE = 5, 3, 4
LEAST_SHARE = 0.25
"""A need with less than this share of the strongest one's weight is not worth a line."""
LEAST_WOE = 0.1
TOLD = 2
"""How many needs the text tells in full."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings say of how a history is weighed."""

    half_life_days: float = HALF_LIFE_DAYS
    own_say: float = OWN_SAY
    most_likes: int = MOST_LIKES


@cache
def avoided() -> dict[str, str]:
    """For each need, what those who have it would rather not have."""
    return dict(tomllib.loads(AVOIDED.read_text("utf-8")))


class Chosen(NamedTuple):
    """Needs by their position, the strongest first, each with its strength."""

    likes: tuple[tuple[int, float], ...]
    dislikes: tuple[tuple[int, float], ...]


def build_profile(
    user_id: str, visits: Sequence[Visit], items: Sequence[str], known: NeedEvidence, now: int, rules: Rules | None = None
) -> Profile:
    """The profile that this history bears out, and nothing beyond; without a history, an empty one."""
    rules = rules or Rules()
    wants, woes = known.lift_rows(visits, now, rules.half_life_days, rules.own_say)
    reviews = [visit.review_id for visit in visits]
    draft = drafted(user_id, chosen_needs(wants.sum(0), woes.sum(0), rules))
    return draft.model_copy(
        update={
            "likes": grounded(draft.likes, wants, reviews),
            "dislikes": grounded(draft.dislikes, woes, reviews),
            "history": tuple(dict.fromkeys(items[visit.item] for visit in visits)),
        }
    )


def chosen_needs(wants: Numbers, woes: Numbers, rules: Rules) -> Chosen:
    dislikes = tuple(one for one in strongest(woes, MOST_DISLIKES) if woes[one[0]] >= LEAST_WOE)
    return Chosen(tuple(strongest(wants, rules.most_likes)), dislikes)


def drafted(user_id: str, chosen: Chosen) -> Profile:
    """The profile in words, without what it rests on."""
    needs = read_needs()
    avoid = [(avoided()[needs[place].id], strength) for place, strength in chosen.dislikes]
    return Profile(
        user_id=user_id,
        version=1,
        text=text_for([needs[place] for place, _ in chosen.likes], [text for text, _ in avoid]),
        likes=tuple(Phrase(text=needs[place].phrase, strength=strength) for place, strength in chosen.likes),
        dislikes=tuple(Phrase(text=text, strength=strength, fault=True) for text, strength in avoid),
    )


def strongest(lifts: Numbers, most: int) -> list[tuple[int, float]]:
    """The needs that stand out, the strongest first, with strengths about 1."""
    order = np.argsort(-lifts, kind="stable")[:most]
    if not len(order) or lifts[order[0]] <= 0:
        return []
    kept = [int(place) for place in order if lifts[place] >= LEAST_SHARE * lifts[order[0]]]
    middle = float(np.mean(lifts[kept]))
    return [(place, round(float(np.clip(lifts[place] / middle, 0.2, 3.0)), 2)) for place in kept]


def told_of(need: Need) -> tuple[str, ...]:
    """All that rules may say of a need that somebody has."""
    return need.phrase, f"They want {need.wants}.", f"They also want {need.wants}.", f"They decide {need.decides}."


def text_for(needs: Sequence[Need], avoid: Sequence[str]) -> str:
    """What they look for, how they decide, what they avoid, one thing a sentence; empty where nothing is known."""
    said = [f"They {'also ' if number else ''}want {need.wants}." for number, need in enumerate(needs[:TOLD])]
    said += [f"They decide {need.decides}." for need in needs[:1]]
    said += [f"They would rather not have {text}." for text in avoid[:TOLD]]
    return " ".join(said)


def grounded(phrases: Sequence[Phrase], rows: Numbers, reviews: Sequence[str]) -> tuple[Phrase, ...]:
    """The phrases with the reviews that speak loudest for each, the loudest first."""
    place_of = {need.phrase: place for place, need in enumerate(read_needs())}
    place_of |= {avoided()[need.id]: place for place, need in enumerate(read_needs())}
    found = []
    for phrase in phrases:
        says = rows[:, place_of[phrase.text]]
        loud = [int(row) for row in np.argsort(-says, kind="stable") if says[row] > 0][:MOST_EVIDENCE]
        found.append(phrase.model_copy(update={"review_ids": tuple(dict.fromkeys(reviews[row] for row in loud))}))
    return tuple(found)
