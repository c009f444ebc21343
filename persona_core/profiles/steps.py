"""The profiles' step of the build: everybody's taste, from what they did and said."""

from __future__ import annotations

import pandas as pd

from persona_core.catalog.store import Catalog
from persona_core.personas.aspects import ASPECTS, read_aspects
from persona_core.personas.files import PERSONAS, VECTORS, read_personas, read_vectors
from persona_core.personas.reading import Judge
from persona_core.personas.reading.judge import evidence_of
from persona_core.pipeline import Counts, Step, StepContext
from persona_core.profiles.building import Rules, build_profile
from persona_core.profiles.evidence import NeedEvidence, Visit, visits_of
from persona_core.profiles.files import PROFILES, write_profiles
from persona_core.schema import Sentiment
from persona_core.workspace import Artefact

INPUTS = ("catalog", "aspects", "personas")


def needs_known(inputs: dict[str, Artefact], items: list[str]) -> NeedEvidence:
    """What the built aspects and personas say about needs."""
    judge = Judge.load()
    aspects = read_aspects(inputs["aspects"].file(ASPECTS))
    topics = read_vectors(inputs["aspects"].file(VECTORS))
    personas = read_personas(inputs["personas"].file(PERSONAS))
    vectors = read_vectors(inputs["personas"].file(VECTORS))
    faults = (aspects["sentiment"] == str(Sentiment.NEGATIVE)).tolist()
    return NeedEvidence.of(
        evidence_of(judge.need.chances(topics)) if len(topics) else topics.reshape(0, len(judge.need_ids)),
        faults,
        evidence_of(judge.need.chances(vectors)) if len(vectors) else vectors.reshape(0, len(judge.need_ids)),
        personas,
        items,
    )


def visits_in(inputs: dict[str, Artefact], items: list[str]) -> dict[str, list[Visit]]:
    """Every user's visits, in order of time."""
    reviews = Catalog.of(inputs["catalog"]).reviews(["review_id", "user_id", "item_id", "rating", "time"])
    said: dict[str, list[int]] = {}
    for row, review in enumerate(read_aspects(inputs["aspects"].file(ASPECTS))["review_id"]):
        said.setdefault(review, []).append(row)
    return visits_of(reviews, {item: place for place, item in enumerate(items)}, said)


def moment_of(reviews: pd.Series) -> int:
    """The last thing that happened, in seconds."""
    return int(reviews.max().timestamp()) if len(reviews) else 0


def _build_profiles(context: StepContext) -> Counts:
    catalog = Catalog.of(context.inputs["catalog"])
    items = catalog.items()["item_id"].tolist()
    known, visits = needs_known(context.inputs, items), visits_in(context.inputs, items)
    now = moment_of(catalog.reviews(["time"])["time"])
    rules = Rules(half_life_days=context.settings.ranking.half_life_days)
    users = sorted(visits)
    profiles = []
    for number, user in enumerate(users, start=1):
        profiles.append(build_profile(user, visits[user], items, known, now, rules))
        if number % 100 == 0 or number == len(users):
            context.progress(number, len(users), "people")
    write_profiles(context.file(PROFILES), profiles)
    return {
        "profiles": len(profiles),
        "with likes": sum(bool(one.likes) for one in profiles),
        "with dislikes": sum(bool(one.dislikes) for one in profiles),
    }


PROFILE_STEP = Step(
    name="profiles",
    title="Getting to know everybody",
    reads=INPUTS,
    writes=(PROFILES,),
    run=_build_profiles,
    code=("persona_core.profiles", "persona_core.personas.needs", "persona_core.personas.reading", "persona_core.schema"),
    settings=lambda settings: settings.ranking.half_life_days,
)
