"""The one door for work over many things: who runs it is a runner's affair, and every answer is kept as it comes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TypeVar

import orjson

Thing = TypeVar("Thing")


class Runner(Protocol):
    """Applies a function to things, wherever it likes, and yields (position, answer) in any order."""

    def run(self, function: Callable[[Any], Any], things: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]: ...


class LocalRunner:
    """Runs in threads of this process: right for work that waits for a model or for code that frees the GIL."""

    def __init__(self, workers: int = 1) -> None:
        self.workers = workers

    def run(self, function: Callable[[Any], Any], things: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
        if self.workers == 1:
            for position, thing in things:
                yield position, function(thing)
            return
        waiting = iter(things)
        with ThreadPoolExecutor(self.workers) as pool:
            running: dict[Future[Any], int] = {}
            try:
                while True:
                    for position, thing in islice(waiting, 2 * self.workers - len(running)):
                        running[pool.submit(function, thing)] = position
                    if not running:
                        return
                    done = wait(running, return_when=FIRST_COMPLETED).done
                    failed = next((future for future in done if future.exception() is not None), None)
                    if failed is not None:  # what the others have finished must not be lost with it
                        pool.shutdown(wait=True, cancel_futures=True)
                        done = {future for future in running if not future.cancelled() and future.exception() is None}
                    for future in done:
                        yield running.pop(future), future.result()
                    if failed is not None:
                        failed.result()
            finally:
                pool.shutdown(wait=True, cancel_futures=True)


def mapped(
    function: Callable[[Thing], Any],
    things: Sequence[Thing],
    key: Callable[[Thing], str],
    journal: Path,
    runner: Runner,
    tell: Callable[[int], None],
) -> Iterator[Any]:
    """`function` of each of `things`, in their order; answers already in `journal` are taken from there."""
    names = [key(thing) for thing in things]
    if len(set(names)) != len(names):
        raise ValueError("two things have the same key")
    answers = _read_journal(journal)
    missing = [(position, thing) for position, thing in enumerate(things) if names[position] not in answers]
    done = len(things) - len(missing)
    tell(done)
    with journal.open("ab") as file:
        for position, answer in runner.run(function, missing):
            file.write(orjson.dumps([names[position], answer]) + b"\n")
            file.flush()
            answers[names[position]] = answer
            done += 1
            tell(done)
    queue = deque(names)
    while queue:
        yield answers.pop(queue.popleft())


def _read_journal(journal: Path) -> dict[str, Any]:
    """What an earlier, killed run had finished. A torn last line is cut off, so that the next one starts clean."""
    answers: dict[str, Any] = {}
    if not journal.exists():
        return answers
    whole = 0
    with journal.open("rb") as file:
        for line in file:
            try:
                name, answer = orjson.loads(line)
            except ValueError:
                break
            if not line.endswith(b"\n"):
                break
            answers[name] = answer
            whole += len(line)
    with journal.open("r+b") as file:
        file.truncate(whole)
    return answers
