"""The build: steps with inputs, outputs and a fingerprint; a finished step is skipped, a killed one resumes.

To add a step: write a function that takes a `StepContext`, leaves its files in `context.folder` and returns counts,
describe it in a `Step`, and put that in the list in `persona_core/steps.py`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

from persona_core import __version__
from persona_core.errors import (
    ArtefactBroken,
    BuildStopped,
    PersonaError,
    StepFailed,
    WorkspaceMissing,
    as_disk_error,
    readable_disk_errors,
)
from persona_core.files import canonical_json, digest, file_digest
from persona_core.mapping import Kind, LocalRunner, Runner, mapped
from persona_core.progress import Listener, Meter, nobody
from persona_core.settings import Settings
from persona_core.sources import code_digest
from persona_core.workspace import MANIFEST_FORMAT, Artefact, FileStamp, Manifest, Workspace, python_version

Thing = TypeVar("Thing")
Counts = dict[str, int | float | str]
State = Literal["done", "stale", "missing", "broken"]


@dataclass(frozen=True, slots=True)
class Step:
    """One part of a build."""

    name: str
    """Its folder in the workspace and its name on the command line."""
    title: str
    """What it does, in words for people."""
    reads: tuple[str, ...]
    """The steps whose files it uses."""
    writes: tuple[str, ...]
    """The files it leaves."""
    run: Callable[[StepContext], Counts]
    code: tuple[str, ...]
    """The modules and packages whose code its result depends on."""
    settings: Callable[[Settings], object] = lambda _: None
    """The settings its result depends on, as something JSON can say."""
    sources: Callable[[Workspace], dict[str, str]] = lambda _: {}
    """Digests of the files outside the workspace that it reads."""
    unfinished: Callable[[Workspace, Manifest], str] = lambda _, __: ""
    """Why what it left, though whole, is worth another try; empty where it is not."""
    whole: Callable[[Workspace, Artefact], str] = lambda _, __: ""
    """What is wrong with what it left beyond its own folder, in words; empty where nothing is."""
    kept: Callable[[Workspace, Artefact], str] = lambda _, __: ""
    """The same of what it left on other machines; asked only by a build, since that takes its time."""


@dataclass(frozen=True, slots=True)
class StepContext:
    """What a running step is given: where to write, what to read, and whom to tell."""

    workspace: Workspace
    settings: Settings
    folder: Path
    inputs: dict[str, Artefact]
    meter: Meter
    runner: Runner = field(default_factory=LocalRunner)
    because: Mapping[str, str] = field(default_factory=dict)
    """What will be said of the result: where it came from. What has changed since is not the step's to look up anew."""

    def file(self, name: str) -> Path:
        return self.folder / name

    def progress(self, done: int, total: int, unit: str) -> None:
        self.meter.working(done, total, unit)

    def map(
        self, work: Callable[[Thing], Any], things: Sequence[Thing], *, key: Callable[[Thing], str], unit: str, kind: Kind = "waits",
        journal: str = "journal",
    ) -> Iterator[Any]:  # fmt: skip
        """The work's answer for each thing, in their order. Each is kept at once: a killed step does nothing twice.

        A step that maps more than once names a journal for each; what the work may be, `Runner` says.
        """
        file = self.folder / f".{journal}.jsonl"
        return mapped(work, things, key, file, self.runner, lambda done: self.progress(done, len(things), unit), kind)


@dataclass(frozen=True, slots=True)
class StepStatus:
    step: Step
    state: State
    why: str = ""
    manifest: Manifest | None = None

    def as_dict(self) -> dict[str, object]:
        made = self.manifest
        return {
            "step": self.step.name,
            "title": self.step.title,
            "state": self.state,
            "why": self.why,
            "built": made.created.isoformat() if made else None,
            "seconds": made.seconds if made else None,
            "counts": made.counts if made else {},
        }


class Pipeline:
    """An ordered list of steps over one workspace."""

    def __init__(self, steps: Sequence[Step], workspace: Workspace) -> None:
        self.steps = {step.name: step for step in steps}
        self.workspace = workspace
        for position, step in enumerate(steps):
            strangers = set(step.reads) - {earlier.name for earlier in steps[:position]}
            if strangers:
                raise ValueError(f"{step.name} reads {sorted(strangers)}, which no earlier step makes")

    # Looking ---------------------------------------------------------------------------------------------------------

    def status(self) -> list[StepStatus]:
        """Every step's state, without changing anything. Settings that are not understood are an error, not a state."""
        settings = self.workspace.settings
        found: dict[str, StepStatus] = {}
        for step in self.steps.values():
            waits = [name for name in step.reads if found[name].state != "done"]
            found[step.name] = self._state_of(step, waits, settings)
        return list(found.values())

    def _state_of(self, step: Step, waits: list[str], settings: Settings) -> StepStatus:
        try:
            manifest = self._whole(step).manifest
        except WorkspaceMissing:
            return StepStatus(step, "missing", f"after {', '.join(waits)}" if waits else "")
        except ArtefactBroken as error:
            return StepStatus(step, "broken", error.why)
        fetched = self.workspace.fetched
        if fetched is not None:  # what it was made from lies elsewhere
            same = fetched.steps.get(step.name) == self.workspace.version_now(step.name)
            return StepStatus(step, "done" if same else "stale", "" if same else "not what was fetched last", manifest)
        if waits:
            return StepStatus(step, "stale", f"{', '.join(waits)} must be built first", manifest)
        try:
            because = self._because(step, self._inputs(step), settings)
        except PersonaError as error:
            return StepStatus(step, "stale", f"{error.what} {error.why}".strip(), manifest)
        changed = sorted(key for key in because.keys() | manifest.because.keys() if because.get(key) != manifest.because.get(key))
        if changed:
            return StepStatus(step, "stale", f"changed since: {', '.join(changed)}", manifest)
        again = step.unfinished(self.workspace, manifest)
        return StepStatus(step, "stale" if again else "done", again, manifest)

    def _whole(self, step: Step) -> Artefact:
        """What the step left, if all of it is there."""
        artefact = self.workspace.artefact(step.name)
        trouble = step.whole(self.workspace, artefact)
        if trouble:
            raise self.workspace.broken(step.name, trouble)
        return artefact

    def _inputs(self, step: Step) -> dict[str, Artefact]:
        return {name: self.workspace.artefact(name) for name in step.reads}

    def _because(self, step: Step, inputs: dict[str, Artefact], settings: Settings) -> dict[str, str]:
        because = {f"step {name}": artefact.manifest.content for name, artefact in inputs.items()}
        because |= {f"file {name}": value for name, value in step.sources(self.workspace).items()}
        because["settings"] = digest(canonical_json([settings.seed, step.settings(settings)]))
        because["code"] = code_digest(step.code)
        return because

    # Building --------------------------------------------------------------------------------------------------------

    def build(self, only: str | None = None, listener: Listener = nobody, runner: Runner | None = None) -> list[Manifest]:
        """Brings every step up to date, or the one named and what it reads of what is damaged; returns their manifests, in order."""
        self.workspace.check_built_here()
        chosen = list(self.steps.values()) if only is None else self._to_mend(only)
        with self.workspace.lock(f"build{'' if only is None else f' --only {only}'}"):
            made = []
            for number, step in enumerate(chosen, start=1):
                if step.name == only:
                    self._check_what_it_reads(only)
                made.append(self._bring_up_to_date(step, Meter(listener, step.name, step.title, number, len(chosen)), runner))
            return made

    def _to_mend(self, name: str) -> list[Step]:
        """The step, after those that it stands on and that are damaged: without them it could not be made."""
        if name not in self.steps:
            raise PersonaError(f"There is no step {name!r}.", mend=f"choose one of: {', '.join(self.steps)}")
        under = self._under(name)
        broken = [one.step for one in self.status() if one.state == "broken" and one.step.name in under]
        if not broken:
            self._check_what_it_reads(name)
        return [*broken, self.steps[name]]

    def _under(self, name: str) -> set[str]:
        """All that it reads, and what that reads."""
        reads = self.steps[name].reads
        return set(reads).union(*(self._under(one) for one in reads))

    def _check_what_it_reads(self, name: str) -> None:
        late = [status for status in self.status() if status.step.name in self.steps[name].reads and status.state != "done"]
        if late:
            raise WorkspaceMissing(
                f"{name!r} cannot be built alone: it reads {late[0].step.name!r}, which is {late[0].state}.",
                why=late[0].why,
                mend=self.workspace.command("build"),
            )

    def _bring_up_to_date(self, step: Step, meter: Meter, runner: Runner | None) -> Manifest:
        inputs = self._inputs(step)
        because = self._because(step, inputs, self.workspace.settings)
        fingerprint = digest(canonical_json([step.name, MANIFEST_FORMAT, because]))
        try:
            current = self._whole(step)
        except (WorkspaceMissing, ArtefactBroken):
            current = None
        same = current.manifest if current and current.manifest.fingerprint == fingerprint and not self._lost(step, current) else None
        if same and not step.unfinished(self.workspace, same):
            meter.tell("skipped")
            return same
        with readable_disk_errors(self.workspace.root):
            adopted = None if same else self._finished_but_not_pointed_to(step, fingerprint)
            if adopted:
                meter.tell("adopted")
                return adopted
            return self._run(step, inputs, because, fingerprint, meter, runner)

    def _lost(self, step: Step, artefact: Artefact) -> str:
        """What is wrong with what it left outside its folder, wherever that is."""
        return step.whole(self.workspace, artefact) or step.kept(self.workspace, artefact)

    def _finished_but_not_pointed_to(self, step: Step, fingerprint: str) -> Manifest | None:
        version = fingerprint[:16]
        try:
            artefact = self.workspace.version(step.name, version)
        except ArtefactBroken:
            return None
        if self._lost(step, artefact) or step.unfinished(self.workspace, artefact.manifest):
            return None
        self.workspace.point_to(step.name, version)
        return artefact.manifest

    def _run(
        self, step: Step, inputs: dict[str, Artefact], because: dict[str, str], fingerprint: str, meter: Meter,
        runner: Runner | None,
    ) -> Manifest:  # fmt: skip
        settings = self.workspace.settings
        work = self.workspace.work_folder(step.name, fingerprint[:16])
        work.mkdir(parents=True, exist_ok=True)
        context = StepContext(self.workspace, settings, work, inputs, meter, runner or local_runner(settings), because)
        meter.tell("started")
        began = time.monotonic()
        counts = self._guarded(step, context)
        manifest = Manifest(
            format=MANIFEST_FORMAT,
            step=step.name,
            fingerprint=fingerprint,
            because=because,
            seed=settings.seed,
            files={name: _stamp(step, work / name) for name in step.writes},
            counts=counts,
            made_by=__version__,
            python=python_version(),
            created=datetime.now(UTC),
            seconds=round(time.monotonic() - began, 3),
        )
        self.workspace.finish(work, manifest)
        meter.tell("finished", note=in_words(counts))
        return manifest

    def _guarded(self, step: Step, context: StepContext) -> Counts:
        try:
            return step.run(context)
        except KeyboardInterrupt:
            context.meter.tell("failed", note="stopped")
            raise BuildStopped(
                f"Stopped while {step.title[0].lower()}{step.title[1:]}.",
                why="What was finished is kept.",
                mend=f"`{self.workspace.command('build')}` goes on from here",
            ) from None
        except Exception as error:
            context.meter.tell("failed")
            if isinstance(error, PersonaError) or as_disk_error(error, self.workspace.root):
                raise
            raise StepFailed(
                f"The step {step.name!r} met an error that it does not know: {type(error).__name__}: {error}.",
                why="This is a fault of the program, not of your data. Earlier steps are kept.",
                mend=f"`{self.workspace.command('doctor')}` may show the cause; run with PYTHONFAULTHANDLER=1 and report it",
            ) from error


def local_runner(settings: Settings) -> LocalRunner:
    return LocalRunner(at_once(settings), min(settings.workers, os.cpu_count() or 1))


def at_once(settings: Settings) -> int:
    """Enough to keep every model server busy, and every worker."""
    return max(settings.workers, settings.ollama.parallel * len(settings.ollama.hosts))


def in_words(counts: Counts) -> str:
    """Counts as one line for people; what is zero goes unsaid, and so does what explains another count ("rejected: …")."""
    return ", ".join(_said(key, value) for key, value in counts.items() if value and ":" not in key)


def _said(key: str, value: int | float | str) -> str:
    if isinstance(value, str):
        return f"{key} {value}"
    return f"{value:,} {key.removesuffix('s') if value == 1 else key}"


def _stamp(step: Step, file: Path) -> FileStamp:
    if not file.is_file():
        raise StepFailed(f"The step {step.name!r} did not leave {file.name}.", why="It says that it writes it.")
    return FileStamp(bytes=file.stat().st_size, sha256=file_digest(file))
