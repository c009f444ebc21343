"""A build in a thread of the server, so that pages stay alive: it can be watched, stopped and continued by anybody."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event, Lock, Thread

from persona_core.catalog.choose import choose_source
from persona_core.errors import BuildStopped, PersonaError, StepFailed
from persona_core.progress import Progress
from persona_core.steps import pipeline_of
from persona_core.workspace import Workspace


@dataclass(slots=True)
class BuildJob:
    """At most one build at a time; its progress and its error are there for whoever looks.

    A workspace without data is given the demo world. An error stays until a later build has begun its work.
    """

    workspace: Workspace
    progress: dict[str, Progress] = field(default_factory=dict)
    error: PersonaError | None = None
    _thread: Thread | None = None
    _stop: Event = field(default_factory=Event)
    _guard: Lock = field(default_factory=Lock)

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    @property
    def finished(self) -> set[str]:
        """The steps that this build has brought up to date so far."""
        return {name for name, one in self.progress.items() if one.phase in ("finished", "skipped", "adopted")}

    def start(self) -> None:
        with self._guard:
            if self.running:
                return
            self._stop.clear()
            self._thread = Thread(target=self._run, name="build", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Asks the build to end at its next sign of life; what it finished is kept."""
        self._stop.set()

    def wait(self, seconds: float) -> bool:
        """Waits for the build to end and says whether it has."""
        if self._thread is not None:
            self._thread.join(seconds)
        return not self.running

    def _listen(self, progress: Progress) -> None:
        self.progress, self.error = {**self.progress, progress.step: progress}, None
        if self._stop.is_set() and progress.phase in ("started", "working"):
            raise KeyboardInterrupt

    def _run(self) -> None:
        self.progress = {}
        try:
            if self.workspace.settings.source is None:
                choose_source(self.workspace, "demo")
            pipeline_of(self.workspace).build(listener=self._listen)
            self.error = None
        except PersonaError as error:
            self.error = error
        except KeyboardInterrupt:
            self.error = BuildStopped("The build was stopped.", why="What was finished is kept.")
        except Exception as error:
            self.error = StepFailed("The build met an error that it does not know.", why=f"{type(error).__name__}: {error}")
