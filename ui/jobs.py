"""Long work in a process of its own: whoever looks finds it running, by what it leaves in the workspace's folder `.job`.

ROOT/.job/lock       held by the process for as long as it lives, however it ends
ROOT/.job/job.json   which process, what it does, and since when
ROOT/.job/stopping   the number of the process that was asked to stop
ROOT/.job/log.jsonl  all it says: progress as JSON lines, other lines as they come
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess  # nosec B404 # our own words, no shell
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from threading import RLock, Thread
from typing import IO, Any

from persona_core.errors import BuildStopped, PersonaError, StepFailed, as_disk_error
from persona_core.files import write_beside, write_json
from persona_core.progress import Progress
from persona_core.settings import REPOSITORY
from persona_core.workspace import Workspace
from ui.joblog import JobLog

COMMAND = (sys.executable, "-m", "persona_core")
DEMO = "demo"
"""The source of a workspace for which nobody has chosen one."""
PATIENCE_S = 10.0
"""So long a process that was asked to stop may take to end well."""
FOLDER = ".job"


@dataclass(slots=True)
class BuildJob:
    """At most one piece of long work in a workspace; its progress and its error are there for whoever looks.

    A workspace without data is given the demo world. An error stays until a later build has begun its work.
    """

    workspace: Workspace
    command: tuple[str, ...] = COMMAND
    _error: PersonaError | None = None
    _log: JobLog = field(default_factory=JobLog)
    _watching: bool = False
    """Whether a process is known whose end has not been looked at yet."""
    _process: subprocess.Popen[bytes] | None = None
    _guard: RLock = field(default_factory=RLock)

    # Looking ---------------------------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        return self._look()

    @property
    def progress(self) -> dict[str, Progress]:
        """Where each step stands that this work, or the last one, has come to."""
        self._look()
        return dict(self._log.progress)

    @property
    def error(self) -> PersonaError | None:
        self._look()
        return self._error

    @property
    def finished(self) -> set[str]:
        """The steps that this build has brought up to date so far."""
        return {name for name, one in self.progress.items() if one.phase in ("finished", "skipped", "adopted")}

    @property
    def verb(self) -> str:
        """What the process does: `build`, `train` or `profiles pairs`."""
        return str(self._card().get("verb", "build"))

    @property
    def began(self) -> datetime | None:
        try:
            return datetime.fromisoformat(str(self._card().get("began")))
        except ValueError:
            return None

    @property
    def stopping(self) -> bool:
        try:
            return self._file("stopping").read_text("utf-8") == str(self._card().get("pid"))
        except (OSError, UnicodeDecodeError):
            return False

    def last_lines(self, most: int = 40) -> list[str]:
        """The end of what the process said, also of one that ended long ago."""
        with self._guard:
            log = self._log if self._watching else JobLog()
            log.read(self._file("log.jsonl"))
            return log.lines(most)

    def wait(self, seconds: float) -> bool:
        """Waits for the work to end and says whether it has."""
        until = time.monotonic() + seconds
        while self.running and time.monotonic() < until:
            time.sleep(0.05)
        return not self.running

    def _look(self) -> bool:
        """Reads what is new; whether the process lives. Its last words are read after it has ended."""
        with self._guard:
            alive = self._alive()
            if alive and not self._watching:
                self._watching, self._error, self._log = True, None, JobLog()
            if self._watching:
                self._log.read(self._file("log.jsonl"))
            if self._watching and not alive:
                self._watching, self._error = False, self._end()
            return alive

    def _alive(self) -> bool:
        """Whether the process holds the lock. One that is gone, and its number given to another, cannot."""
        if self._process is not None and self._process.poll() is not None:
            self._process = None
        try:
            with self._file("lock").open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def _end(self) -> PersonaError | None:
        """How it ended: None where all went well."""
        if self._log.done:
            return None
        if self.stopping:
            return BuildStopped("The work was stopped.", why="What was finished is kept.")
        return self._log.error or StepFailed(
            "The work ended without a word.",
            why="Its process was killed, or the machine ran out of memory; the last lines of its log may say more. "
            "What was finished is kept.",
            mend=f"`{self.workspace.command(self.verb)}` goes on from there",
        )

    def _card(self) -> dict[str, Any]:
        try:
            card = json.loads(self._file("job.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return card if isinstance(card, dict) else {}

    def _file(self, name: str) -> Path:
        return self.workspace.root / FOLDER / name

    # Acting ----------------------------------------------------------------------------------------------------------

    def start(self, *words: str) -> None:
        """Begins the work that the words of a command line name; without any, a build. Nothing, where one is running."""
        with self._guard:
            if self._look():
                return
            try:
                self._start(words or self._build_words())
            except PersonaError as error:
                self._error = error
            except OSError as error:
                self._error = as_disk_error(error, self.workspace.root) or StepFailed(
                    "The work could not be begun.", why=error.strerror or "", mend=self.workspace.command("doctor")
                )

    def _build_words(self) -> tuple[str, ...]:
        return ("build",) if self.workspace.settings.source else ("build", "--from", DEMO)

    def _start(self, words: tuple[str, ...]) -> None:
        if self.workspace.settings.readonly:
            raise PersonaError("This app only reads.", why="PERSONA_READONLY is set.", mend="start it without PERSONA_READONLY")
        self._make_way()
        with self._held() as lock:
            if lock is None:  # another server was faster
                return
            verb = " ".join(takewhile(lambda word: not word.startswith("-"), words))
            write_json(self._file("job.json"), {"verb": verb})
            with self._file("log.jsonl").open("wb") as out:
                self._log, self._error, self._watching = JobLog(), None, True
                self._process = subprocess.Popen(  # nosec B603 # our own words, no shell
                    [*self.command, *words, "--workspace", str(self.workspace.root), "--progress", "json", "--json"],
                    cwd=REPOSITORY,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    pass_fds=(lock.fileno(),),
                    start_new_session=True,
                )
            card = {"pid": self._process.pid, "verb": verb, "began": datetime.now(UTC).isoformat()}
            write_json(self._file("job.json"), card)

    def _make_way(self) -> None:
        """Raises `WorkspaceBusy` at once where somebody builds at a terminal; a process would take seconds to find out."""
        with self.workspace.lock("a look whether anybody builds"):
            pass

    @contextlib.contextmanager
    def _held(self) -> Iterator[IO[bytes] | None]:
        """The lock, to be handed on to the process; None where another has it. A look of somebody holds it for an instant."""
        self._file("").mkdir(parents=True, exist_ok=True)
        with self._file("lock").open("ab") as file:
            for patience in (0.01, 0.05, 0.2, 0.0):
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    time.sleep(patience)
                else:
                    yield file
                    return
            yield None

    def stop(self) -> None:
        """Asks the process to end; what it finished is kept. One that does not listen is ended some seconds later."""
        with self._guard:
            card = self._card()
            if not self._look() or not isinstance(card.get("pid"), int):
                return
            write_beside(self._file("stopping"), str(card["pid"]).encode())
        Thread(target=self._see_it_end, args=(card["pid"],), name="stopping", daemon=True).start()

    def _see_it_end(self, pid: int) -> None:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            if not self._signal(pid, signal.SIGINT) or self.wait(1.0):  # again: while it starts, it may be deaf
                return
        self._signal(pid, signal.SIGKILL)

    def _signal(self, pid: int, number: signal.Signals) -> bool:
        """Sends it to the process that holds our lock, and to no other; whether there was one."""
        with self._guard:
            if not self._alive() or self._card().get("pid") != pid:
                return False
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)
                return True
            return False
