"""The alignment's step of the build: the light head, trained in seconds on who liked what."""

from __future__ import annotations

from typing import Any

import numpy as np

from persona_core.alignment.curves import curve_svg
from persona_core.alignment.head import FILE, Head
from persona_core.alignment.pairs import World, pairs_of
from persona_core.alignment.phrases import PhraseBook
from persona_core.alignment.training import Recipe, Trained, train_head
from persona_core.catalog.store import Catalog
from persona_core.files import write_json
from persona_core.personas.files import PERSONAS, VECTORS, read_personas, read_vectors
from persona_core.personas.needs import read_needs
from persona_core.pipeline import Counts, Step, StepContext
from persona_core.profiles.building import Rules, avoided
from persona_core.profiles.steps import INPUTS, moment_of, needs_known, visits_in
from persona_core.text.encoder import IDENTITY
from persona_core.workspace import Artefact

CARD, CURVE = "card.json", "curve.svg"


def world_in(inputs: dict[str, Artefact]) -> World:
    """Everything that pairs are made from, as these artefacts hold it."""
    catalog = Catalog.of(inputs["catalog"])
    items = catalog.items()["item_id"].tolist()
    return World(
        items=tuple(items),
        personas=tuple(read_personas(inputs["personas"].file(PERSONAS))),
        vectors=read_vectors(inputs["personas"].file(VECTORS)),
        visits=visits_in(inputs, items),
        known=needs_known(inputs, items),
        topics=read_vectors(inputs["aspects"].file(VECTORS)),
        now=moment_of(catalog.reviews(["time"])["time"]),
    )


def phrases_known(book: PhraseBook) -> PhraseBook:
    """The book with all that built profiles can say, encoded in one go."""
    from persona_core.text.encoder import BaseEncoder

    texts = [
        text
        for need in read_needs()
        for text in (need.phrase, f"They want {need.wants}.", f"They also want {need.wants}.", f"They decide {need.decides}.")
    ]
    texts += list(avoided().values())
    book.learn(texts, BaseEncoder().topics(texts))
    return book


def frozen_head(world: World, book: PhraseBook) -> Head:
    """The base encoder as it is: what training begins with and must beat."""
    middle = book.vectors([need.phrase for need in read_needs()]).mean(0)
    return Head.frozen(middle, world.vectors.mean(0) if len(world.vectors) else np.zeros_like(middle))


def trained_on(world: World, book: PhraseBook, rules: Rules, recipe: Recipe, tell: Any = lambda *_: None) -> Trained:
    start = frozen_head(world, book)
    return train_head(world, pairs_of(world, start, book.vectors, book.is_fault, rules), start, recipe, tell)


def _train(context: StepContext) -> Counts:
    world = world_in(context.inputs)
    rules = Rules(half_life_days=context.settings.ranking.half_life_days)
    trained = trained_on(world, phrases_known(PhraseBook()), rules, Recipe(seed=context.settings.seed), context.progress)
    trained.head.save(context.file(FILE))
    write_json(context.file(CARD), card_of(trained, world))
    context.file(CURVE).write_text(curve_svg(trained.curve, "Learning to match profiles to personas"), "utf-8")
    return _counts(trained)


def card_of(trained: Trained, world: World) -> dict[str, Any]:
    """What a stranger should know of the head before using it."""
    return {
        "what": "Linear maps over frozen MiniLM vectors of a profile's words, past items and personas; see persona_core/alignment.",
        "encoder": IDENTITY,
        "learned from": {"people": len(world.visits), "items": len(world.items), "personas": len(world.personas)},
        "measure": "NDCG@10 of held-out pairs of the same people, their own other items aside: for early stopping only",
        "penalty": trained.head.penalty,
        **trained.as_dict(),
    }


def _counts(trained: Trained) -> Counts:
    if not trained.curve:
        return {"epochs": 0, "note": "too little history to learn from: the base encoder is used as it is"}
    best = max(trained.curve, key=lambda epoch: epoch.ndcg)
    return {"epochs": trained.curve[-1].number, "NDCG before": round(trained.curve[0].ndcg, 3), "NDCG after": round(best.ndcg, 3)}


ALIGN_STEP = Step(
    name="alignment",
    title="Learning who is suited by what",
    reads=INPUTS,
    writes=(FILE, CARD, CURVE),
    run=_train,
    code=("persona_core.alignment", "persona_core.profiles", "persona_core.personas.reading"),
    settings=lambda settings: settings.ranking.half_life_days,
)
