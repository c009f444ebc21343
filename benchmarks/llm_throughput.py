"""What the adapter itself costs beside the model: calls to a stand-in server that takes a set time for each answer."""

from __future__ import annotations

import os
import subprocess  # nosec B404 # our own words, no shell
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from random import Random
from statistics import mean, quantiles
from typing import Any

from pydantic import BaseModel, Field

from benchmarks.harness import options_of, report
from persona_core.llm.cache import AnswerCache
from persona_core.llm.ollama_model import OllamaModel
from persona_core.llm.prompts import fenced, prompt
from persona_core.llm.protocol import Prompt
from persona_core.settings import OllamaSettings

FULL, QUICK = 1.0, 0.2
PARALLEL = (1, 2, 4)
CALLS_A_THREAD = 20
WORDS = "the pan handle is loose but it boils fast and my sister took hers camping in the rain for a week".split()


class Finding(BaseModel):
    kind: str = Field(max_length=20)
    text: str = Field(max_length=200)
    quote: str


class Findings(BaseModel):
    """Of about the size that the aspects of one batch of reviews have."""

    findings: list[Finding] = Field(max_length=24)


ANSWER = Findings(
    findings=[Finding(kind="quality", text=" ".join(WORDS), quote=" ".join(WORDS[number:])) for number in range(12)]
).model_dump_json()


@contextmanager
def server(delay: float) -> Iterator[str]:
    """The stand-in, in a process of its own: what it does must not count as ours."""
    command = [sys.executable, "-m", "tests.support.ollama_stand_in", "--delay", str(delay), "--says", ANSWER]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # nosec B603 # our own words, no shell
    try:
        if process.stdout is None or not (address := process.stdout.readline().strip()):
            raise RuntimeError("the stand-in did not start")
        yield address
    finally:
        process.terminate()
        process.wait(10)


def write_prompt(folder: Path) -> None:
    rules = "You list what reviews say, as JSON: findings, each with kind, text and quote. " * 12
    (folder / "bench.txt").write_text(f"{rules}\n=== user ===\n{{{{reviews}}}}\n", "utf-8")


def prompt_number(number: int, folder: Path, seed: int) -> Prompt:
    """About 4,000 characters of reviews, no two prompts alike; made while the clock runs, as in a build."""
    rng = Random(f"{seed} {number}")  # nosec B311 # seeded on purpose
    reviews = (fenced(" ".join(rng.choices(WORDS, k=60)), f"review {one}") for one in range(12))
    return prompt("bench", folder, reviews="\n".join(reviews))


def measured(address: str, delay: float, parallel: int, seed: int) -> dict[str, Any]:
    calls = parallel * CALLS_A_THREAD
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_prompt(folder)
        cache = AnswerCache(folder / "answers.sqlite")
        model = OllamaModel.of(OllamaSettings(host=address, model="tiny:1b", parallel=parallel), cache, seed=seed)
        if model is None:
            raise RuntimeError("the stand-in does not answer")

        def seconds_of(number: int) -> float:
            began = time.perf_counter()
            model.ask(prompt_number(number, folder, seed), Findings)
            return time.perf_counter() - began

        seconds_of(-1)  # imports, the first connection, the schema: once a build, not once a call
        with ThreadPoolExecutor(parallel) as threads:
            cpu, began = time.process_time(), time.perf_counter()
            each = list(threads.map(seconds_of, range(calls)))
            wall, cpu = time.perf_counter() - began, time.process_time() - cpu
            began = time.perf_counter()
            list(threads.map(seconds_of, range(calls)))
            again = time.perf_counter() - began
        model.close()
        cache.close()
    over = [seconds - delay for seconds in each]
    return {
        "delay s": delay,
        "parallel": parallel,
        "calls": calls,
        "calls/s": calls / wall,
        "busy %": 100 * calls * delay / (wall * parallel),
        "overhead ms": 1000 * mean(over),
        "overhead p95 ms": 1000 * quantiles(over, n=20)[-1],
        "overhead %": 100 * mean(over) / delay,
        "own CPU ms": 1000 * cpu / calls,
        "cached calls/s": calls / again,
    }


def main() -> None:
    options = options_of("llm_throughput", __doc__ or "")
    delay = QUICK if options.quick else FULL
    with server(delay) as address:
        rows = [measured(address, delay, parallel, options.seed) for parallel in PARALLEL]
    findings = len(Findings.model_validate_json(ANSWER).findings)
    notes = [
        f"overhead: the wall time of a call (prompt made, asked, answer of {findings} findings checked and kept on disk) less",
        f"the delay; the stand-in's own part in it is not taken off. {os.cpu_count()} cores.",
        "busy: how much of the time the server's places had work in them.",
    ]
    report("llm_throughput", options, rows, ["ollama", "httpx", "pydantic"], notes)


if __name__ == "__main__":
    main()
