"""Publishing: every file first, each under its checksum, then the edition that names them; what is there already stays."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from persona_core import __version__
from persona_core.errors import PersonaError, WorkspaceMissing
from persona_core.files import file_digest
from persona_core.personas.curation import FILE as CURATION
from persona_core.progress import Listener, Meter, nobody
from persona_core.publishing.edition import FORMAT, MANIFEST, Edition, read_edition
from persona_core.publishing.shelf import Label, Shelf
from persona_core.settings import FILE_NAME, shared_settings
from persona_core.workspace import MANIFEST_FORMAT, Artefact, FileStamp, Workspace

MB: Final = 10**6


@dataclass(frozen=True, slots=True)
class Published:
    number: int
    files: int
    bytes: int
    sent: int
    """So many files had to travel."""
    sent_bytes: int
    removed: int = 0


def publish(
    workspace: Workspace, shelf: Shelf, steps: Sequence[str], keep: int | None = None, listener: Listener = nobody
) -> Published:
    """Makes what the workspace holds now the newest edition there; all of it, or none of it.

    Raises WorkspaceMissing and ArtefactBroken where the workspace is not whole, WorkspaceBusy where somebody builds.
    """
    if workspace.fetched is not None:
        raise PersonaError(f"{workspace.root} was itself fetched.", why=f"It came from {workspace.fetched.url}.",
                           mend="publish where it is built")  # fmt: skip
    if not workspace.root.is_dir():
        raise WorkspaceMissing(f"There is no workspace at {workspace.root}.", mend=workspace.command("build"))
    with workspace.lock("publish"), tempfile.TemporaryDirectory() as own:
        artefacts = [workspace.artefact(step, deep=True) for step in steps]
        _check_that_they_fit(workspace, artefacts)
        files = _files_of(workspace, artefacts, Path(own))
        stamps = {path: _stamp(artefacts, path, file) for path, file in files.items()}
        edition = Edition(
            format=FORMAT, artefacts=MANIFEST_FORMAT, made_by=__version__, created=datetime.now(UTC),
            steps={one.manifest.step: one.folder.name for one in artefacts}, files=stamps,
        )  # fmt: skip
        meter = Meter(listener, "publish", "Publishing", 1, 1)
        meter.tell("started")
        sent = _send(shelf, files, stamps, meter)
        number = _point_to(shelf, edition, steps)
        removed = 0 if keep is None else _thin_out(shelf, keep, steps)
        meter.tell("finished", note=f"edition {number}")
    whole = sum(one.bytes for one in stamps.values())
    return Published(number, len(stamps), whole, len(sent), sum(one.bytes for one in sent), removed)


def _check_that_they_fit(workspace: Workspace, artefacts: Iterable[Artefact]) -> None:
    """Every step was built from what the steps before it hold now."""
    content: dict[str, str] = {}
    for one in artefacts:
        for name, now in content.items():
            if one.manifest.because.get(f"step {name}", now) != now:
                raise PersonaError(f"What {one.manifest.step!r} left was built from another {name!r} than the one that holds.",
                                   why="Published like that, no app could open it.", mend=workspace.command("build"))  # fmt: skip
        content[one.manifest.step] = one.manifest.content


def _files_of(workspace: Workspace, artefacts: Iterable[Artefact], own: Path) -> dict[str, Path]:
    """Every file that belongs to the edition, by its path in the workspace."""
    files: dict[str, Path] = {}
    for one in artefacts:
        for name in (*one.manifest.files, MANIFEST):
            files[f"{one.manifest.step}/{one.folder.name}/{name}"] = one.folder / name
    (own / FILE_NAME).write_text(shared_settings(workspace.settings), "utf-8")
    files[FILE_NAME] = own / FILE_NAME
    if (workspace.root / CURATION).is_file():
        (own / CURATION).write_bytes((workspace.root / CURATION).read_bytes())  # somebody may add to it meanwhile
        files[CURATION] = own / CURATION
    return files


def _stamp(artefacts: Iterable[Artefact], path: str, file: Path) -> FileStamp:
    """What the manifest says of a file, which was just held to it; of others, what they are."""
    for one in artefacts:
        if file.parent == one.folder and file.name in one.manifest.files:
            return one.manifest.files[file.name]
    return FileStamp(bytes=file.stat().st_size, sha256=file_digest(file))


def _send(shelf: Shelf, files: dict[str, Path], stamps: dict[str, FileStamp], meter: Meter) -> list[FileStamp]:
    missing = {stamp.sha256: (files[path], stamp) for path, stamp in stamps.items() if not shelf.has(stamp)}
    total, done = sum(stamp.bytes for _, stamp in missing.values()), 0
    for file, stamp in missing.values():
        shelf.send(file, stamp)
        done += stamp.bytes
        meter.working(done // MB, total // MB, "MB")
    return [stamp for _, stamp in missing.values()]


def _point_to(shelf: Shelf, edition: Edition, steps: Sequence[str]) -> int:
    """The number of the edition; the one that holds already, if it is the same."""
    labels = shelf.labels()
    holds = newest_whole(shelf, labels)
    if holds is not None:
        label, content = holds
        try:
            same = read_edition(content, str(label), steps).content == edition.content
        except PersonaError:
            same = False
        if same:
            return label.number
    return shelf.add_edition(labels[0].number + 1 if labels else 1, edition.written()).number


def newest_whole(shelf: Shelf, labels: Iterable[Label]) -> tuple[Label, bytes] | None:
    for label in labels:
        content = shelf.edition(label)
        if content is not None:
            return label, content
    return None


def _thin_out(shelf: Shelf, keep: int, steps: Sequence[str]) -> int:
    named: set[str] = set()
    for label in shelf.labels()[:keep]:
        content = shelf.edition(label)
        if content is not None:
            named |= {stamp.sha256 for stamp in read_edition(content, str(label), steps).files.values()}
    return shelf.thin_out(keep, named)
