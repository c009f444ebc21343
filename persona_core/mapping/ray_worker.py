"""What runs on a Ray cluster beside the build: workers that do portions of the work, and the door through which they ask models."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import persona_core
from persona_core.errors import PersonaError, StepFailed
from persona_core.files import digest, file_digest
from persona_core.llm.cache import AnswerCache
from persona_core.llm.ollama_model import OllamaModel, Recipe
from persona_core.llm.protocol import Answer, FormT, Prompt
from persona_core.mapping.portions import Done, Portion, applied


@cache
def code_here() -> str:
    """A digest of the project as it lies on this machine."""
    home = Path(persona_core.__file__).parent
    return digest("\n".join(file_digest(file) for file in sorted(home.rglob("*.py"))).encode())


class Worker:
    """Is given work and does portions of it; one process of the cluster, kept for all steps of a build: to start it is dear."""

    def __init__(self, code: str) -> None:
        if code_here() != code:
            raise StepFailed(
                f"The machine {socket.gethostname()} has another version of the project.",
                why="Its results would not be those of this machine.",
                mend=f"bring {Path(persona_core.__file__).parent.parent} there to the same state, then run the same command again",
            )
        self._work: Callable[[Any], Any] | None = None

    def take(self, work: Callable[[Any], Any] | None) -> None:
        """Answers as soon as the process is there and has its work; with None it lets go of what it had."""
        self._work = work

    def each(self, portion: Portion) -> Done:
        if self._work is None:
            raise RuntimeError("a worker was given a portion before its work")
        return applied(self._work, portion)


class ModelDoor:
    """Asks models for everybody, on the machine of the build: so no two workers ask the same, and no host gets too much at once.

    A worker that dies while it waits loses no answer: it is kept here all the same.
    """

    def __init__(self) -> None:
        self._models: dict[Recipe, OllamaModel] = {}
        self._caches: dict[Path, AnswerCache] = {}
        self._lock = Lock()

    def ask(self, recipe: Recipe, prompt: Prompt, form: type[Any]) -> Answer[Any] | PersonaError:
        """The answer, or why there is none: what is raised here would reach the worker in other words."""
        try:
            return self._model(recipe).ask(prompt, form)
        except PersonaError as error:
            return error

    def _model(self, recipe: Recipe) -> OllamaModel:
        with self._lock:
            if recipe not in self._models:
                self._models[recipe] = OllamaModel.made(recipe, self._cache(recipe.answers))
            return self._models[recipe]

    def _cache(self, path: Path | None) -> AnswerCache | None:
        """One for all models: two that share a file share who waits for whom."""
        if path is not None and path not in self._caches:
            self._caches[path] = AnswerCache(path)
        return None if path is None else self._caches[path]


@dataclass(frozen=True, slots=True)
class AskedThroughDoor:
    """A model as it travels with the work: a name, and the way back to who may ask it."""

    door: Any
    recipe: Recipe

    @property
    def name(self) -> str:
        return self.recipe.settings.model

    @property
    def digest(self) -> str:
        return self.recipe.digest

    def ask(self, prompt: Prompt, form: type[FormT]) -> Answer[FormT]:
        import ray

        answer: Answer[FormT] | PersonaError = ray.get(self.door.ask.remote(self.recipe, prompt, form))
        if isinstance(answer, PersonaError):
            raise answer
        return answer
