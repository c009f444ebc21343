"""A study as a file: what varies, for whom, what they are asked to do and to say. Read whole, or refused with what to change.

A step of a participant's path has an id that stays the same for as long as the file does: that is what events are filed under.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from persona_core.errors import PersonaError
from persona_core.files import canonical_json, digest
from persona_core.study.questionnaires import Questionnaire, questionnaires

FACTORS: Final[Mapping[str, tuple[str, ...]]] = {
    "explanation": ("none", "persona", "persona_quotes", "persona_trend", "parts"),
    "counter": ("hidden", "shown"),
    "profile": ("fixed", "editable"),
    "trend": ("hidden", "shown"),
    "ranking": ("persona", "popularity", "collaborative"),
}
"""What can vary, and its levels; the first is what holds where a study does not speak of it."""
MOST_CONDITIONS, MOST_STEPS = 64, 200
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]
Condition = Mapping[str, str]


class StudyRefused(PersonaError):
    """A study file that cannot be used, with what to change in it."""


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Consent(Part):
    version: Text
    text: Text


class Task(Part):
    """Something to do under a condition."""

    id: Name
    text: Text
    items: int = Field(default=5, ge=1, le=50)
    """So many suggestions are shown."""
    rate: bool = False
    """Each is rated before its explanation is seen, after it, and after its reviews were read: effectiveness, measured."""
    after: tuple[Name, ...] = ()
    """Questionnaires that follow, about this condition."""


class Check(Part):
    """A question whose answer shows that somebody reads."""

    id: Name
    text: Text
    options: tuple[Text, ...] = Field(min_length=2, max_length=9)
    right: int = Field(ge=1)
    after: Name
    """The task that it follows."""

    @model_validator(mode="after")
    def _has_its_answer(self) -> Self:
        if self.right > len(self.options):
            raise ValueError(f"the right answer of {self.id!r} is number {self.right} of {len(self.options)} options")
        return self


class Step(Part):
    """One page of a participant's path."""

    id: str
    kind: Literal["consent", "profile", "task", "questionnaire", "check", "debrief"]
    of: str = ""
    """Which task, questionnaire or check."""
    period: int = 0
    """Under which of a participant's conditions, from 0 on."""


class Study(Part):
    format: Literal[1] = 1
    id: Name
    title: Text
    version: int = Field(default=1, ge=1)
    language: Name = "en"
    seed: int = 7
    within: bool = False
    """Everybody meets all conditions, in an order of their own; otherwise everybody meets one."""
    factors: Mapping[Name, tuple[Name, ...]]
    quota: int | None = Field(default=None, ge=1)
    """So many participants, and no more."""
    consent: Consent
    tasks: tuple[Task, ...] = Field(min_length=1, max_length=20)
    finally_: tuple[Name, ...] = Field(default=(), alias="finally")
    """Questionnaires at the end, about everything."""
    checks: tuple[Check, ...] = ()
    own: tuple[Questionnaire, ...] = ()
    """Questionnaires of the study's own."""
    debrief: Text

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for name, levels in self.factors.items():
            if name not in FACTORS:
                raise ValueError(f"there is no factor {name!r}; there are {', '.join(FACTORS)}")
            strange = [one for one in levels if one not in FACTORS[name]]
            if strange or not levels or len(set(levels)) < len(levels):
                raise ValueError(f"the levels of {name!r} are some of {', '.join(FACTORS[name])}, each once; not {', '.join(levels)}")
        if not 1 <= len(self.conditions) <= MOST_CONDITIONS:
            raise ValueError(f"there are {len(self.conditions)} conditions; at most {MOST_CONDITIONS} can be told apart")
        asked = [*self.finally_, *(name for task in self.tasks for name in task.after)]
        unknown = sorted({name for name in asked if name not in self.questionnaires})
        if unknown:
            raise ValueError(f"there is no questionnaire {', '.join(unknown)}; there are {', '.join(sorted(self.questionnaires))}")
        ids = [*(task.id for task in self.tasks), *(check.id for check in self.checks)]
        if len(set(ids)) < len(ids):
            raise ValueError("tasks and checks need an id each that no other has")
        lost = [check.id for check in self.checks if check.after not in {task.id for task in self.tasks}]
        if lost:
            raise ValueError(f"the checks {', '.join(lost)} follow a task that is not there")
        if len(self.path) > MOST_STEPS or len({step.id for step in self.path}) < len(self.path):
            raise ValueError(f"a path has at most {MOST_STEPS} pages, and each questionnaire stands once in a place")
        return self

    # What follows from it ------------------------------------------------------------------------------------------------

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Every combination of levels, in the order in which the file names them."""
        names = list(self.factors)
        return tuple(dict(zip(names, levels, strict=True)) for levels in product(*self.factors.values()))

    @property
    def questionnaires(self) -> Mapping[str, Questionnaire]:
        return {**questionnaires(), **{one.id: one for one in self.own}}

    @property
    def periods(self) -> int:
        """How many conditions each participant meets."""
        return len(self.conditions) if self.within else 1

    @property
    def path(self) -> tuple[Step, ...]:
        return tuple(self._steps())

    def _steps(self) -> Iterator[Step]:
        yield Step(id="consent", kind="consent")
        yield Step(id="profile", kind="profile")
        for period in range(self.periods):
            for task in self.tasks:
                yield Step(id=f"{period}.{task.id}", kind="task", of=task.id, period=period)
                for check in self.checks:
                    if check.after == task.id:
                        yield Step(id=f"{period}.{task.id}.{check.id}", kind="check", of=check.id, period=period)
                for name in task.after:
                    yield Step(id=f"{period}.{task.id}.{name}", kind="questionnaire", of=name, period=period)
        for name in self.finally_:
            yield Step(id=f"finally.{name}", kind="questionnaire", of=name, period=self.periods - 1)
        yield Step(id="debrief", kind="debrief")

    @property
    def content(self) -> str:
        """A digest of all that participants meet: what is said of one design is not mixed with another's."""
        return digest(canonical_json(self.model_dump(mode="json", by_alias=True)))


def settled(condition: Condition) -> dict[str, str]:
    """A level for every factor there is."""
    return {name: condition.get(name, levels[0]) for name, levels in FACTORS.items()}


def read_study(path: Path) -> Study:
    """Raises StudyRefused, with the place in the file and what is wrong there."""
    try:
        return Study.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        why = str(error.strerror or error)
        raise StudyRefused(f"There is no study to read in {path}.", why=why, mend="name a study file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StudyRefused(f"{path} is not valid TOML.", why=str(error), mend="correct that line") from error
    except ValidationError as error:
        found = [(".".join(map(str, one["loc"])) or "the study", one["msg"].removeprefix("Value error, ")) for one in error.errors()]
        why = "\n".join(f"{place}: {message}" for place, message in found)
        raise StudyRefused(f"{path} is no study that could be run.", why=why, mend="change what is named above") from error
