"""Made-up participants who answer with a known effect, through the very path that people take: so that the statistics can be tried."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from persona_core.engine import Engine
from persona_core.study import doing
from persona_core.study.design import Step, Study
from persona_core.study.doing import EDITING, RATING
from persona_core.study.showing import wants_items
from persona_core.study.sitting import Hall, Sitting

NOISE = 0.8
"""Of one item, beside what somebody thinks of its construct, in standard deviations of people."""
OWN = 0.6
"""How much of what somebody says is theirs under every condition: the correlation of two of their conditions."""


@dataclass(frozen=True, slots=True)
class Effect:
    """Under this level an outcome is so many standard deviations higher; nothing else differs."""

    outcome: str
    factor: str
    level: str
    size: float


@dataclass(frozen=True, slots=True)
class Crowd:
    effects: tuple[Effect, ...] = ()
    careless: float = 0.0
    """This share fails the attention checks."""
    drops: float = 0.0
    """This share stops at a page drawn by lot."""


def simulate(hall: Hall, engine: Engine, many: int, crowd: Crowd, seed: int = 0, note: Callable[[int], None] = lambda _: None) -> int:
    """So many come and go their way; gives back how many finished. They are marked, and never counted among people."""
    hall, finished = Hall(hall.study.unlimited, hall.store), 0
    for number in range(many):
        sitting, _ = hall.admit(origin="simulated")
        one = Somebody(hall.study, crowd, np.random.default_rng([seed, number]))
        stops = int(one.dice.integers(1, len(hall.study.path))) if one.dice.random() < crowd.drops else None
        while sitting.step is not None and len(sitting.done) != stops:
            sitting = _one_page(hall, engine, sitting, one)
        finished += sitting.step is None
        note(number + 1)
    return finished


def _one_page(hall: Hall, engine: Engine, sitting: Sitting, one: Somebody) -> Sitting:
    step = sitting.step
    assert step is not None  # nosec B101 # for the type checker
    if step.kind != "task":
        return hall.finish(sitting, step.id, one.answers(step, sitting, engine))
    while True:
        now = doing.doing(engine, hall, sitting)
        doing.note_shown(hall, sitting, engine, now)
        if now.stage == EDITING:
            doing.settle(hall, sitting, engine)
        elif now.stage == RATING:
            rated = {item: one.rating(sitting, item, now.at) for item in now.asks}
            doing.rate(hall, sitting, engine, now.place, rated)
        else:
            items = now.shown.items
            return doing.choose(hall, sitting, engine, items[int(one.dice.integers(len(items)))])


class Somebody:
    """One made-up participant: what they think of each construct, and how they answer."""

    def __init__(self, study: Study, crowd: Crowd, dice: np.random.Generator) -> None:
        self.study, self.crowd, self.dice = study, crowd, dice
        self._careless = dice.random() < crowd.careless
        self._own: dict[str, float] = {}
        self._now: dict[tuple[str, int], float] = {}
        self._true: dict[str, float] = {}

    def answers(self, step: Step, sitting: Sitting, engine: Engine) -> dict[str, Any]:
        if step.kind == "consent":
            return {"agreed": True, "version": self.study.consent.version}
        if step.kind == "profile":
            items = [engine.items[int(at)].id for at in self.dice.choice(len(engine.items), 3, replace=False)]
            texts = [like.text for user in engine.profiles.users()[:50] for like in engine.profile(user).likes] or ["something good"]
            phrases = sorted({texts[int(at)] for at in self.dice.integers(len(texts), size=3)})
            return {"phrases": phrases, **({"items": items} if wants_items(self.study) else {})}
        if step.kind == "check":
            check = next(one for one in self.study.checks if one.id == step.of)
            wrong = next(at for at in range(1, len(check.options) + 1) if at != check.right)
            return {"answer": wrong if self._careless else check.right}
        return self._said(step, sitting.condition) if step.kind == "questionnaire" else {}

    def _said(self, step: Step, condition: Mapping[str, str]) -> dict[str, Any]:
        asked = self.study.questionnaires[step.of]
        given: dict[str, Any] = {}
        for item in asked.items:
            if item.kind == "scale":
                felt = self.thinks(item.measures, step.period, condition) + NOISE * self.dice.standard_normal()
                given[item.id] = int(on_scale(-felt if item.reverse else felt, len(asked.scale)))
            elif item.kind == "choice":
                given[item.id] = int(self.dice.integers(1, len(item.options) + 1))
        return given

    def thinks(self, construct: str, period: int, condition: Mapping[str, str]) -> float:
        """In standard deviations: partly theirs for good, partly of the moment, and what the condition does."""
        if (construct, period) not in self._now:
            own = self._own.setdefault(construct, float(self.dice.standard_normal()))
            moment = float(self.dice.standard_normal())
            self._now[construct, period] = thought(own, moment)
        return self._now[construct, period] + self._lift(construct, condition)

    def _lift(self, outcome: str, condition: Mapping[str, str]) -> float:
        return sum(one.size for one in self.crowd.effects if one.outcome == outcome and condition[one.factor] == one.level)

    def rating(self, sitting: Sitting, item: str, at: str) -> int:
        """Each has a true liking, met after reading; before that it is guessed, and `misjudged` says how badly."""
        key = f"{sitting.step and sitting.step.period} {item}"
        true = self._true.setdefault(key, float(self.dice.standard_normal()))
        if at == doing.READ:
            return int(on_scale(true, 5))
        error = max(0.1, 1.0 + (self._lift("misjudged", sitting.condition) if at == doing.AFTER else 0.0))
        return int(on_scale(true + error * float(self.dice.standard_normal()), 5))


def thought(own: Any, moment: Any) -> Any:
    """What somebody thinks under one condition: partly theirs for good, partly of the moment."""
    return np.sqrt(OWN) * own + np.sqrt(1 - OWN) * moment


def on_scale(felt: Any, many: int) -> Any:
    """Answers lie around the middle of the scale, a standard deviation being a quarter of it."""
    return np.clip(np.rint((many + 1) / 2 + felt * (many - 1) / 4), 1, many)
