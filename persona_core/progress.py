"""What long work says of itself while it runs, for people at a terminal and for programs that watch."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Literal, TextIO

from pydantic import TypeAdapter, ValidationError

Phase = Literal["skipped", "adopted", "started", "working", "finished", "failed"]


@dataclass(frozen=True, slots=True)
class Progress:
    """One moment of a build. `done` and `total` count `unit`s of the step; `total` is 0 where it is not known."""

    step: str
    title: str
    number: int
    of: int
    phase: Phase
    done: int = 0
    total: int = 0
    unit: str = ""
    rate: float = 0.0
    """Units a second since this process took the step up."""
    seconds_left: float | None = None
    seconds: float = 0.0
    note: str = ""

    @property
    def share(self) -> float:
        """How much of the step is done, between 0 and 1."""
        if self.phase in ("finished", "skipped", "adopted"):
            return 1.0
        return min(1.0, self.done / self.total) if self.total else 0.0


Listener = Callable[[Progress], None]


def nobody(_: Progress) -> None:
    """A listener for who does not care."""


@dataclass(slots=True)
class Meter:
    """Turns counts into rates and times left, and keeps the listener from being called too often."""

    listener: Listener
    step: str
    title: str
    number: int
    of: int
    every: float = 0.1
    _began: float = field(default_factory=time.monotonic)
    _first_done: int | None = None
    _told: float = 0.0

    def working(self, done: int, total: int, unit: str) -> None:
        now = time.monotonic()
        if self._first_done is None:
            self._first_done = done
        if now - self._told < self.every and done < total:
            return
        self._told = now
        rate = (done - self._first_done) / max(now - self._began, 1e-9)
        left = (total - done) / rate if rate > 0 and total else None
        self.tell("working", done=done, total=total, unit=unit, rate=rate, seconds_left=left)

    def tell(
        self, phase: Phase, *, done: int = 0, total: int = 0, unit: str = "", rate: float = 0.0,
        seconds_left: float | None = None, note: str = "",
    ) -> None:  # fmt: skip
        seconds = time.monotonic() - self._began
        self.listener(
            Progress(self.step, self.title, self.number, self.of, phase, done, total, unit, rate, seconds_left, seconds, note)
        )


class TerminalListener:
    """One line a step on standard error; on a real terminal the line of the running step is alive."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.alive = self.stream.isatty()

    def __call__(self, progress: Progress) -> None:
        if progress.phase == "working":
            if self.alive:
                self.stream.write(f"\r\x1b[2K{_working(progress)}")
                self.stream.flush()
            return
        if progress.phase == "started" and not self.alive:
            return
        start, end = ("\r\x1b[2K", "" if progress.phase == "started" else "\n") if self.alive else ("", "\n")
        self.stream.write(f"{start}{_line(progress)}{end}")
        self.stream.flush()


class JsonListener:
    """One JSON object a line on standard error, for a program that watches; a running step speaks at most so often."""

    def __init__(self, stream: TextIO | None = None, every: float = 0.4) -> None:
        self.stream = stream or sys.stderr
        self.every = every
        self._told = 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.phase == "working" and progress.done < progress.total and now - self._told < self.every:
            return
        self._told = now
        self.stream.write(json.dumps(asdict(progress)) + "\n")
        self.stream.flush()


_READ = TypeAdapter(Progress)


def progress_in(row: object) -> Progress | None:
    """What a `JsonListener` wrote; None of anything else."""
    try:
        return _READ.validate_python(row)
    except ValidationError:
        return None


def _head(progress: Progress) -> str:
    return f"[{progress.number}/{progress.of}] {progress.title}"


def _line(progress: Progress) -> str:
    says = {
        "skipped": "up to date",
        "adopted": "was finished before; taken over",
        "started": "…",
        "finished": f"done in {progress.seconds:.1f} s",
        "failed": "failed",
    }.get(progress.phase, "")
    return f"{_head(progress)}: {says}" + (f" ({progress.note})" if progress.note else "")


def _working(progress: Progress) -> str:
    filled = round(24 * progress.share)
    counts = f"{progress.done:,} of {progress.total:,}" if progress.total else f"{progress.done:,}"
    left = f", {in_words(progress.seconds_left)} left" if progress.seconds_left is not None else ""
    bar = "█" * filled + "░" * (24 - filled)
    return f"{_head(progress)} {bar} {counts} {progress.unit}, {progress.rate:,.0f}/s{left}"


def in_words(seconds: float) -> str:
    """A length of time as people say it."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
