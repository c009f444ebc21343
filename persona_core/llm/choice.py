"""Which language model a build uses, if any: the one that the settings name, where a server has it.

What a model made stays good while its server is away; nobody loses personas by closing a laptop.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from persona_core.errors import ArtefactBroken, ModelUnavailable, WorkspaceMissing
from persona_core.files import file_digest_as_known
from persona_core.llm.cache import AnswerCache
from persona_core.llm.ollama_model import OllamaModel
from persona_core.llm.prompts import FOLDER
from persona_core.llm.server import ServerState, look
from persona_core.settings import OllamaSettings
from persona_core.workspace import Manifest, Workspace

ANSWERS = "answers.sqlite"
NONE = "none"
SOURCE = "model"
BETWEEN = ", "
"""Between the names of several."""
RETRY = "to ask again"
"""The count under which a step says how many answers failed."""
REASON = "the first: failed"
"""The count under which it says why the first of them did; being one with a colon, it is not read out among the others."""
FRESH_S = 20.0
"""So long is believed what a server said of itself: a page must not wait for a host that is away."""


@lru_cache(maxsize=8)
def _looked(settings: OllamaSettings, moment: int) -> tuple[ServerState, ...]:
    return look(settings)


def reachable_model(settings: OllamaSettings) -> str:
    """Name and digest of the model that would be asked now, or `none`."""
    return next(iter(reachable_models(settings, (settings.model,))), NONE)


def reachable_models(settings: OllamaSettings, names: Sequence[str]) -> list[str]:
    """Name and digest of those of them that could be asked now."""
    if settings.use == "never":
        return []
    there = [state for state in _looked(settings, int(time.monotonic() / FRESH_S)) if state.reachable]
    found = ((name, next((state.digest_of(name) for state in there if state.has(name)), None)) for name in names)
    return [f"{name}@{digest[:12]}" for name, digest in found if digest is not None]


def model_for(workspace: Workspace, step: str, names: Sequence[str] = ()) -> str:
    """Whose work the step is, or would be: the model at hand, or of several those at hand; else who made what is there."""
    settings = workspace.settings.ollama
    at_hand = BETWEEN.join(reachable_models(settings, names or (settings.model,))) or NONE
    if at_hand != NONE or settings.use == "never":
        return at_hand
    try:
        return workspace.artefact(step).manifest.because.get(f"file {SOURCE}", NONE)
    except (WorkspaceMissing, ArtefactBroken):
        return NONE


def model_sources(workspace: Workspace, step: str, prompt: str, names: Sequence[str] = ()) -> dict[str, str]:
    """What a step that may ask a model depends on: which model, and, where there is one, the prompt's very words."""
    model = model_for(workspace, step, names)
    return {SOURCE: model} | ({} if model == NONE else {"prompt": file_digest_as_known(FOLDER / f"{prompt}.txt")})


def opened_model(workspace: Workspace, step: str, wanted: str) -> OllamaModel | None:
    """The model to ask, its answers kept in the workspace; None where the step works without one.

    `wanted` is what `model_for` said when the step began: servers come and go, and the result is filed under that name.
    """
    return next(iter(opened_models(workspace, step, wanted)), None)


def opened_models(workspace: Workspace, step: str, wanted: str, temperature: float = 0.0) -> list[OllamaModel]:
    """The same where several were named."""
    if wanted == NONE:
        return []
    cache = AnswerCache(workspace.root / ANSWERS)
    return [_opened(workspace, step, one, cache, temperature) for one in wanted.split(BETWEEN)]


def _opened(workspace: Workspace, step: str, wanted: str, cache: AnswerCache, temperature: float) -> OllamaModel:
    settings = workspace.settings
    named = settings.ollama.of(wanted.rpartition("@")[0])
    model = OllamaModel.of(named, cache, seed=settings.seed, temperature=temperature)
    if model is None:
        raise ModelUnavailable(
            f"{step!r} is the work of the model {wanted}, which cannot be reached now.",
            why="It has to be made again, and to do that without the model would lose the model's work.",
            mend="start the server (ollama serve), or go on without it: PERSONA_OLLAMA_USE=never " + workspace.command("build"),
        )
    return model


def failures(answers: Iterable[Mapping[str, Any]]) -> dict[str, int | float | str]:
    """What there is to count of answers of which some have `failed`, each with the words of its error."""
    failed = [str(one["failed"]) for one in answers if "failed" in one]
    return {RETRY: len(failed), **({REASON: " ".join(failed[0].split())} if failed else {})}


def asks_again(workspace: Workspace, manifest: Manifest, names: Sequence[str] = ()) -> str:
    """Why a finished step is not done yet: answers failed, and there is a model to ask again."""
    failed = manifest.counts.get(RETRY, 0)
    settings = workspace.settings.ollama
    if failed and reachable_models(settings, names or (settings.model,)):
        said = "1 answer" if failed == 1 else f"{failed} answers"
        reason = manifest.counts.get(REASON)
        return f"{said} of the model failed; the next build asks again{f'. The first: {reason}' if reason else ''}"
    return ""
