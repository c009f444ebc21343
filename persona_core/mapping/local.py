"""Work over many things on this machine: in threads what waits for a model, in processes what computes for long."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any

from persona_core.mapping.door import Kind, Numbered
from persona_core.mapping.portions import Done, Portion, Portions, applied

TRIED_S, WORTH_S = 3.0, 20.0
"""After so long, processes are started if there is so much left to do: to start them costs seconds itself."""


class LocalRunner:
    """As many threads as are worth it for waiting; as many processes, if there is enough to compute. Both may be one: in line."""

    def __init__(self, workers: int = 1, processes: int = 1) -> None:
        self.workers = workers
        self.processes = processes

    def run(self, work: Callable[[Any], Any], things: Sequence[Numbered], kind: Kind = "waits") -> Iterator[Numbered]:
        if kind == "waits" and self.workers > 1:
            yield from _in_threads(work, things, self.workers)
        elif kind == "one core" and self.processes > 1:
            yield from _tried_here_first(work, things, self.processes)
        else:
            for position, thing in things:
                yield position, work(thing)


def _in_threads(work: Callable[[Any], Any], things: Sequence[Numbered], workers: int) -> Iterator[Numbered]:
    waiting = iter(things)
    with ThreadPoolExecutor(workers) as pool:
        running: dict[Future[Any], int] = {}
        try:
            while True:
                for position, thing in islice(waiting, 2 * workers - len(running)):
                    running[pool.submit(work, thing)] = position
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


# Processes ---------------------------------------------------------------------------------------------------------------


def _tried_here_first(work: Callable[[Any], Any], things: Sequence[Numbered], processes: int) -> Iterator[Numbered]:
    began = time.monotonic()
    for done, (position, thing) in enumerate(things, start=1):
        yield position, work(thing)
        spent = time.monotonic() - began
        if spent > TRIED_S and spent / done * (len(things) - done) > WORTH_S:
            yield from _in_processes(work, Portions(things[done:]), processes)
            return


def _in_processes(work: Callable[[Any], Any], portions: Portions, processes: int) -> Iterator[Numbered]:
    """A process that dies takes all others of its pool with it; what they had is done again in a new pool."""
    while len(portions):
        pool = _pool(work, processes)
        running: dict[Future[Done], Portion] = {}
        try:
            yield from _handed_out(pool, portions, running, 2 * processes)
        except BrokenProcessPool:
            for portion in running.values():
                portions.back(portion)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _handed_out(
    pool: ProcessPoolExecutor, portions: Portions, running: dict[Future[Done], Portion], at_once: int
) -> Iterator[Numbered]:
    error: Exception | None = None
    while running or (len(portions) and error is None):
        while error is None and len(portions) and len(running) < at_once:
            if running and (portions.doubted or any(map(portions.doubts, running.values()))):
                break
            portion = portions.next()
            try:
                running[pool.submit(_do, portion)] = portion
            except BrokenProcessPool:
                portions.back(portion)
                raise
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            done = future.result()
            del running[future]
            portions.learn(done)
            error = error or done.error
            yield from done.answers
    if error is not None:
        raise error


def _pool(work: Callable[[Any], Any], processes: int) -> ProcessPoolExecutor:
    fresh = multiprocessing.get_context("spawn")  # a copy of a process with threads in it may wait for them forever
    return ProcessPoolExecutor(processes, mp_context=fresh, initializer=_receive, initargs=(work,))


_received: Callable[[Any], Any] | None = None


def _receive(work: Callable[[Any], Any]) -> None:
    """What a new process begins with: the work comes once, not with every portion."""
    global _received
    _received = work


def _do(portion: Portion) -> Done:
    if _received is None:
        raise RuntimeError("a process was started without its work")
    return applied(_received, portion)
