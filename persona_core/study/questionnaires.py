"""Questionnaires as data: ordered scales, items, which are turned round, where they come from. Versioned: answers keep meaning."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

FILE = Path(__file__).with_name("questionnaires.toml")
LONGEST_ANSWER = 5_000
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
NAME: Final = r"^[a-z][a-z0-9_-]{0,39}$"
Name = Annotated[str, StringConstraints(pattern=NAME)]


class Item(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    id: Name
    text: Word
    measures: Name
    """The construct; items of one are put together."""
    reverse: bool = False
    kind: Literal["scale", "choice", "text"] = "scale"
    options: tuple[Word, ...] = ()
    """Of a choice."""
    needed: bool = True


class Questionnaire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    id: Name
    version: int = Field(default=1, ge=1)
    title: Word
    source: Word
    """Where it comes from, to be cited."""
    scale: tuple[Word, ...] = ()
    """From the least to the most."""
    items: tuple[Item, ...] = Field(min_length=1, max_length=60)

    @model_validator(mode="after")
    def _can_be_answered(self) -> Self:
        if len({one.id for one in self.items}) < len(self.items):
            raise ValueError(f"two items of {self.id!r} have one id")
        if any(one.kind == "scale" for one in self.items) and not 2 <= len(self.scale) <= 11:
            raise ValueError(f"the scale of {self.id!r} needs 2 to 11 words, from the least to the most")
        bad = [one.id for one in self.items if (one.kind == "choice") != (len(one.options) >= 2)]
        if bad:
            raise ValueError(f"a choice needs two options or more, and nothing else has any: {', '.join(bad)}")
        return self

    def faults_of(self, answers: Mapping[str, object]) -> list[str]:
        """What is wrong with somebody's answers, by item; nothing where they can be kept."""
        known = {one.id: one for one in self.items}
        faults = [f"{name}: there is no such question" for name in answers if name not in known]
        for item in self.items:
            given = answers.get(item.id)
            if given is None or given == "":
                faults += [f"{item.id}: not answered"] if item.needed else []
            elif item.kind == "text":
                faults += [] if isinstance(given, str) and len(given) <= LONGEST_ANSWER else [f"{item.id}: too long"]
            else:
                most = len(self.scale if item.kind == "scale" else item.options)
                fits = isinstance(given, int) and not isinstance(given, bool) and 1 <= given <= most
                faults += [] if fits else [f"{item.id}: not one of the {most} answers"]
        return faults

    def scored(self, answers: Mapping[str, object]) -> dict[str, float]:
        """By construct, the mean of its answered scale items, each from 1 to the most, those that are reversed turned round."""
        found: dict[str, list[float]] = {}
        for item in self.items:
            given = answers.get(item.id)
            if item.kind == "scale" and isinstance(given, int):
                found.setdefault(item.measures, []).append(float(len(self.scale) + 1 - given if item.reverse else given))
        return {construct: sum(values) / len(values) for construct, values in found.items()}


@cache
def questionnaires() -> Mapping[str, Questionnaire]:
    """Those that ship."""
    read = (Questionnaire.model_validate({"id": name, **table}) for name, table in tomllib.loads(FILE.read_text("utf-8")).items())
    return {one.id: one for one in read}
