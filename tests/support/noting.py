"""Work that notes what it did, a line a call in a file, since it is done in other processes; and dies where it is told to."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from persona_core.errors import ModelAnswerBad


@dataclass(frozen=True)
class Noting:
    """Squares a number, and does first what it was told to do at some numbers."""

    notes: Path
    first: dict[int, Callable[[Path], None]] = field(default_factory=dict)
    seconds: float = 0.0

    def __call__(self, number: int) -> int:
        with self.notes.open("a") as file:
            file.write(f"{number}\n")
        if number in self.first:
            self.first[number](self.notes.with_name(f"died at {number}"))
        time.sleep(self.seconds)
        return number * number

    def calls(self) -> Counter[int]:
        return Counter(int(line) for line in self.notes.read_text().split()) if self.notes.exists() else Counter()


def dies_once(mark: Path) -> None:
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def dies_always(mark: Path) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def raises(mark: Path) -> None:
    raise ModelAnswerBad("seven", why="because", mend="eight")
