"""The scenarios' step of the build: what they have in common, what each person carries from one to another, and how wishes carry over.

By rule for everybody; where there is a language model it is asked about the scenarios and about those who know several of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from persona_core.errors import ModelAnswerBad
from persona_core.llm.choice import SOURCE, asks_again, failures, model_sources, opened_model
from persona_core.llm.protocol import LanguageModel
from persona_core.pipeline import Counts, Step, StepContext
from persona_core.profiles.steps import INPUTS
from persona_core.scenarios.asking import (
    PERSON_PROMPT,
    SCENARIO_PROMPT,
    Line,
    person_lines,
    person_told,
    scenario_lines,
    scenarios_told,
)
from persona_core.scenarios.carried import Carrying
from persona_core.scenarios.files import ABOUT, NUMBERS, PEOPLE, PersonTold, write_scenarios
from persona_core.scenarios.knowledge import FEWEST
from persona_core.scenarios.work import Knowing
from persona_core.settings import Settings
from persona_core.workspace import Workspace

RULE = "rule"


def _know(context: StepContext) -> Counts:
    knowing = Knowing.made_from(context.inputs, context.settings)
    ground = knowing.ground
    people = {user: PersonTold(user_id=user, text=knowing.person(user).text, by=RULE) for user in ground.users}
    model = opened_model(context.workspace, "scenarios", context.because[f"file {SOURCE}"])
    told: Mapping[str, str] = {}
    counts: Counts = {"by": RULE}
    if model is not None:
        told, people, counts = _in_words_of(model, context, knowing, people)
    about = {
        "names": list(ground.names), "users": list(ground.users), "items": list(ground.world.items),
        "every": [one.model_dump(mode="json") for one in knowing.every],
        "pairs": [one.model_dump(mode="json") for one in knowing.pairs],
        "told": told, "by": counts["by"],
    }  # fmt: skip
    write_scenarios(context.folder, about, people.values(), _numbers(knowing))
    together = sum(pair.low is not None and pair.low > 0 for pair in knowing.pairs)
    several = int(((ground.counts >= FEWEST).sum(1) > 1).sum())
    return {"scenarios": len(ground.names), "pairs that go together": together, "people who know several": several, **counts}


def _numbers(knowing: Knowing) -> dict[str, Any]:
    ground, carrying = knowing.ground, Carrying.learned(knowing.ground)
    return {
        "scenario_of": np.array(ground.scenario_of, np.int64), "served": ground.world.known.of_items,
        "middles": carrying.middles, "tables": carrying.tables.astype(np.float32),
        "sure": carrying.sure.astype(np.float32), "people": carrying.people,
        "lifts": ground.lifts.astype(np.float32), "counts": ground.counts.astype(np.int32),
    }  # fmt: skip


class Question(NamedTuple):
    """What a model is shown of one person; of nobody: of the scenarios that it names."""

    user: str
    names: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class _Asking:
    model: LanguageModel

    def __call__(self, one: Question) -> dict[str, Any]:
        try:
            if not one.user:
                return {"scenarios": {name: told.text for name, told in scenarios_told(self.model, one.names, one.lines).items()}}
            return {"text": person_told(self.model, one.lines).text}
        except ModelAnswerBad as error:
            return {"failed": str(error)}


def _in_words_of(
    model: LanguageModel, context: StepContext, knowing: Knowing, people: dict[str, PersonTold]
) -> tuple[dict[str, str], dict[str, PersonTold], Counts]:
    """What the model says where it keeps to the evidence; the rule speaks of the others."""
    ground, asked = knowing.ground, _whom_to_ask(knowing, context.settings.profiles.people)
    questions = [
        Question("", tuple(ground.names), tuple(scenario_lines(knowing.every, knowing.pairs))),
        *(Question(user, (), tuple(person_lines(ground, user, knowing.titles, knowing.aspects))) for user in asked),
    ]
    found = context.map(_Asking(model), questions, key=lambda one: one.user, unit="people")
    answers = dict(zip(["", *asked], found, strict=True))
    said = {user: PersonTold(user_id=user, text=answers[user]["text"], by=model.name) for user in asked if answers[user].get("text")}
    counts: Counts = {"people asked": len(asked), "people told by it": len(said), "by": model.name, **failures(answers.values())}
    return answers[""].get("scenarios", {}), people | said, counts


def _whom_to_ask(knowing: Knowing, most: int) -> list[str]:
    """Those who know the most of several scenarios and wrote something in them."""
    ground = knowing.ground
    known = np.sort(ground.counts, axis=1)[:, -2] if len(ground.names) > 1 else np.zeros(len(ground.users))
    order = [ground.users[place] for place in np.argsort(-known, kind="stable") if known[place] >= FEWEST]
    return [user for user in order if person_lines(ground, user, knowing.titles, knowing.aspects)][:most]


def _sources(workspace: Workspace) -> dict[str, str]:
    found = model_sources(workspace, "scenarios", SCENARIO_PROMPT)
    if "prompt" in found:
        found["prompt of people"] = model_sources(workspace, "scenarios", PERSON_PROMPT)["prompt"]
    return found


def _settings(settings: Settings) -> object:
    return [settings.ranking.half_life_days, settings.profiles.people, settings.seed]


SCENARIO_STEP = Step(
    name="scenarios",
    title="Finding what carries over between scenarios",
    reads=INPUTS,
    writes=(ABOUT, PEOPLE, NUMBERS),
    run=_know,
    code=(
        "persona_core.evaluation.statistics",
        "persona_core.llm",
        "persona_core.personas.needs",
        "persona_core.profiles",
        "persona_core.scenarios",
    ),
    settings=_settings,
    sources=_sources,
    unfinished=asks_again,
)
