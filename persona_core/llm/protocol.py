"""What the engine knows of language models: a prompt goes in, a checked value comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel

T = TypeVar("T")
FormT = TypeVar("FormT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A filled-in prompt; `version` is a digest of the file that it was made from, before anything was filled in."""

    name: str
    version: str
    system: str
    user: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer cost, failed attempts included."""

    prompt_tokens: int = 0
    answer_tokens: int = 0
    seconds: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.answer_tokens + other.answer_tokens,
            self.seconds + other.seconds,
        )


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """A value of the form that was asked for. If it is `cached`, its usage is what it cost when it was paid for."""

    value: T
    usage: Usage
    cached: bool


class LanguageModel(Protocol):
    """Safe to call from several threads at once."""

    @property
    def name(self) -> str: ...

    @property
    def digest(self) -> str:
        """Which model exactly; the same digest means the same weights and template."""

    def ask(self, prompt: Prompt, form: type[FormT]) -> Answer[FormT]:
        """The answer in `form`. Raises ModelUnavailable, ModelMissing or ModelAnswerBad when there is none to be had."""
