"""The alignment's step of the build: the light head, trained in seconds on who liked what, by hindsight or by a judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

import numpy as np

from persona_core.alignment.curves import curve_svg
from persona_core.alignment.head import FILE, Head
from persona_core.alignment.judging import Judged, Question, Sure, Verdict, agreement, questions_in, verdict_on, with_teacher
from persona_core.alignment.pairs import NOBODY, Pairs, World, pairs_of, with_fewer_people
from persona_core.alignment.phrases import PHRASES, PhraseBook, save_phrases
from persona_core.alignment.training import Epoch, Recipe, Trained, train_head
from persona_core.catalog.store import Catalog
from persona_core.errors import ModelUnavailable
from persona_core.files import write_json
from persona_core.llm.choice import RETRY, SOURCE, asks_again, model_sources, opened_model
from persona_core.llm.ollama_model import OllamaModel
from persona_core.llm.protocol import LanguageModel
from persona_core.personas.files import PERSONAS, VECTORS, open_personas, read_vectors, text_of
from persona_core.personas.needs import read_needs
from persona_core.pipeline import Counts, Step, StepContext
from persona_core.profiles.building import Rules, avoided, told_of
from persona_core.profiles.steps import INPUTS, moment_of, needs_known, visits_in
from persona_core.schema import Persona
from persona_core.shipped import MARK, mark_of, shipped_of, take_shipped
from persona_core.text.encoder import IDENTITY, Matrix
from persona_core.text.stored import Stored
from persona_core.workspace import Artefact, Workspace

CARD, CURVE = "card.json", "curve.svg"
HINDSIGHT = "hindsight"


def world_in(inputs: dict[str, Artefact]) -> World:
    """Everything that pairs are made from, as these artefacts hold it."""
    catalog = Catalog.of(inputs["catalog"])
    items = catalog.items()["item_id"].tolist()
    return World(
        items=tuple(items),
        personas=open_personas(inputs["personas"].file(PERSONAS)),
        vectors=read_vectors(inputs["personas"].file(VECTORS)),
        visits=visits_in(inputs, items),
        known=needs_known(inputs, items),
        topics=Stored(inputs["aspects"].file(VECTORS)),
        now=moment_of(catalog.reviews(["time"])["time"]),
    )


def world_of(place: Workspace) -> World:
    """The same of a workspace, as built now."""
    return world_in({name: place.artefact(name) for name in INPUTS})


def phrases_known(book: PhraseBook) -> PhraseBook:
    """The book with all that built profiles can say, encoded in one go."""
    from persona_core.text.encoder import BaseEncoder

    texts = phrases_said()
    book.learn(texts, BaseEncoder().topics(texts))
    return book


def phrases_said() -> list[str]:
    """All that built profiles can say, each once."""
    texts = [text for need in read_needs() for text in told_of(need)]
    return list(dict.fromkeys([*texts, *avoided().values()]))


def middle_of_needs(book: PhraseBook) -> Matrix:
    """From where directions of words are taken."""
    middle: Matrix = book.vectors([need.phrase for need in read_needs()]).mean(0)
    return middle


def frozen_head(world: World, book: PhraseBook) -> Head:
    """The base encoder as it is: what training begins with and must beat."""
    middle = middle_of_needs(book)
    return Head.frozen(middle, world.vectors.mean(0) if len(world.vectors) else np.zeros_like(middle))


def lessons_in(world: World, book: PhraseBook, rules: Rules) -> tuple[Head, Pairs]:
    """Where training begins, and the pairs to learn from as hindsight teaches them."""
    start = frozen_head(world, book)
    return start, pairs_of(world, start, book.vectors, book.is_fault, rules)


def trained_on(world: World, book: PhraseBook, rules: Rules, recipe: Recipe, tell: Any = lambda *_: None) -> Trained:
    fewer = with_fewer_people(world, recipe.seed)
    start, pairs = lessons_in(fewer, book, rules)
    return train_head(fewer, pairs, start, recipe, tell)


def _train(context: StepContext) -> Counts:
    world = world_in(context.inputs)
    rules = Rules(half_life_days=context.settings.ranking.half_life_days)
    judge = _judge(context)
    judged = asked_judge(context, world, judge) if judge else None
    book = phrases_known(PhraseBook())
    save_phrases(context.file(PHRASES), phrases_said(), book.vectors(phrases_said()))
    recipe = Recipe(seed=context.settings.seed)
    mark = lessons_mark(world, rules, recipe)
    if judged is None and context.settings.shipped:
        card = take_shipped(mark, shipped_of("alignment"), (CARD, FILE, CURVE), context.folder)
        if card is not None:
            return _counts(tuple(Epoch(**one) for one in card["curve"])) | {"note": "the head that ships with the demo world"}
    world = with_fewer_people(world, recipe.seed)
    start, pairs = lessons_in(world, book, rules)
    taught = with_teacher(pairs, judged) if judged else pairs
    trained = train_head(world, taught, start, recipe, context.progress)
    trained.head.save(context.file(FILE))
    teacher = _judge_as_dict(context.because[f"file {SOURCE}"], pairs, judged) if judged else {"by": HINDSIGHT}
    write_json(context.file(CARD), card_of(trained, world) | {"teacher": teacher, MARK: mark})
    context.file(CURVE).write_text(curve_svg(trained.curve, "Learning to match profiles to personas"), "utf-8")
    return _counts(trained.curve) | (_judge_counts(judge.name, teacher) if judge else {})


def lessons_mark(world: World, rules: Rules, recipe: Recipe) -> str:
    """What training looks at."""
    personas = ([one.item_id, str(one.stance), text_of(one)] for one in world.personas)
    visits = (
        [user, [[one.item, one.time, round(one.pleased, 4), len(one.rows)] for one in own]]
        for user, own in sorted(world.visits.items())
    )  # fmt: skip
    return mark_of(chain([IDENTITY, asdict(rules), asdict(recipe), world.items], personas, visits))


def card_of(trained: Trained, world: World) -> dict[str, Any]:
    """What a stranger should know of the head before using it."""
    return {
        "what": "Linear maps over frozen MiniLM vectors of a profile's words, past items and personas; see persona_core/alignment.",
        "encoder": IDENTITY,
        "learned from": {"people": len(world.visits), "items": len(world.items), "personas": len(world.personas)},
        "measure": "NDCG@10 of held-out pairs of the same people, own other items aside, helped by how well known items are: "
        "for stopping only",
        "penalty": trained.head.penalty,
        **trained.as_dict(),
    }


def _counts(curve: Sequence[Epoch]) -> Counts:
    if not curve:
        return {"epochs": 0, "note": "too little history to learn from: the base encoder is used as it is"}
    best = max(curve, key=lambda epoch: epoch.ndcg)
    return {"epochs": curve[-1].number, "NDCG before": round(curve[0].ndcg, 3), "NDCG after": round(best.ndcg, 3)}


# The second teacher ------------------------------------------------------------------------------------------------------


def _judge(context: StepContext) -> OllamaModel | None:
    """The model that is to teach beside hindsight; None where the settings do not name it a teacher."""
    settings = context.settings
    if settings.ranking.teacher == HINDSIGHT:
        return None
    try:
        model = opened_model(context.workspace, "alignment", context.because[f"file {SOURCE}"])
    except ModelUnavailable:
        model = None
    if model is None:
        never = settings.ollama.use == "never"
        raise ModelUnavailable(
            "The alignment is to learn from a language model, and none can be asked now.",
            why=f"ranking.teacher is {settings.ranking.teacher!r}, and "
            + ("ollama.use is 'never'." if never else f"no server answers that has {settings.ollama.model}."),
            mend=("PERSONA_OLLAMA_USE=auto" if never else f"ollama serve, and ollama pull {settings.ollama.model}")
            + f"; or learn from hindsight alone: PERSONA_RANKING_TEACHER={HINDSIGHT} {context.workspace.command('build')}",
        )
    return model


@dataclass(frozen=True, slots=True)
class _Judging:
    """Which of an item's personas the writer of some reviews is, by the model's word."""

    model: LanguageModel
    personas: Sequence[Persona]

    def __call__(self, question: Question) -> dict[str, Any]:
        verdict = verdict_on(self.model, self.personas, question)
        return {} if verdict is None else verdict._asdict()


def asked_judge(context: StepContext, world: World, model: LanguageModel) -> Judged:
    """What the model says of every liked item that its person wrote about."""
    reviews = Catalog.of(context.inputs["catalog"]).texts_named()
    questions = questions_in(world, reviews)
    answers = list(
        context.map(
            _Judging(model, world.personas), questions, key=lambda one: f"{one.user_id}\n{world.items[one.item]}", unit="reviews"
        )
    )
    verdicts = {
        (one.user_id, one.item): Verdict(answer["persona"], Sure(answer["sure"]), answer["among"])
        for one, answer in zip(questions, answers, strict=True)
        if answer
    }
    return Judged(verdicts, len(questions) - len(verdicts))


def _judge_as_dict(model: str, hindsight: Pairs, judged: Judged) -> dict[str, Any]:
    """What a stranger should know of the second teacher."""
    return {
        "by": model,
        "verdicts": len(judged.verdicts),
        "failed": judged.failed,
        "followed": len(judged.personas()),
        "none fits": sum(verdict.persona == NOBODY for verdict in judged.verdicts.values()),
        "agreement with hindsight": {name: round(value, 4) for name, value in agreement(hindsight, judged)._asdict().items()},
    }


def _judge_counts(name: str, teacher: dict[str, Any]) -> Counts:
    agreed = teacher["agreement with hindsight"]
    return {
        "by": name,
        "verdicts": teacher["verdicts"],
        "followed": teacher["followed"],
        "same as hindsight": agreed["same"],
        "same by chance": agreed["by_chance"],
        RETRY: teacher["failed"],
    }


def _sources(workspace: Workspace) -> dict[str, str]:
    """No server is looked for where none is to teach."""
    if workspace.settings.ranking.teacher == HINDSIGHT:
        return {}
    return model_sources(workspace, "alignment", "persona_judge")


ALIGN_STEP = Step(
    name="alignment",
    title="Learning who is suited by what",
    reads=INPUTS,
    writes=(FILE, CARD, CURVE, PHRASES),
    run=_train,
    code=(
        "persona_core.alignment",
        "persona_core.shipped",
        "persona_core.llm",
        "persona_core.personas.asking",
        "persona_core.personas.reading",
        "persona_core.profiles",
    ),
    settings=lambda settings: [settings.ranking.half_life_days, settings.ranking.teacher, settings.shipped],
    sources=_sources,
    unfinished=asks_again,
)
