"""The one door for work over many things: who does it is a runner's affair, and every answer is kept as it comes."""

from __future__ import annotations

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
    """The work's answer for each of `things`, in their order; answers already in `journal` are taken from there.

    Only where each answer stands in the journal is held in memory: of a million people the answers themselves take gigabytes.
    """
    names = [key(thing) for thing in things]
    if len(set(names)) != len(names):
        raise ValueError("two things have the same key")
    begins = _read_journal(journal)
    missing = [(position, thing) for position, thing in enumerate(things) if names[position] not in begins]
    done = len(things) - len(missing)
    tell(done)
    with journal.open("ab") as file:
        for position, answer in runner.run(work, missing, kind) if missing else ():
            begins[names[position]] = file.tell()
            file.write(orjson.dumps([names[position], answer]) + b"\n")
            file.flush()
            done += 1
            tell(done)
    with journal.open("rb") as file:
        for name in names:
            file.seek(begins[name])
            yield orjson.loads(file.readline())[1]


def _read_journal(journal: Path) -> dict[str, int]:
    """Where each answer begins that an earlier, killed run had finished. A torn last line is cut off: the next one starts clean."""
    begins: dict[str, int] = {}
    if not journal.exists():
        return begins
    whole = 0
    with journal.open("rb") as file:
        for line in file:
            try:
                name, _ = orjson.loads(line)
            except ValueError:
                break
            if not line.endswith(b"\n"):
                break
            begins[name] = whole
            whole += len(line)
    with journal.open("r+b") as file:
        file.truncate(whole)
    return begins
