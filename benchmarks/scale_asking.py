"""One worker and two, on this machine's threads and on Ray, against a stand-in for a model that takes a set time for each answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.llm_throughput import Findings, prompt_number, server, write_prompt
from persona_core.errors import PersonaError
from persona_core.llm.cache import AnswerCache
from persona_core.llm.ollama_model import OllamaModel
from persona_core.llm.protocol import LanguageModel
from persona_core.mapping import LocalRunner, Runner, mapped
from persona_core.settings import OllamaSettings

DELAY_S, DELAY_QUICK_S = 1.0, 0.1
QUESTIONS, QUESTIONS_QUICK = 40, 24
WARM_UP = 4
WORKERS = (1, 2)


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks question by number."""

    model: LanguageModel
    folder: Path
    seed: int

    def __call__(self, number: int) -> int:
        return len(self.model.ask(prompt_number(number, self.folder, self.seed), Findings).value.findings)


def asking(quick: bool) -> list[dict[str, Any]]:
    """A row for each runner and number of workers; `times` is against one worker."""
    delay, questions = (DELAY_QUICK_S, QUESTIONS_QUICK) if quick else (DELAY_S, QUESTIONS)
    rows: list[dict[str, Any]] = []
    with server(delay) as address, TemporaryDirectory() as name:
        write_prompt(Path(name))
        for runner in ("local", "ray"):
            alone = 0.0
            for workers in WORKERS:
                seconds = _seconds(runner, workers, address, Path(name), questions)
                if seconds is None:
                    print("Ray is not installed: pip install -r requirements-scale.txt")
                    break
                alone = alone or seconds
                rows.append({"runner": runner, "workers": workers, "questions": questions, "delay s": delay, "seconds": seconds,
                             "times": alone / seconds, "busy %": 100 * questions * delay / seconds / workers})  # fmt: skip
    return rows


def _seconds(runner: str, workers: int, address: str, folder: Path, questions: int) -> float | None:
    """From the first question after the warm-up, in which workers start, to the last answer kept."""
    settings = OllamaSettings(host=address, model="tiny:1b", parallel=max(WORKERS))
    run = f"{runner}-{workers}"
    model = OllamaModel.of(settings, AnswerCache(folder / f"{run}.sqlite"))
    if model is None:
        raise RuntimeError("the stand-in does not answer")
    work = Asking(model, folder, sum(map(ord, run)))
    moments: list[float] = []
    try:
        with _runner(runner, workers) as who:
            numbers = range(WARM_UP + questions)
            list(mapped(work, numbers, str, folder / f"{run}.journal", who, lambda done: moments.append(time.perf_counter())))
    except PersonaError as error:
        if error.what == "Ray is not installed.":
            return None
        raise
    return moments[-1] - moments[WARM_UP]


@contextmanager
def _runner(name: str, workers: int) -> Iterator[Runner]:
    if name == "local":
        yield LocalRunner(workers)
        return
    from persona_core.mapping.ray_runner import RayRunner

    with RayRunner(workers) as runner:
        yield runner
