"""The profiles' step of the build: everybody's taste, from what they did and said; in a language model's words where there is one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from persona_core.catalog.store import Catalog
from persona_core.columns import rows_by
from persona_core.errors import ModelAnswerBad
from persona_core.llm.choice import SOURCE, asks_again, failures, model_sources, opened_model
from persona_core.llm.protocol import LanguageModel
from persona_core.personas.aspects import ASPECTS, kept_aspects, read_aspects
from persona_core.personas.files import PERSONAS, VECTORS, open_personas, read_vectors
from persona_core.personas.reading import Judge
from persona_core.pipeline import Counts, Step, StepContext
from persona_core.profiles.asking import Evidence, evidence_for, profile_asked
from persona_core.profiles.building import Rules, build_profile
from persona_core.profiles.evidence import NeedEvidence, Visit, visits_of
from persona_core.profiles.files import PROFILES, write_profiles
from persona_core.schema import Profile, Sentiment
from persona_core.text.stored import Stored
from persona_core.workspace import Artefact

INPUTS = ("catalog", "aspects", "personas")


def needs_known(inputs: dict[str, Artefact], items: list[str]) -> NeedEvidence:
    """What the built aspects and personas say about needs."""
    judge = Judge.load()
    sentiments = read_aspects(inputs["aspects"].file(ASPECTS), ["sentiment"])["sentiment"]
    return NeedEvidence.of(
        judge.evidence(Stored(inputs["aspects"].file(VECTORS))),
        (sentiments == str(Sentiment.NEGATIVE)).to_numpy(bool),
        judge.evidence(read_vectors(inputs["personas"].file(VECTORS))),
        open_personas(inputs["personas"].file(PERSONAS)),
        items,
    )


def visits_in(inputs: dict[str, Artefact], items: list[str]) -> dict[str, list[Visit]]:
    """Every user's visits, in order of time."""
    reviews = Catalog.of(inputs["catalog"]).reviews(["review_id", "user_id", "item_id", "rating", "time"])
    said = rows_by(read_aspects(inputs["aspects"].file(ASPECTS), ["review_id"])["review_id"])
    return visits_of(reviews, {item: place for place, item in enumerate(items)}, said)


def moment_of(reviews: pd.Series) -> int:
    """The last thing that happened, in seconds."""
    return int(reviews.max().timestamp()) if len(reviews) else 0


def _build_profiles(context: StepContext) -> Counts:
    catalog = Catalog.of(context.inputs["catalog"])
    items = catalog.items()
    visits = visits_in(context.inputs, items["item_id"].tolist())
    now = moment_of(catalog.reviews(["time"])["time"])
    model = opened_model(context.workspace, "profiles", context.because[f"file {SOURCE}"])
    profiles: Iterable[Profile] = _extracted(context, items["item_id"].tolist(), visits, now)
    counts: Counts = {"by": "extraction"}
    if model is not None:
        known = list(profiles)
        written, counts = asked_profiles(context, known, _evidence(context, items["title"].tolist(), visits, now), model)
        profiles = (written.get(one.user_id, one) for one in known)
    said: Counter[str] = Counter({"profiles": 0, "with likes": 0, "with dislikes": 0})
    write_profiles(context.file(PROFILES), _counted(profiles, said))
    return {**said, **counts}


def _counted(profiles: Iterable[Profile], said: Counter[str]) -> Iterator[Profile]:
    for one in profiles:
        said.update({"profiles": 1, "with likes": bool(one.likes), "with dislikes": bool(one.dislikes)})
        yield one


def _extracted(context: StepContext, items: list[str], visits: dict[str, list[Visit]], now: int) -> Iterator[Profile]:
    """Everybody's profile without a model."""
    rules = Rules(half_life_days=context.settings.ranking.half_life_days)
    building = _Building(tuple(items), needs_known(context.inputs, items), now, rules)
    built = context.map(building, sorted(visits.items()), key=lambda one: one[0], unit="people", kind="one core", journal="built")
    return map(Profile.model_validate, built)


@dataclass(frozen=True, slots=True)
class _Building:
    """One person's profile, from their visits and from what everybody's say of needs."""

    items: tuple[str, ...]
    known: NeedEvidence
    now: int
    rules: Rules

    def __call__(self, one: tuple[str, list[Visit]]) -> dict[str, Any]:
        user, visits = one
        return build_profile(user, visits, self.items, self.known, self.now, self.rules).model_dump(mode="json")


def _evidence(context: StepContext, titles: list[str], visits: dict[str, list[Visit]], now: int) -> dict[str, Evidence]:
    """What a model is shown of everybody who wrote something."""
    aspects = kept_aspects(context.inputs["aspects"].file(ASPECTS))
    found = {user: evidence_for(visits[user], titles, aspects, now) for user in sorted(visits)}
    return {user: evidence for user, evidence in found.items() if evidence.lines}


@dataclass(frozen=True, slots=True)
class _Asking:
    """One person's profile in the model's words."""

    model: LanguageModel

    def __call__(self, one: tuple[Profile, Evidence]) -> dict[str, Any]:
        try:
            written = profile_asked(self.model, *one)
        except ModelAnswerBad as error:
            return {"failed": str(error), "profile": None, "refused": 0}
        return {"profile": written.profile and written.profile.model_dump(mode="json"), "refused": written.refused}


def asked_profiles(
    context: StepContext, known: Sequence[Profile], evidence: Mapping[str, Evidence], model: LanguageModel
) -> tuple[dict[str, Profile], Counts]:
    """The model's profiles by person, and what there is to count; a person whom it failed at is not among them."""
    speaking = [(one, evidence[one.user_id]) for one in known if one.user_id in evidence]
    answers = list(context.map(_Asking(model), speaking, key=lambda one: one[0].user_id, unit="people"))
    written = {
        one.user_id: Profile.model_validate(answer["profile"])
        for (one, _), answer in zip(speaking, answers, strict=True)
        if answer["profile"]
    }
    counts: Counts = {"people asked": len(speaking), "refused": sum(answer["refused"] for answer in answers), "by": model.name}
    return written, {**counts, **failures(answers), "people by extraction": len(known) - len(written)}


PROFILE_STEP = Step(
    name="profiles",
    title="Getting to know everybody",
    reads=INPUTS,
    writes=(PROFILES,),
    run=_build_profiles,
    code=(
        "persona_core.llm",
        "persona_core.personas.asking",
        "persona_core.personas.aspects",
        "persona_core.personas.needs",
        "persona_core.personas.reading",
        "persona_core.profiles",
        "persona_core.schema",
        "persona_core.text.sentences",
    ),
    settings=lambda settings: settings.ranking.half_life_days,
    sources=lambda workspace: model_sources(workspace, "profiles", "profile"),
    unfinished=asks_again,
)
