"""A world of a few people and items, made by hand, for what is learnt from pairs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from persona_core.alignment.head import Head, unit
from persona_core.alignment.pairs import NOBODY, Pairs, World
from persona_core.personas.needs import read_needs
from persona_core.profiles.evidence import NeedEvidence, Visit
from persona_core.schema import Persona, Quote, Review, Stance
from persona_core.text.encoder import DIMENSION, Matrix

START = datetime(2025, 1, 1, tzinfo=UTC)
NEEDS = 12
"""So many of the needs are spoken of here."""
STANCES = (Stance.SUITS, Stance.MIXED, Stance.DISAPPOINTS)


def small_world(users: int = 8, items: int = 10, each: int = 5, seed: int = 3) -> World:
    """Everybody comes to `each` items and likes all but the last; each item has three personas, one of whom it disappoints."""
    rng = np.random.default_rng(seed)
    names = tuple(f"i{number}" for number in range(items))
    personas = tuple(persona(item, number) for item in range(items) for number in range(3))
    served = rng.random((items, len(read_needs()))).astype(np.float32)
    served[:, NEEDS:] = 0
    visits: dict[str, list[Visit]] = {}
    aspects = 0
    for user in range(users):
        for place, item in enumerate(rng.choice(items, each, replace=False).tolist()):
            time = int((START + timedelta(days=10 * place)).timestamp())
            rows = (aspects, aspects + 1) if place % 2 == 0 else ()
            aspects += len(rows)
            visit = Visit(review_id(user, item), item, time, -0.5 if place == each - 1 else 1.0, rows)
            visits.setdefault(f"u{user}", []).append(visit)
    said = rng.random((aspects, len(read_needs()))).astype(np.float32)
    known = NeedEvidence(said - said.mean(0), np.zeros(aspects, bool), served - served.mean(0))
    return World(names, personas, rows_at_random(rng, len(personas)), visits, known, rows_at_random(rng, aspects), time)


def rows_at_random(rng: np.random.Generator, number: int) -> Matrix:
    return unit(rng.normal(size=(number, DIMENSION)).astype(np.float32))


def review_id(user: int, item: int) -> str:
    return f"r-u{user}-i{item}"


def persona(item: int, number: int) -> Persona:
    need = read_needs()[(3 * item + number) % len(read_needs())]
    quote = f"Said of item {item} by voice {number}."
    return Persona(
        id=f"i{item}-p{number}", item_id=f"i{item}", name=f"{need.names[0]} {item}", description=f"They want {need.wants}.",
        rationale="They come back to it.", stance=STANCES[number], weight=0.3,
        quotes=(Quote(review_id=f"r{item}", start=0, end=len(quote), text=quote),),
    )  # fmt: skip


def reviews_of(world: World) -> dict[str, Review]:
    """A review with a text for each visit that said something, and one without for each other."""
    return {
        visit.review_id: Review(
            id=visit.review_id, user_id=user, item_id=world.items[visit.item], rating=5.0, time=START,
            text=f"{user} is glad of item {visit.item}." if visit.rows else "",
        )
        for user, visits in world.visits.items()
        for visit in visits
    }  # fmt: skip


def frozen(world: World) -> Head:
    return Head.frozen(np.zeros(DIMENSION, np.float32), world.vectors.mean(0))


def pairs_by_hand(rows: list[tuple[int, int, int]], users: tuple[str, ...] = ("u0", "u1")) -> Pairs:
    """Pairs of (user, item, persona), with nothing said of the people."""
    empty = np.zeros((len(rows), DIMENSION), np.float32)
    user, item, known = (np.array([row[at] for row in rows], np.int32) for at in range(3))
    own = tuple(np.unique(item[user == number]) for number in range(len(users)))
    return Pairs(users, user, item, empty, empty, empty, known, own)


__all__ = ["NOBODY", "frozen", "pairs_by_hand", "persona", "review_id", "reviews_of", "rows_at_random", "small_world"]
