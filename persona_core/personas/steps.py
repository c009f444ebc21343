"""The personas' steps of the build: what reviews say, whom each item suits, and the index of them all."""

from __future__ import annotations

from collections import Counter
from functools import partial
from operator import attrgetter
from typing import Any

import numpy as np

from persona_core.catalog.store import Catalog
from persona_core.errors import StepFailed
from persona_core.llm.choice import SOURCE, asks_again, model_sources, opened_model
from persona_core.personas.asked import asked_aspects, asked_personas
from persona_core.personas.aspects import ASPECTS, KeptAspect, kept, read_aspects, rows_of, write_aspects
from persona_core.personas.duplicates import without_duplicates
from persona_core.personas.extraction import Sentence, aspects_by, sentences_of, texts_of
from persona_core.personas.files import PERSONAS, VECTORS, read_vectors, text_of, write_personas_file, write_vectors
from persona_core.personas.index import INDEX_FILES, build_index, missing_index, missing_on_server
from persona_core.personas.reading import Judge
from persona_core.personas.reading.judge import Judged, nothing_judged, stars_say
from persona_core.personas.writing import ItemAspects, write_personas
from persona_core.pipeline import Counts, Step, StepContext
from persona_core.schema import AspectKind, Persona, Review, Stance
from persona_core.shipped import mark_of, shipped_of, take_shipped
from persona_core.text.encoder import DIMENSION, IDENTITY, BaseEncoder, Matrix
from persona_core.text.parts import parts_read, topics_in_parts
from persona_core.workspace import Workspace

CODE = ("persona_core.text", "persona_core.schema", "persona_core.llm", "persona_core.personas.asked")
WRITERS = tuple(
    f"persona_core.personas.{name}"
    for name in ("aspects", "authoring", "duplicates", "files", "grouping", "needs", "wording", "writing")
)


def _sources(workspace: Workspace, step: str) -> dict[str, str]:
    return {"encoder": IDENTITY, "judge": Judge.identity()} | model_sources(workspace, step, step)


# Aspects ---------------------------------------------------------------------------------------------------------------


def _find_aspects(context: StepContext) -> Counts:
    reviews = Catalog.of(context.inputs["catalog"]).texts()
    model = opened_model(context.workspace, "aspects", context.because[f"file {SOURCE}"])
    counts: Counts
    if model is None and context.settings.shipped:
        card = take_shipped(readings_mark(reviews), shipped_of("aspects"), (ASPECTS, VECTORS), context.folder)
        if card is not None:
            counts = card["counts"]
            return counts | {"note": "the readings that ship with the demo world"}
    rows: list[dict[str, Any]] = []
    counts = {"by": "extraction"}
    if model is not None:
        rows, unread, counts = asked_aspects(context, reviews, model)
        rows += _extracted(context, unread)[0]
        vectors = _topics(context, [row["text"] for row in rows])
    else:
        rows, vectors = _extracted(context, reviews)
    write_aspects(context.file(ASPECTS), rows)
    write_vectors(context.file(VECTORS), vectors, halved=True)
    kinds = Counter(row["kind"] for row in rows)
    said: Counts = {"reviews with text": len(reviews), "aspects": len(rows)}
    return {**said, **{str(kind): kinds[str(kind)] for kind in AspectKind}, **counts}


def readings_mark(reviews: list[Review]) -> str:
    """What extraction looks at."""
    return mark_of(IDENTITY, Judge.identity(), [[one.id, one.item_id, one.rating, one.text] for one in reviews])


def _extracted(context: StepContext, reviews: list[Review]) -> tuple[list[dict[str, Any]], Matrix]:
    """The rows of what is found without a model, and the topic of each."""
    sentences = sentences_of(reviews)
    topics, judged = _judged(context, reviews, sentences)
    row_of = {(reviews[place].id, start): row for row, (place, (start, _)) in enumerate(sentences)}
    rows = [row for found in aspects_by(reviews, sentences, topics, judged) for row in rows_of(found)]
    return rows, topics[[row_of[row["review_id"], row["start"]] for row in rows]]


def _judged(context: StepContext, reviews: list[Review], sentences: list[Sentence]) -> tuple[Matrix, Judged]:
    """The topic of each sentence and what it is judged to be. How it is said is let go of part by part: it takes the most room."""
    judge = Judge.load()
    topics: Matrix = np.zeros((len(sentences), DIMENSION), np.float32)
    found = nothing_judged(len(sentences), len(judge.need_ids))
    texts = texts_of(reviews, sentences)
    for part in parts_read(BaseEncoder(), texts, context.folder, context.progress, context.runner):
        judged = judge.judge(part.texts, part.readings, [None] * len(part.texts))
        for row, said in enumerate(part.places):
            topics[said] = part.readings.topics[row]
            found.kinds[said], found.praise[said], found.needs[said] = judged.kinds[row], judged.praise[row], judged.needs[row]
    return topics, found._replace(praise=found.praise + stars_say([reviews[place].rating for place, _ in sentences]))


def _topics(context: StepContext, texts: list[str]) -> Matrix:
    return topics_in_parts(BaseEncoder(), texts, context.folder, context.progress, context.runner)


# Personas --------------------------------------------------------------------------------------------------------------


def _write_personas(context: StepContext) -> Counts:
    catalog = Catalog.of(context.inputs["catalog"])
    found = context.inputs["aspects"]
    items = items_with_aspects(catalog, [kept(row) for row in read_aspects(found.file(ASPECTS)).itertuples()])
    model = opened_model(context.workspace, "personas", context.because[f"file {SOURCE}"])
    written: dict[str, list[Persona]] = {}
    counts: Counts = {"by": "extraction"}
    if model is not None:
        written, counts = asked_personas(context, catalog, items, model)
    encoder = BaseEncoder()
    topics = read_vectors(found.file(VECTORS))
    each = partial(context.map, key=attrgetter("item_id"), unit="items", kind="one core", journal="groups")
    personas = [
        persona
        for item, of_item in write_personas(items, topics, Judge.load(), encoder, context.progress, each)
        for persona in written.get(item, of_item)
    ]
    vectors = _topics(context, [text_of(one) for one in personas])
    left, rows = without_duplicates(personas, vectors)
    check_grounding(left, {review.id: review for review in catalog.texts()})
    write_personas_file(context.file(PERSONAS), left)
    write_vectors(context.file(VECTORS), vectors[rows])
    return {**_counts_of(left, len(items)), "merged": len(personas) - len(left), **counts}


def _counts_of(personas: list[Persona], items: int) -> Counts:
    stances = Counter(one.stance for one in personas)
    with_some = len({one.item_id for one in personas})
    counts: Counts = {"personas": len(personas), "items with personas": with_some, "items without": items - with_some}
    counts["quotes"] = sum(len(one.quotes) for one in personas)
    return {**counts, **{str(stance): stances[stance] for stance in Stance}}


def items_with_aspects(catalog: Catalog, aspects: list[KeptAspect]) -> list[ItemAspects]:
    """Every item of the catalogue, in order, with what is said of it."""
    by_item: dict[str, list[int]] = {}
    for row, one in enumerate(aspects):
        by_item.setdefault(one.item_id, []).append(row)
    return [
        ItemAspects(item, scenario, tuple(aspects[row] for row in by_item.get(item, ())), tuple(by_item.get(item, ())))
        for item, scenario in catalog.items()[["item_id", "scenario"]].itertuples(index=False)
    ]


def check_grounding(personas: list[Persona], reviews: dict[str, Review]) -> None:
    """Every quote stands in its review, letter for letter, and the review is about the persona's item."""
    for persona in personas:
        for quote in persona.quotes:
            review = reviews.get(quote.review_id)
            if review is None or not quote.stands_in(review) or review.item_id != persona.item_id:
                raise StepFailed(f"A quote of the persona {persona.id} does not stand in the review {quote.review_id}.")


# The index -------------------------------------------------------------------------------------------------------------


def _build_index(context: StepContext) -> Counts:
    catalog = Catalog.of(context.inputs["catalog"])
    return build_index(context, dict(catalog.items()[["item_id", "scenario"]].itertuples(index=False)))


ASPECT_STEP = Step(
    name="aspects",
    title="Reading what reviews say",
    reads=("catalog",),
    writes=(ASPECTS, VECTORS),
    run=_find_aspects,
    code=(
        *CODE,
        "persona_core.shipped",
        "persona_core.personas.aspects",
        "persona_core.personas.asking",
        "persona_core.personas.extraction",
        "persona_core.personas.reading",
    ),
    settings=lambda settings: settings.shipped,
    sources=lambda workspace: _sources(workspace, "aspects"),
    unfinished=asks_again,
)
PERSONA_STEP = Step(
    name="personas",
    title="Writing the personas",
    reads=("catalog", "aspects"),
    writes=(PERSONAS, VECTORS),
    run=_write_personas,
    code=(*CODE, *WRITERS),
    sources=lambda workspace: _sources(workspace, "personas"),
    unfinished=asks_again,
)
INDEX_STEP = Step(
    name="index",
    title="Building the index",
    reads=("catalog", "personas"),
    writes=INDEX_FILES,
    run=_build_index,
    code=("persona_core.personas.index", "persona_core.personas.store"),
    settings=lambda settings: settings.chroma.model_dump(),
    whole=missing_index,
    kept=missing_on_server,
)
