"""A study as a file: what varies, for whom, what they are asked to do and to say. Read whole, or refused with what to change.

A step of a participant's path has an id that stays the same for as long as the file does: that is what events are filed under.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from persona_core.errors import PersonaError
from persona_core.files import canonical_json, digest
from persona_core.study.questionnaires import Name, Questionnaire, questionnaires
from persona_core.toml import NotToml, table_in, table_of

FACTORS: Final[Mapping[str, tuple[str, ...]]] = {
    "explanation": ("none", "persona", "persona_quotes", "persona_trend", "parts"),
    "counter": ("hidden", "shown"),
    "profile": ("fixed", "editable"),
    "trend": ("hidden", "shown"),
    "ranking": ("persona", "popularity", "collaborative"),
}
"""What can vary, and its levels; the first is what holds where a study does not speak of it."""
WORDS = Path(__file__).with_name("words.toml")
MEASURED: Final[Mapping[str, str]] = {
    "misjudged": "how far the rating with the explanation lies from the rating after reading the reviews; the less the better",
    "persuaded": "how much higher the rating is with the explanation than before it",
    "misjudged_before": "the same as misjudged, of the rating before the explanation",
    "minutes": "minutes on the task",
    "edits": "edits of the profile",
    "chose": "share of tasks in which something was chosen",
}
"""What is measured of everybody, beside what they say."""
MOST_CONDITIONS, MOST_STEPS = 64, 200
MOST_FAULTS = 20
"""So many are told at once."""
MOST_OF_ALL = 1_000_000
"""Numbers in a study are counts of people, days and versions, and seeds; larger ones fit into no database."""
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
    scenarios: tuple[Text, ...] = Field(default=(), max_length=100)
    """Of these only; of all where none is named."""
    rate: bool = False
    """Each is rated before its explanation is seen, after it, and after its reviews were read: effectiveness, measured."""
    after: tuple[Name, ...] = Field(default=(), max_length=20)
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


class Hypothesis(Part):
    """What is planned to be tested, before anybody took part: everything else is exploratory."""

    outcome: Name
    """A construct of a questionnaire, or one of what is measured (see MEASURED)."""
    factor: Name
    level: Name
    against: Name
    direction: Literal["more", "less", "differs"] = "differs"
    """Of the outcome under `level`, beside `against`."""

    @property
    def words(self) -> str:
        if self.direction == "differs":
            return f"{self.outcome}: differs between {self.factor} {self.level} and {self.against}"
        return f"{self.outcome}: {self.direction} under {self.factor} {self.level} than {self.against}"


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
    version: int = Field(default=1, ge=1, le=MOST_OF_ALL)
    language: Name = "en"
    seed: int = Field(default=7, ge=0, lt=2**32)
    within: bool = False
    """Everybody meets all conditions, in an order of their own; otherwise everybody meets one."""
    factors: Mapping[Name, tuple[Name, ...]]
    quota: int | None = Field(default=None, ge=1, le=MOST_OF_ALL)
    """So many finish, and no more are let in; who has not been seen for a while does not count."""
    entry: Literal["open", "invited", "panel"] = "open"
    """Who may begin: everybody with the address, who has an invitation, or who comes from a panel with a number of theirs."""
    panel_field: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,39}$")] = "PROLIFIC_PID"
    """The part of the address in which a panel names its participant."""
    completion: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{0,40}$")] = ""
    """A code for everybody at the end, as panels give it; otherwise everybody has one of their own."""
    leave_out_failed: bool = True
    """Whoever fails an attention check is left out of the analysis."""
    retention_days: int | None = Field(default=None, ge=1, le=100 * 366)
    """After so long, `study forget` deletes what somebody did and said."""
    words: Mapping[Name, Text] = {}
    """What pages say, in the study's language; see words.toml."""
    hypotheses: tuple[Hypothesis, ...] = Field(default=(), max_length=60)
    consent: Consent
    tasks: tuple[Task, ...] = Field(min_length=1, max_length=20)
    finally_: tuple[Name, ...] = Field(default=(), alias="finally", max_length=20)
    """Questionnaires at the end, about everything."""
    checks: tuple[Check, ...] = Field(default=(), max_length=20)
    own: tuple[Questionnaire, ...] = Field(default=(), max_length=40)
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
        self._check_words()
        self._check_hypotheses()
        if len(self.path) > MOST_STEPS or len({step.id for step in self.path}) < len(self.path):
            raise ValueError(f"a path has at most {MOST_STEPS} pages, and each questionnaire stands once in a place")
        return self

    def _check_words(self) -> None:
        unknown = sorted(self.words.keys() - said().keys())
        if unknown:
            raise ValueError(f"no page says {', '.join(unknown)}; there are {', '.join(said())}")

    def _check_hypotheses(self) -> None:
        asked = {name for task in self.tasks for name in task.after} | set(self.finally_)
        constructs = {item.measures for name in asked for item in self.questionnaires[name].items if item.kind == "scale"}
        known = constructs | MEASURED.keys()
        for one in self.hypotheses:
            if one.outcome not in known:
                raise ValueError(f"a hypothesis speaks of {one.outcome!r}; there are {', '.join(sorted(known))}")
            levels = self.factors.get(one.factor, ())
            if one.level not in levels or one.against not in levels or one.level == one.against:
                which = f"{one.level!r} and {one.against!r} of {one.factor!r}"
                raise ValueError(f"a hypothesis compares {which}, which has {', '.join(levels) or 'no levels'}")

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
    def scale_items(self) -> frozenset[tuple[str, str]]:
        """Questionnaire and item of everything that is answered on a scale."""
        return frozenset((asked.id, one.id) for asked in self.questionnaires.values() for one in asked.items if one.kind == "scale")

    @property
    def unlimited(self) -> Study:
        """The same with room for everybody: for rehearsals and previews."""
        return self.model_copy(update={"quota": None})

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
        """A digest of all that participants meet and of what is planned: what is said of one design is not mixed with another's."""
        return digest(canonical_json(self.model_dump(mode="json", by_alias=True, exclude={"quota", "retention_days"})))

    def word(self, name: str, **values: object) -> str:
        """What a page says, in the study's own words where it has some; `{name}` in them is a value's place."""
        text = self.words.get(name) or said()[name]
        for place, value in values.items():
            text = text.replace(f"{{{place}}}", str(value))
        return text


@cache
def said() -> Mapping[str, str]:
    """What pages say to participants where a study says nothing else."""
    words: dict[str, str] = tomllib.loads(WORDS.read_text("utf-8"))
    return words


def settled(condition: Condition) -> dict[str, str]:
    """A level for every factor there is."""
    return {name: condition.get(name, levels[0]) for name, levels in FACTORS.items()}


def read_study(path: Path) -> Study:
    """Raises StudyRefused, with the place in the file and what is wrong there."""
    try:
        return study_of(table_of(path), str(path))
    except OSError as error:
        why = str(error.strerror or error)
        raise StudyRefused(f"There is no study to read in {path}.", why=why, mend="name a study file") from error
    except NotToml as error:
        raise _no_toml(str(path), error) from error


def study_in(text: str, called: str = "This") -> Study:
    """The same of a file's text."""
    try:
        return study_of(table_in(text), called)
    except NotToml as error:
        raise _no_toml(called, error) from error


def _no_toml(called: str, error: NotToml) -> StudyRefused:
    return StudyRefused(f"{called} is not valid TOML.", why=str(error), mend="correct that line; texts are saved as UTF-8")


def study_of(values: Mapping[str, Any], called: str = "This") -> Study:
    """The same of what a file holds, or a form; the error's `why` has a line for every place that is wrong."""
    try:
        return Study.model_validate(values)
    except ValidationError as error:
        told = error.errors(include_url=False, include_input=False)[:MOST_FAULTS]
        found = [(".".join(map(str, one["loc"])) or "the study", one["msg"].removeprefix("Value error, ")) for one in told]
        why = "\n".join(f"{place}: {message}" for place, message in found)
        raise StudyRefused(f"{called} is no study that could be run.", why=why, mend="change what is named above") from error
