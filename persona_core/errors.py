"""Every error that a person can meet: what happened, why, and the command that mends it."""

from __future__ import annotations

import errno
import os
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class PersonaError(Exception):
    """The parent of all errors that are shown to people, in the terminal and on a page alike."""

    def __init__(self, what: str, *, why: str = "", mend: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.mend = mend

    def __str__(self) -> str:
        return "\n".join(part for part in (self.what, self.why, self.mend and f"To mend it: {self.mend}") if part)

    def __reduce__(self) -> tuple[Any, ...]:
        """It may come from another process, and says there what it said here."""
        return _told_elsewhere, (type(self), self.what, self.why, self.mend)

    def as_dict(self) -> dict[str, str]:
        return {"error": type(self).__name__, "what": self.what, "why": self.why, "mend": self.mend}


def _told_elsewhere(kind: type[PersonaError], what: str, why: str, mend: str) -> PersonaError:
    return kind(what, why=why, mend=mend)


class SettingsError(PersonaError):
    """An environment variable or a line in workspace.toml is not understood."""


class SourceError(PersonaError):
    """The data to read is not there, not of the expected form, or empty."""


class WorkspaceMissing(PersonaError):
    """There is no workspace where one was expected, or it has nothing built."""


class WorkspaceBusy(PersonaError):
    """Another process is building in this workspace."""


class WorkspaceUnwritable(PersonaError):
    """The disk is full, a quota is reached, or the folder is read-only."""


class ArtefactBroken(PersonaError):
    """A built file is missing, truncated, changed, or was written by another version."""


class BuildStopped(PersonaError):
    """Somebody asked the build to stop; what was done is kept."""


class StepFailed(PersonaError):
    """A step met an error that it does not know; the log has the details."""


class ModelUnavailable(PersonaError):
    """No model server could do the work: not reachable, too slow, or it failed each time it was asked."""


class ModelMissing(PersonaError):
    """A model server answers, but it does not have the model that is wanted."""


class ModelAnswerBad(PersonaError):
    """The model answered, but not in the form that was asked for; or what it was to read is too long for it."""


_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EROFS, errno.EACCES, errno.EPERM}
_OF_RUST = re.compile(r"\(os error (\d+)\)")
"""How libraries in Rust say which of the system's errors they met; their exceptions are none of the system's."""


@contextmanager
def readable_disk_errors(folder: Path) -> Iterator[None]:
    """Turns the system's words for a full or read-only disk into ours; other errors pass through."""
    try:
        yield
    except Exception as error:
        trouble = as_disk_error(error, folder)
        if trouble is None:
            raise
        raise trouble from error


def as_disk_error(error: Exception, folder: Path) -> WorkspaceUnwritable | None:
    number = _number_of(error)
    if number in _FULL:
        return no_room(folder)
    if number in _FORBIDDEN:
        return WorkspaceUnwritable(
            f"{folder} cannot be written.",
            why=f"The system says: {os.strerror(number)}.",
            mend=f"give yourself write access to it (`{write_access(folder)}`), then run the same command again; "
            "or choose another folder with --workspace DIR",
        )
    return None


def no_room(where: object) -> WorkspaceUnwritable:
    return WorkspaceUnwritable(
        f"There is no room left to write in {where}.",
        why="The disk is full or a quota is reached. What was finished before is kept.",
        mend="free some space (`python -m persona_core doctor` shows how much is left), then run the same command again",
    )


def write_access(folder: Path) -> str:
    """The command that lets one write in this folder: where the whole disk is read-only, it is that which must change."""
    there = next(one for one in (folder, *folder.parents) if one.exists())
    if os.statvfs(there).f_flag & os.ST_RDONLY:
        mounted = next(one for one in (there, *there.parents) if one.is_mount())
        return f"mount -o remount,rw {shlex.quote(str(mounted))}"
    return f"chmod -R u+rwX {shlex.quote(str(there))}"


def _number_of(error: Exception) -> int:
    """Which of the system's errors it is; 0 for none."""
    if isinstance(error, PersonaError):
        return 0
    if isinstance(error, OSError):
        return error.errno or 0
    found = _OF_RUST.search(str(error))
    return int(found[1]) if found else 0
