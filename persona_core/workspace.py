"""A workspace: a folder with one dataset and everything built from it; its files, manifests and lock.

DIR/workspace.toml            settings, written by people and by `ingest`
DIR/fetched.json              where it came from, if it was built elsewhere
DIR/.lock                     held while somebody builds
DIR/STEP/current              the name of the version that holds now
DIR/STEP/VERSION/manifest.json and the step's files
DIR/STEP/.work-VERSION/       what an unfinished build of that version has so far
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shlex
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from persona_core import __version__, settings
from persona_core.errors import ArtefactBroken, PersonaError, WorkspaceBusy, WorkspaceMissing, readable_disk_errors
from persona_core.files import canonical_json, digest, file_digest, file_digest_as_known, make_durable, write_beside, write_json

MANIFEST_FORMAT = 1
FETCHED = "fetched.json"
LARGEST_MANIFEST = 4 * 2**20
"""Of a step that leaves some dozen files, a thousandth is needed."""
VERSION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
HASH_ON_OPEN_BELOW = 64 * 2**20


class FileStamp(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    bytes: int
    sha256: str


class Manifest(BaseModel):
    """Says of an artefact where it came from; lies beside it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    format: int
    step: str
    fingerprint: str
    because: dict[str, str]
    """What the fingerprint is made of: inputs, settings, code. Compared to say why a step is stale."""
    seed: int
    files: dict[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$")], FileStamp]
    """By their names, which are never paths: nothing outside the step's folder can be meant."""
    counts: dict[str, int | float | str]
    made_by: str
    python: str
    created: datetime
    seconds: float

    @property
    def content(self) -> str:
        """One digest over the files: what later steps depend on."""
        return digest(canonical_json({name: stamp.sha256 for name, stamp in self.files.items()}))


class Fetched(BaseModel):
    """Says of a whole workspace that it was built elsewhere and fetched; lies in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    url: str
    edition: int
    steps: dict[str, str]
    """Which version of each step's came."""
    beside: dict[str, str]
    """The checksums of what came beside the steps: what is otherwise now was changed here."""
    when: datetime


@dataclass(frozen=True, slots=True)
class Artefact:
    """What one step left: a folder, its manifest, and files that are known to be whole."""

    folder: Path
    manifest: Manifest

    def file(self, name: str) -> Path:
        if name not in self.manifest.files:
            raise KeyError(f"{self.manifest.step} leaves {sorted(self.manifest.files)}, not {name!r}")
        return self.folder / name


@dataclass(frozen=True, slots=True)
class Workspace:
    root: Path

    @classmethod
    def at(cls, root: Path | str) -> Self:
        return cls(Path(root).expanduser().resolve())

    @property
    def settings(self) -> settings.Settings:
        return settings.load(self.root)

    def step_folder(self, step: str) -> Path:
        return self.root / step

    def work_folder(self, step: str, version: str) -> Path:
        return self.step_folder(step) / f".work-{version}"

    def command(self, verb: str) -> str:
        """A command line that does `verb` in this very workspace."""
        place = "" if self.root == settings.DEFAULT_WORKSPACE else f" --workspace {shlex.quote(str(self.root))}"
        return f"python -m persona_core {verb}{place}"

    # Reading ---------------------------------------------------------------------------------------------------------

    def artefact(self, step: str, *, deep: bool = False) -> Artefact:
        """What `step` left, checked: `WorkspaceMissing` if it never ran, `ArtefactBroken` if it is not whole."""
        return self.version(step, self.version_now(step), deep=deep)

    def version_now(self, step: str) -> str:
        """The name of the version that holds; its files are not looked at."""
        pointer = self.step_folder(step) / "current"
        try:
            version = pointer.read_text("utf-8").strip()
        except FileNotFoundError:
            raise WorkspaceMissing(f"{step!r} has not been built in {self.root}.", mend=self.command("build")) from None
        except (OSError, UnicodeDecodeError) as error:
            raise self.broken(step, f"{pointer} cannot be read: {error}.") from error
        if not VERSION.fullmatch(version):
            raise self.broken(step, f"{pointer} names no version.")
        return version

    def version(self, step: str, version: str, *, deep: bool = False) -> Artefact:
        folder = self.step_folder(step) / version
        artefact = Artefact(folder, self._manifest(step, folder / "manifest.json"))
        for name, stamp in artefact.manifest.files.items():
            self._check_file(step, folder / name, stamp, deep)
        return artefact

    def manifest_in(self, step: str, folder: Path) -> Manifest:
        """What a folder says of itself, if it is understood; its files are not looked at."""
        return self._manifest(step, folder / "manifest.json")

    def _manifest(self, step: str, file: Path) -> Manifest:
        try:
            if file.stat().st_size > LARGEST_MANIFEST:
                raise ValueError(f"it has more than {LARGEST_MANIFEST:,} bytes")
            raw = json.loads(file.read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            raise self.broken(step, f"Its manifest {file} cannot be read: {error}.") from error
        if isinstance(raw, dict) and raw.get("format") != MANIFEST_FORMAT:
            raise self.broken(
                step,
                f"It was written in format {raw.get('format')} by {raw.get('made_by', 'an unknown version')}; "
                f"this is version {__version__}, which reads format {MANIFEST_FORMAT}.",
            )
        try:
            return Manifest.model_validate(raw)
        except ValidationError as error:
            raise self.broken(step, f"Its manifest {file} is damaged: {error.errors()[0]['msg']}.") from error

    def _check_file(self, step: str, file: Path, stamp: FileStamp, deep: bool) -> None:
        try:
            size = file.stat().st_size
        except OSError as error:
            raise self.broken(step, f"{file} is gone.") from error
        if size != stamp.bytes:
            raise self.broken(step, f"{file} has {size:,} bytes where {stamp.bytes:,} were written.")
        if not deep and size >= HASH_ON_OPEN_BELOW:
            return
        found = file_digest(file) if deep else file_digest_as_known(file)
        if found != stamp.sha256:
            raise self.broken(step, f"{file} is not what was written: its checksum differs.")

    def broken(self, step: str, why: str) -> ArtefactBroken:
        mend = self.command(f"build --only {step}" if self.fetched is None else "fetch")
        return ArtefactBroken(f"What {step!r} left in {self.root} cannot be used.", why=why, mend=mend)

    @property
    def fetched(self) -> Fetched | None:
        """Where this workspace came from; nothing where it was built here."""
        try:
            return Fetched.model_validate_json((self.root / FETCHED).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise ArtefactBroken(f"It cannot be read where {self.root} came from.", why=f"{self.root / FETCHED}: {error}",
                                 mend=f"remove {self.root} and fetch it again") from error  # fmt: skip

    def unfit(self, step: str, read: str) -> ArtefactBroken:
        """A step was built from something else than what holds now. Half way through a build that is nothing to mend: it ends."""
        busy = self.at_work()
        return ArtefactBroken(
            f"What {step!r} left in {self.root} does not fit what {read!r} left.",
            why=f"{read!r} has been built anew since." + (f" {busy.why}" if busy else ""),
            mend="wait for it to end, then run the same command again" if busy else self.command("build"),
        )

    # Writing ---------------------------------------------------------------------------------------------------------

    def finish(self, work: Path, manifest: Manifest) -> Artefact:
        """Makes a work folder the current version of its step: all of it, or none of it."""
        step, version = manifest.step, manifest.fingerprint[:16]
        for leftover in set(os.listdir(work)) - set(manifest.files):
            _remove(work / leftover)
        write_json(work / "manifest.json", manifest.model_dump(mode="json"))
        folder = self.put_in_place(work, step, version)
        self.point_to(step, version)
        return Artefact(folder, manifest)

    def put_in_place(self, work: Path, step: str, version: str) -> Path:
        """Gives a work folder that is whole the name of its version, which does not hold yet."""
        home = self.step_folder(step)
        folder = home / version
        _remove(folder)
        work.rename(folder)
        make_durable(home)
        return folder

    def check_built_here(self) -> None:
        """Refuses what was fetched: nothing is built in it, and its source is not for choosing."""
        fetched = self.fetched
        if fetched is not None:
            raise PersonaError(
                f"{self.root} was fetched, and is not built here.",
                why=f"It is edition {fetched.edition} of {fetched.url}.",
                mend=f"build where that is published, then {self.command('fetch')}; or build in another folder",
            )

    def note_fetched(self, fetched: Fetched) -> None:
        write_json(self.root / FETCHED, fetched.model_dump(mode="json"))

    def point_to(self, step: str, version: str) -> None:
        """Makes a finished version the one that holds; keeps the one before for readers that have it open."""
        home = self.step_folder(step)
        pointer = home / "current"
        with contextlib.suppress(OSError, UnicodeDecodeError):
            before = pointer.read_text("utf-8").strip()
            self._prune(home, keep={version, before})
        write_beside(pointer, f"{version}\n".encode())

    @staticmethod
    def _prune(home: Path, keep: set[str]) -> None:
        for entry in home.iterdir():
            if entry.is_dir() and entry.name not in keep:
                _remove(entry)

    @contextlib.contextmanager
    def lock(self, purpose: str) -> Iterator[None]:
        """Keeps a second builder out; the system frees it however this process ends."""
        with readable_disk_errors(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            file = (self.root / ".lock").open("a+", encoding="utf-8")
        with file:
            if not _locked(file.fileno()):
                raise self._busy(file.name)
            holder = {"pid": os.getpid(), "host": socket.gethostname(), "purpose": purpose}
            holder["since"] = datetime.now(UTC).strftime("%H:%M:%S UTC")
            with readable_disk_errors(self.root):
                file.truncate(0)
                file.write(json.dumps(holder))
                file.flush()
            yield

    def at_work(self) -> WorkspaceBusy | None:
        """Who builds here now, as the error that a second builder would meet; None where nobody does."""
        try:
            with (self.root / ".lock").open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return self._busy(file.name)
        except OSError:
            return None
        return None

    def _busy(self, lock: str) -> WorkspaceBusy:
        try:
            holder = json.loads(Path(lock).read_text("utf-8"))
            who = f"Process {holder['pid']} on {holder['host']} ({holder['purpose']}) has been at it since {holder['since']}."
        except (OSError, ValueError, KeyError, TypeError):
            who = "The other process has not said its name yet."
        return WorkspaceBusy(
            f"Somebody else is building in {self.root}.",
            why=who,
            mend="wait for it to end, or stop it; then run the same command again: nothing done so far is lost",
        )


def python_version() -> str:
    return ".".join(str(part) for part in sys.version_info[:3])


def _locked(handle: int) -> bool:
    """Takes the lock; somebody who only looks holds it for an instant."""
    for patience in (0.01, 0.05, 0.0):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(patience)
    return False


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
