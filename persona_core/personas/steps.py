"""The personas' steps of the build: what reviews say, whom each item suits, and the index of them all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from operator import attrgetter

import numpy as np

from persona_core.catalog.store import Catalog
from persona_core.columns import Columns, rows_by
from persona_core.errors import StepFailed
from persona_core.llm.choice import SOURCE, asks_again, model_sources, opened_model
from persona_core.personas.asked import Rows, asked_aspects, asked_personas
from persona_core.personas.aspects import ASPECTS, AspectWriter, KeptAspect, kept_aspects, rows_of
from persona_core.personas.duplicates import without_duplicates
from persona_core.personas.extraction import Sentence, aspects_by, sentences_of, texts_of
from persona_core.personas.files import PERSONAS, VECTORS, open_personas, text_of, write_personas_file, write_vectors
from persona_core.personas.index import INDEX_FILES, build_index, missing_index, missing_on_server
from persona_core.personas.reading import Judge
from persona_core.personas.reading.judge import Judged, nothing_judged, stars_say
from persona_core.personas.writing import ItemAspects, write_personas
from persona_core.pipeline import Counts, Step, StepContext
from persona_core.schema import AspectKind, Persona, Review, Stance
from persona_core.shipped import mark_of, shipped_of, take_shipped
from persona_core.text.encoder import DIMENSION, IDENTITY, BaseEncoder, Matrix
from persona_core.text.parts import parts_read, topics_in_parts
from persona_core.text.phrases import Telling
from persona_core.text.stored import Stored, StoredWriter
from persona_core.workspace import Workspace

DRAFTS = ".drafts.jsonl"
AT_ONCE = 30_000
"""Reviews whose sentences are held in memory at once."""
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
    kinds: Counter[str] = Counter()
    counts = {"by": "extraction"}
    left = reviews
    with AspectWriter(context.file(ASPECTS)) as aspects, StoredWriter(context.file(VECTORS)) as topics:
        if model is not None:
            rows, left, counts = asked_aspects(context, reviews, model)
            _keep(rows, _topics(context, [row["text"] for row in rows]), aspects, topics, kinds)
        for found in _extracted(context, left):
            _keep(*found, aspects, topics, kinds)
    said: Counts = {"reviews with text": len(reviews), "aspects": kinds.total()}
    return {**said, **{str(kind): kinds[str(kind)] for kind in AspectKind}, **counts}


def _keep(rows: Rows, vectors: Matrix, aspects: AspectWriter, topics: StoredWriter, kinds: Counter[str]) -> None:
    aspects.write(rows)
    topics.write(vectors)
    kinds.update(row["kind"] for row in rows)


def readings_mark(reviews: Iterable[Review]) -> str:
    """What extraction looks at."""
    return mark_of(chain([IDENTITY, Judge.identity()], ([one.id, one.item_id, one.rating, one.text] for one in reviews)))


def _extracted(context: StepContext, reviews: Columns[Review]) -> Iterator[tuple[Rows, Matrix]]:
    """What is found without a model, with the topic of each: some items at a time, since a sentence is weighed against its item's."""
    total = 0

    def texts() -> Iterator[str]:
        nonlocal total
        for review in reviews:
            own = texts_of([review], sentences_of([review]))
            total += len(own)
            yield from own

    telling, done = Telling([texts()]), 0
    for positions in portions_of(reviews.column("item_id"), AT_ONCE):
        some = list(reviews.some(positions))
        sentences = sentences_of(some)
        topics, judged = _judged(context, some, sentences, done, total)
        done += len(sentences)
        row_of = {(some[place].id, start): row for row, (place, (start, _)) in enumerate(sentences)}
        rows = [row for found in aspects_by(some, sentences, topics, judged, telling) for row in rows_of(found)]
        yield rows, topics[[row_of[row["review_id"], row["start"]] for row in rows]]


def portions_of(items: Sequence[str], most: int) -> Iterator[list[int]]:
    """The positions of reviews in portions of about `most`, each in order: all of an item together."""
    portion: list[int] = []
    for positions in rows_by(items).values():
        portion += positions
        if len(portion) >= most:
            yield sorted(portion)
            portion = []
    if portion:
        yield sorted(portion)


def _judged(
    context: StepContext, reviews: list[Review], sentences: list[Sentence], before: int, total: int
) -> tuple[Matrix, Judged]:  # fmt: skip
    """The topic of each sentence and what it is judged to be. How it is said is let go of part by part: it takes the most room."""
    judge = Judge.load()
    topics: Matrix = np.zeros((len(sentences), DIMENSION), np.float32)
    found = nothing_judged(len(sentences), len(judge.need_ids))
    texts = texts_of(reviews, sentences)
    tell = lambda done, _, unit: context.progress(before + done, total, unit)  # noqa: E731
    for part in parts_read(BaseEncoder(), texts, context.folder, tell, context.runner):
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
    items = items_with_aspects(catalog, kept_aspects(found.file(ASPECTS)))
    model = opened_model(context.workspace, "personas", context.because[f"file {SOURCE}"])
    written: dict[str, list[Persona]] = {}
    counts: Counts = {"by": "extraction"}
    if model is not None:
        written, counts = asked_personas(context, catalog, items, model)
    encoder = BaseEncoder()
    topics = Stored(found.file(VECTORS))
    each = partial(context.map, key=attrgetter("item_id"), unit="items", kind="one core", journal="groups")
    extracted = (
        persona
        for item, of_item in write_personas(items, topics, Judge.load(), encoder, context.progress, each)
        for persona in written.get(item, of_item)
    )
    write_personas_file(context.file(DRAFTS), extracted)
    drafts = open_personas(context.file(DRAFTS))
    vectors = _topics(context, [text_of(one) for one in drafts])
    rows: list[int] = []
    write_personas_file(context.file(PERSONAS), _noting(without_duplicates(drafts, vectors), rows))
    write_vectors(context.file(VECTORS), vectors[rows])
    left = open_personas(context.file(PERSONAS))
    check_grounding(left, catalog.texts_named())
    return {**_counts_of(left, len(items)), "merged": len(drafts) - len(left), **counts}


def _noting(found: Iterable[tuple[int, Persona]], rows: list[int]) -> Iterator[Persona]:
    for row, persona in found:
        rows.append(row)
        yield persona


def _counts_of(personas: Iterable[Persona], items: int) -> Counts:
    stances: Counter[Stance] = Counter()
    quotes, some = 0, set()
    for one in personas:
        stances[one.stance] += 1
        quotes += len(one.quotes)
        some.add(one.item_id)
    counts: Counts = {"personas": stances.total(), "items with personas": len(some), "items without": items - len(some)}
    return {**counts, "quotes": quotes, **{str(stance): stances[stance] for stance in Stance}}


def items_with_aspects(catalog: Catalog, aspects: Columns[KeptAspect]) -> list[ItemAspects]:
    """Every item of the catalogue, in order, with what is said of it."""
    by_item = rows_by(aspects.column("item_id"))
    return [
        ItemAspects(item, scenario, aspects.some(by_item.get(item, ())), by_item.get(item, ()))
        for item, scenario in catalog.items()[["item_id", "scenario"]].itertuples(index=False)
    ]


def check_grounding(personas: Iterable[Persona], reviews: Mapping[str, Review]) -> None:
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
