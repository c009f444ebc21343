"""The one door for work over many things: who does it is a runner's affair, and every answer is kept as it comes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

import orjson

Thing = TypeVar("Thing")
Numbered = tuple[int, Any]
"""A thing, or its answer, under the thing's position."""
Kind = Literal["waits", "one core", "all cores"]
"""What the work spends its time with: waiting for a model, computing on one core, or on as many as it finds."""


class Runner(Protocol):
    """Does the work for each thing, wherever it likes, and yields (position, answer) in any order.

    The work may be pickled on its way, so it is a function of a module, or a small class that holds what it needs and opens
    files and connections when it is called. Where it raises, what others have finished still comes before the error does.
    """

    def run(self, work: Callable[[Any], Any], things: Sequence[Numbered], kind: Kind = "waits") -> Iterator[Numbered]: ...


def mapped(
    work: Callable[[Thing], Any],
    things: Sequence[Thing],
    key: Callable[[Thing], str],
    journal: Path,
    runner: Runner,
    tell: Callable[[int], None],
    kind: Kind = "waits",
) -> Iterator[Any]:
    """The work's answer for each of `things`, in their order; answers already in `journal` are taken from there."""
    names = [key(thing) for thing in things]
    if len(set(names)) != len(names):
        raise ValueError("two things have the same key")
    answers = _read_journal(journal)
    missing = [(position, thing) for position, thing in enumerate(things) if names[position] not in answers]
    done = len(things) - len(missing)
    tell(done)
    with journal.open("ab") as file:
        for position, answer in runner.run(work, missing, kind) if missing else ():
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
