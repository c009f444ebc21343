"""What the process of a job has said so far, read line by line as it comes."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from persona_core import errors
from persona_core.errors import PersonaError
from persona_core.progress import Progress, in_words, progress_in

MOST_LINES = 200
LONGEST_LINE = 400
MOST_AT_ONCE = 8 * 2**20


@dataclass(slots=True)
class JobLog:
    """The log as far as it was read: progress by step, how it ended, and the last lines for people."""

    progress: dict[str, Progress] = field(default_factory=dict)
    error: PersonaError | None = None
    done: bool = False
    """Whether it has said its result, which it does only when all went well."""
    _lines: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_LINES))
    _read: int = 0

    def read(self, file: Path) -> None:
        """Takes in the whole lines that are new. A log that is shorter than what was read is another job's: from its start."""
        try:
            with file.open("rb") as log:
                if log.seek(0, 2) < self._read:
                    self._forget()
                log.seek(self._read)
                fresh = log.read(MOST_AT_ONCE)
        except OSError:
            return
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            self._take(line.decode("utf-8", "replace"))
        if len(fresh) == MOST_AT_ONCE and whole:
            self.read(file)

    def lines(self, most: int) -> list[str]:
        return list(self._lines)[-most:]

    def _forget(self) -> None:
        self.progress, self.error, self.done, self._read = {}, None, False, 0
        self._lines.clear()

    def _take(self, line: str) -> None:
        row = _object_in(line)
        progress = progress_in(row) if row and "phase" in row else None
        if progress:
            self.progress = {**self.progress, progress.step: progress}
            if progress.phase != "working":
                self._lines.append(_said(progress))
        elif row and "error" in row:
            self.error = error_in(row)
        elif row and ("steps" in row or "counts" in row):
            self.done = True
        elif line.strip():
            self._lines.append("".join(sign for sign in line if sign.isprintable())[:LONGEST_LINE])


def error_in(row: dict[str, Any]) -> PersonaError:
    """The error that the command line wrote as JSON; one of a kind that is not known keeps its words."""
    kind = getattr(errors, str(row.get("error")), PersonaError)
    known = isinstance(kind, type) and issubclass(kind, PersonaError)
    what, why, mend = (str(row.get(name) or "") for name in ("what", "why", "mend"))
    return (kind if known else PersonaError)(what or "The work failed.", why=why, mend=mend)


def _object_in(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def _said(progress: Progress) -> str:
    says = {"skipped": "up to date", "adopted": "was finished before", "started": "begun", "failed": "ended early"}
    words = says.get(progress.phase) or f"done in {in_words(progress.seconds)}"
    return f"{progress.title}: {words}" + (f" ({progress.note})" if progress.note else "")
