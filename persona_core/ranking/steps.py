"""The ranking's step of the build: what people's habits say, fitted once and kept."""

from __future__ import annotations

from persona_core.catalog.store import Catalog
from persona_core.pipeline import Counts, Step, StepContext
from persona_core.ranking.interactions import Interactions
from persona_core.ranking.linear import EASE, MOST_ITEMS
from persona_core.ranking.neighbours import ItemKNN
from persona_core.ranking.popularity import RecentPopularity
from persona_core.workspace import Artefact

HABIT, RECENT = "habit.safetensors", "recent.safetensors"


def interactions_in(catalog: Catalog) -> Interactions:
    return Interactions.of(catalog.reviews(["user_id", "item_id", "rating", "time"]), catalog.items()["item_id"].tolist())


def fitted_habit(interactions: Interactions) -> EASE | ItemKNN:
    """The linear model, or neighbours where the catalogue is too large for it."""
    liked = interactions.liked()
    return EASE.fit(liked) if len(interactions.items) <= MOST_ITEMS else ItemKNN.fit(liked)


def open_habit(made: Artefact) -> EASE | ItemKNN:
    return EASE.load(made.file(HABIT)) if made.manifest.counts["habit"] == EASE.name else ItemKNN.load(made.file(HABIT))


def _fit(context: StepContext) -> Counts:
    interactions = interactions_in(Catalog.of(context.inputs["catalog"]))
    habit = fitted_habit(interactions)
    habit.save(context.file(HABIT))
    RecentPopularity.fit(interactions, half_life_days=context.settings.ranking.popularity_half_life_days).save(context.file(RECENT))
    return {"interactions": len(interactions.item), "habit": habit.name}


RANK_STEP = Step(
    name="ranking",
    title="Learning what goes with what",
    reads=("catalog",),
    writes=(HABIT, RECENT),
    run=_fit,
    code=("persona_core.ranking",),
    settings=lambda settings: settings.ranking.popularity_half_life_days,
)
