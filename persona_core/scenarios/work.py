"""Knowledge of a built workspace: everybody's ground, and what is said of scenarios and of one person, by rule or by a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from persona_core.alignment.steps import world_in
from persona_core.catalog.store import Catalog
from persona_core.errors import PersonaError
from persona_core.llm.protocol import LanguageModel
from persona_core.personas.aspects import ASPECTS, KeptAspect, kept_aspects
from persona_core.profiles.building import Rules
from persona_core.profiles.steps import INPUTS
from persona_core.scenarios.asking import Told, person_lines, person_told, scenario_lines, scenarios_told
from persona_core.scenarios.knowledge import About, Between, Ground, PersonKnows, about, between, person_knows
from persona_core.settings import Settings
from persona_core.workspace import Artefact, Workspace


@dataclass(frozen=True)
class Knowing:
    """One workspace as built now; nothing in it changes."""

    ground: Ground
    aspects: Sequence[KeptAspect]
    titles: list[str]
    seed: int

    @classmethod
    def of(cls, place: Workspace) -> Self:
        return cls.made_from({name: place.artefact(name) for name in INPUTS}, place.settings)

    @classmethod
    def made_from(cls, inputs: dict[str, Artefact], settings: Settings) -> Self:
        items = Catalog.of(inputs["catalog"]).items()
        names = sorted(items["scenario"].unique())
        code = {name: at for at, name in enumerate(names)}
        rules = Rules(half_life_days=settings.ranking.half_life_days)
        ground = Ground(world_in(inputs), [code[one] for one in items["scenario"]], names, rules)
        aspects = kept_aspects(inputs["aspects"].file(ASPECTS))
        return cls(ground, aspects, items["title"].tolist(), settings.seed)

    @cached_property
    def every(self) -> tuple[About, ...]:
        return tuple(about(self.ground, at) for at in range(len(self.ground.names)))

    @cached_property
    def pairs(self) -> tuple[Between, ...]:
        """The closest first; those of which nothing is known last."""
        found = between(self.ground, self.aspects, self.seed)
        return tuple(sorted(found, key=lambda one: -2.0 if one.strength is None else one.strength, reverse=True))

    def person(self, user: str) -> PersonKnows:
        self._known(user)
        return person_knows(self.ground, user)

    def scenarios_by(self, model: LanguageModel) -> dict[str, Told]:
        """In the model's words. Raises what the model raises."""
        return scenarios_told(model, self.ground.names, scenario_lines(self.every, self.pairs))

    def person_by(self, model: LanguageModel, user: str) -> Told:
        self._known(user)
        lines = person_lines(self.ground, user, self.titles, self.aspects)
        if not lines:
            raise PersonaError(f"{user} wrote nothing that a model could read.", mend="ask without a model")
        return person_told(model, lines)

    def _known(self, user: str) -> None:
        if user not in self.ground.world.visits:
            raise PersonaError(f"There is nobody called {user!r} here.", mend="name somebody by their id")
