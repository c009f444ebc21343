"""Fetching: every file beside what holds, each held to its checksum, then all steps pointed to at once; a kill leaves the old ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from persona_core.errors import ArtefactBroken, PersonaError, WorkspaceMissing, readable_disk_errors
from persona_core.files import file_digest, make_durable, write_beside
from persona_core.personas.index import restore_index
from persona_core.progress import Listener, Meter, nobody
from persona_core.publishing.edition import BESIDE, MANIFEST, Edition, read_edition
from persona_core.publishing.sending import newest_whole
from persona_core.publishing.shelf import Label, Shelf
from persona_core.workspace import Fetched, FileStamp, Workspace

MB: Final = 10**6
INDEX: Final = "index"
"""The step whose Chroma folder does not travel: Chroma writes to it when it is merely opened, so that no checksum would hold."""


@dataclass(frozen=True, slots=True)
class Brought:
    number: int
    files: int
    """So many had to travel."""
    bytes: int
    left: tuple[str, ...] = ()
    """What people changed here is left as it is."""
    not_whole: tuple[int, ...] = ()
    """Newer editions that are not whole, and were passed over."""


def fetch(workspace: Workspace, shelf: Shelf, steps: Sequence[str], number: int | None = None, listener: Listener = nobody) -> Brought:
    """Makes the newest whole edition there, or the one of this number, what the workspace holds; all of it, or none of it.

    Raises ShelfUnreachable, ShelfBroken, ArtefactBroken (not understood), WorkspaceBusy.
    """
    _check_that_it_may(workspace, steps)
    label, content, not_whole = _chosen(shelf, number)
    edition = read_edition(content, f"Edition {label.number} at {shelf.url}", steps)
    missing = sorted(set(steps) - edition.steps.keys())
    if missing:
        raise ArtefactBroken(f"Edition {label.number} at {shelf.url} cannot be used.", why=f"It lacks {', '.join(missing)}.",
                             mend="publish again with this version")  # fmt: skip
    with workspace.lock("fetch"), readable_disk_errors(workspace.root):
        meter = Meter(listener, "fetch", "Fetching", 1, 1)
        meter.tell("started")
        came = _Bringing(workspace, shelf, edition, meter).all()
        if INDEX in edition.steps:
            restore_index(workspace, workspace.version(INDEX, edition.steps[INDEX]))
        left = _hold(workspace, shelf, label, edition)
        meter.tell("finished", note=f"edition {label.number}")
    return Brought(label.number, len(came), sum(one.bytes for one in came), left, not_whole)


def _check_that_it_may(workspace: Workspace, steps: Sequence[str]) -> None:
    """What was built here is not overwritten by what was built elsewhere."""
    if workspace.fetched is None and any((workspace.step_folder(step) / "current").exists() for step in steps):
        raise PersonaError(f"{workspace.root} holds what was built here.", why="Fetching would put another world in its place.",
                           mend="name an empty folder with --workspace DIR")  # fmt: skip


def _chosen(shelf: Shelf, number: int | None) -> tuple[Label, bytes, tuple[int, ...]]:
    labels = shelf.labels()
    wanted = [one for one in labels if number in (None, one.number)]
    found = newest_whole(shelf, wanted)
    if found is None:
        which = "no edition" if number is None else f"no edition {number}"
        there = ", ".join(str(one.number) for one in labels) or "none"
        raise WorkspaceMissing(f"There is {which} at {shelf.url} that is whole.", why=f"There are: {there}.",
                               mend=f"python -m persona_core publish --to {shelf.url}")  # fmt: skip
    label, content = found
    return label, content, tuple(one.number for one in wanted[: wanted.index(label)])


@dataclass(frozen=True, slots=True)
class _Bringing:
    workspace: Workspace
    shelf: Shelf
    edition: Edition
    meter: Meter

    def all(self) -> list[FileStamp]:
        """Puts every step's version in place, none of which holds yet; gives back what had to travel."""
        late = [step for step in self.edition.steps if not self._is_here(step)]
        total = sum(stamp.bytes for step in late for stamp in self.edition.of_step(step).values())
        came: list[FileStamp] = []
        done = 0
        for step in late:
            version = self.edition.steps[step]
            work = self.workspace.work_folder(step, version)
            work.mkdir(parents=True, exist_ok=True)
            for name, stamp in self.edition.of_step(step).items():
                if not _is(work / name, stamp):
                    self.shelf.bring(stamp, work / name)
                    make_durable(work / name)
                    came.append(stamp)
                done += stamp.bytes
                self.meter.working(done // MB, total // MB, "MB")
            self._check_that_it_says_the_same(step, work)
            for leftover in {one.name for one in work.iterdir()} - self.edition.of_step(step).keys():
                (work / leftover).unlink()
            self.workspace.put_in_place(work, step, version)
        return came

    def _check_that_it_says_the_same(self, step: str, folder: Path) -> None:
        """The step's own manifest is understood, is of this step, and names the same files."""
        manifest = self.workspace.manifest_in(step, folder)
        files = {name: stamp for name, stamp in self.edition.of_step(step).items() if name != MANIFEST}
        if (manifest.step, manifest.files) != (step, files):
            why = f"What it says of {step!r} is not what the manifest of {step!r} says."
            raise ArtefactBroken(f"The edition at {self.shelf.url} cannot be used.", why=why, mend="publish again")

    def _is_here(self, step: str) -> bool:
        try:
            folder = self.workspace.version(step, self.edition.steps[step]).folder
        except ArtefactBroken:
            return False
        return _is(folder / MANIFEST, self.edition.of_step(step)[MANIFEST])


def _is(file: Path, stamp: FileStamp) -> bool:
    return file.is_file() and file.stat().st_size == stamp.bytes and file_digest(file) == stamp.sha256


def _hold(workspace: Workspace, shelf: Shelf, label: Label, edition: Edition) -> tuple[str, ...]:
    """Points to all that was brought, and notes where it came from; gives back what was left as people here had changed it."""
    before = workspace.fetched
    beside: dict[str, str] = {}
    left = []
    for name in BESIDE:
        own, stamp = workspace.root / name, edition.files.get(name)
        theirs = (before.beside if before else {}).get(name, "")
        if own.exists() and file_digest(own) not in (theirs, stamp and stamp.sha256):
            left.append(name)
        elif stamp is not None:
            fresh = workspace.root / f".{name}.fetched"
            shelf.bring(stamp, fresh)
            write_beside(own, fresh.read_bytes())
            fresh.unlink()
            beside[name] = stamp.sha256
    workspace.note_fetched(Fetched(url=shelf.url, edition=label.number, steps=edition.steps, beside=beside, when=datetime.now(UTC)))
    for step, version in edition.steps.items():
        if not _holds(workspace, step, version):
            workspace.point_to(step, version)
    return tuple(left)


def _holds(workspace: Workspace, step: str, version: str) -> bool:
    try:
        return workspace.version_now(step) == version
    except (WorkspaceMissing, ArtefactBroken):
        return False
