"""Puts the demo world together: the same seed gives the same files, byte for byte."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from demo_world.blocks import ItemBlock, Motive, read_items, read_lines, read_motives
from demo_world.hostile import hostile_lines
from demo_world.market import Purchase, buy, demand_of
from demo_world.people import Person, make_people
from demo_world.reviews import Author, Written, choose_writers

SEED = 7
PEOPLE = 470
FILES = ("items.jsonl", "users.jsonl", "reviews.jsonl", "hostile.jsonl", "truth.jsonl")


@dataclass(frozen=True, slots=True)
class World:
    motives: dict[str, Motive]
    items: list[ItemBlock]
    people: list[Person]
    purchases: list[Purchase]
    written: dict[int, Written]
    """Texts by the position of their purchase."""


def make_world(seed: int = SEED) -> World:
    """Each part draws from a stream of its own, so that a change in one leaves the others alone."""
    motives, items = read_motives(), read_items()
    people = make_people(Random(f"{seed}/people"), motives, PEOPLE)  # nosec B311 # seeded on purpose
    demands = {item.id: demand_of(Random(f"{seed}/demand/{item.id}"), item) for item in items}  # nosec B311 # seeded on purpose
    purchases = buy(Random(f"{seed}/market"), people, items, demands)  # nosec B311 # seeded on purpose
    author = Author(Random(f"{seed}/texts"), read_lines())  # nosec B311 # seeded on purpose
    return World(motives, items, people, purchases, _write_all(seed, author, purchases))


def _write_all(seed: int, author: Author, purchases: list[Purchase]) -> dict[int, Written]:
    written: dict[int, Written] = {}
    seen: set[str] = set()
    for position in sorted(choose_writers(Random(f"{seed}/writers"), purchases)):  # nosec B311 # seeded on purpose
        for _ in range(40):
            text = author.write(purchases[position])
            if text.text and text.text not in seen:
                seen.add(text.text)
                written[position] = text
                break
    return written


def write_world(world: World, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "items.jsonl": _jsonl(_item_row(item) for item in world.items),
        "users.jsonl": _jsonl({"user_id": person.id, "name": person.name} for person in world.people),
        "reviews.jsonl": _jsonl(_review_row(world, position) for position in range(len(world.purchases))),
        "hostile.jsonl": "\n".join(hostile_lines([item.id for item in world.items[::12]], review_id(0))) + "\n",
        "truth.jsonl": _jsonl(_truth_rows(world)),
    }
    for name in FILES:
        (folder / name).write_bytes(content[name].encode("utf-8"))


def review_id(position: int) -> str:
    return f"r{position + 1:05d}"


def _jsonl(rows: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)


def _item_row(item: ItemBlock) -> dict[str, Any]:
    return {
        "item_id": item.id,
        "scenario": item.scenario,
        "title": item.title,
        "maker": item.maker,
        "description": item.description,
        "price": item.price,
        "attributes": {"type": item.type, **item.attributes},
    }


def _review_row(world: World, position: int) -> dict[str, Any]:
    purchase, written = world.purchases[position], world.written.get(position)
    return {
        "review_id": review_id(position),
        "user_id": purchase.person.id,
        "item_id": purchase.item.id,
        "rating": purchase.rating,
        "time": purchase.time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        **({"text": written.text} if written else {}),
    }


def _truth_rows(world: World) -> Iterable[dict[str, Any]]:
    """What only `evaluation` may read: whose motives, which items serve them, what each sentence is about."""
    for motive in world.motives.values():
        yield {"motive": motive.id, "phrase": motive.phrase, "scenarios": motive.scenarios}
    for person in world.people:
        yield {"user": person.id, "motives": person.motives, "since_month": person.since}
    for item in world.items:
        yield {"item": item.id, "serves": item.serves, "disappoints": item.disappoints, "shape": item.shape}
    for position, written in sorted(world.written.items()):
        sentences = [[one.start, one.end, one.line.kind, one.line.motive, one.line.mood, one.line.id] for one in written.sentences]
        yield {"review": review_id(position), "sentences": sentences}


def summary(world: World) -> dict[str, int | float]:
    """The numbers one would ask of the world."""
    scenarios: dict[str, set[str]] = {}
    for purchase in world.purchases:
        scenarios.setdefault(purchase.person.id, set()).add(purchase.item.scenario)
    texts_of_item = Counter(world.purchases[position].item.id for position in world.written)
    ratings = Counter(world.purchases[position].rating for position in world.written)
    wordings = Counter(written.text[one.start : one.end] for written in world.written.values() for one in written.sentences)
    return {
        "items": len(world.items),
        "users": len(scenarios),
        "users in two scenarios or more": round(sum(len(s) > 1 for s in scenarios.values()) / len(scenarios), 3),
        "interactions": len(world.purchases),
        "texts": len(world.written),
        "fewest texts of an item": min(texts_of_item[item.id] for item in world.items),
        "most texts of an item": max(texts_of_item.values()),
        "negative or mixed": round(sum(ratings[n] for n in (1, 2, 3)) / len(world.written), 3),
        "sentences": wordings.total(),
        "different sentences": len(wordings),
        "most often in": max(wordings.values()),
    }
