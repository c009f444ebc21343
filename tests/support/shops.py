"""A small shop with made-up personas, built in a second: what the engine opens, without an encoder at work."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from persona_core.alignment.head import FILE
from persona_core.alignment.steps import ALIGN_STEP, CARD, CURVE
from persona_core.alignment.taste import rows_of
from persona_core.catalog.choose import choose_source
from persona_core.catalog.steps import CATALOG
from persona_core.catalog.store import Catalog
from persona_core.personas.aspects import ASPECTS, write_aspects
from persona_core.personas.files import PERSONAS, VECTORS, write_personas_file, write_vectors
from persona_core.pipeline import Counts, Pipeline, Step, StepContext
from persona_core.profiles.steps import PROFILE_STEP
from persona_core.ranking.steps import RANK_STEP
from persona_core.schema import Stance
from persona_core.text.encoder import DIMENSION, Matrix
from persona_core.workspace import Workspace
from tests.support.tastes import encode, persona_of, some_head, vector_of
from tests.support.worlds import SCENARIOS, write_lines

ITEMS, USERS, VISITS = 24, 12, 120
START = datetime(2025, 1, 1, tzinfo=UTC)
WITHOUT_PERSONAS = "i05"
KINDS = ("kind of the sea", "kind of the wood", "kind of the hill", "kind of the town")


def item_id(number: int) -> str:
    return f"i{number:02d}"


def kind_of(item: str) -> str:
    """What the item is for: its first persona lies there."""
    return KINDS[int(item[1:]) % len(KINDS)]


class FakeBook:
    """A book of phrases in which each text has a direction of its own."""

    def vectors(self, texts: Sequence[str]) -> Matrix:
        return encode(texts)

    def is_fault(self, text: str) -> bool:
        return "break" in text

    def ahead(self, texts: Sequence[str]) -> FakeBook:
        return self


def write_shop(folder: Path, items: int = ITEMS) -> Path:
    """Without texts; in no order of time, and some come to the same thing twice."""
    rng = Random(4)
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for number in range(VISITS):
        when = START + timedelta(days=rng.randrange(300), minutes=rng.randrange(1440))
        item = number if number < items else rng.randrange(0, items, 1 + number % 3)
        rows.append(
            {"review_id": f"r{number}", "user_id": f"u{number % USERS:02d}", "item_id": item_id(item),
             "rating": rng.choice([1, 2, 4, 5, None]), "time": when.isoformat(), "text": ""}
        )  # fmt: skip
    write_lines(folder / "reviews.jsonl", rows)
    write_lines(folder / "users.jsonl", [{"user_id": f"u{number:02d}", "name": f"User {number}"} for number in range(USERS)])
    things = [
        {"item_id": item_id(number), "scenario": SCENARIOS[number % 3], "title": f"Thing {number}", "price": 10.0 + number}
        for number in range(items)
    ]
    (folder / "items.jsonl").write_text("".join(json.dumps(one) + "\n" for one in things))
    return folder


def _nothing_said(context: StepContext) -> Counts:
    write_aspects(context.file(ASPECTS), [])
    write_vectors(context.file(VECTORS), np.zeros((0, DIMENSION), np.float32))
    return {"aspects": 0}


def _made_up(context: StepContext) -> Counts:
    """Each item suits its kind and one more persona; every other one lets people down who look for what breaks."""
    personas, vectors = [], []
    for item in Catalog.of(context.inputs["catalog"]).items()["item_id"]:
        if item == WITHOUT_PERSONAS:
            continue
        own = vector_of(f"own of {item}")
        for number, (stance, near) in enumerate(
            ((Stance.SUITS, vector_of(kind_of(item))), (Stance.MIXED, own), (Stance.DISAPPOINTS, vector_of("zips that break")))
        ):
            if stance is not Stance.DISAPPOINTS or int(item[1:]) % 2:
                personas.append(persona_of(item, number, stance))
                vectors.append(near + 0.4 * own)
    write_personas_file(context.file(PERSONAS), personas)
    write_vectors(context.file(VECTORS), rows_of(vectors))
    return {"personas": len(personas)}


def _headed(context: StepContext) -> Counts:
    some_head().save(context.file(FILE))
    for name in (CARD, CURVE):
        context.file(name).write_text("{}")
    return {"epochs": 0}


def _made(step: str, reads: tuple[str, ...], writes: tuple[str, ...], run: Any) -> Step:
    return Step(name=step, title=f"Making up {step}", reads=reads, writes=writes, run=run, code=("tests.support.shops",))


def shop_pipeline(place: Workspace) -> Pipeline:
    return Pipeline(
        (
            CATALOG,
            _made("aspects", ("catalog",), (ASPECTS, VECTORS), _nothing_said),
            _made("personas", ("catalog", "aspects"), (PERSONAS, VECTORS), _made_up),
            PROFILE_STEP,
            _made("alignment", ALIGN_STEP.reads, (FILE, CARD, CURVE), _headed),
            RANK_STEP,
        ),
        place,
    )


def built_shop(folder: Path) -> Workspace:
    place = Workspace.at(folder / "workspace")
    choose_source(place, str(write_shop(folder / "shop")))
    shop_pipeline(place).build()
    return place
