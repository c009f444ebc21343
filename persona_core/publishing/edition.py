"""An edition: what a workspace held when it was published, by name and checksum; what it may name is checked before it is believed."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime
from typing import Final

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from persona_core import __version__
from persona_core.errors import ArtefactBroken
from persona_core.personas.curation import FILE as CURATION
from persona_core.settings import FILE_NAME
from persona_core.workspace import MANIFEST_FORMAT, FileStamp

FORMAT: Final = 1
BESIDE: Final = (FILE_NAME, CURATION)
"""What lies beside the steps and counts for what readers see: settings, and what a curator said."""
MANIFEST: Final = "manifest.json"
PLAIN: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
SUM: Final = re.compile(r"[0-9a-f]{64}")


class Edition(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    format: int
    artefacts: int
    """The form of the steps' manifests."""
    made_by: str
    created: datetime
    steps: dict[str, str]
    """Which version of each step's holds."""
    files: dict[str, FileStamp]
    """Every file by its path in the workspace."""

    @property
    def content(self) -> tuple[dict[str, str], dict[str, FileStamp]]:
        """What makes it another one than the one before."""
        return self.steps, self.files

    def of_step(self, step: str) -> dict[str, FileStamp]:
        """The files of a step's version, by their names there."""
        folder = f"{step}/{self.steps[step]}/"
        return {path.removeprefix(folder): stamp for path, stamp in self.files.items() if path.startswith(folder)}

    def written(self) -> bytes:
        return orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def read_edition(content: bytes, said: str, known: Collection[str]) -> Edition:
    """Raises ArtefactBroken where it is not understood, or names what has no place in a workspace with these steps."""
    try:
        raw = orjson.loads(content)
    except ValueError as error:
        raise _refused(said, f"It is not JSON: {error}.") from error
    forms = (raw.get("format"), raw.get("artefacts")) if isinstance(raw, dict) else (None, None)
    if forms != (FORMAT, MANIFEST_FORMAT):
        who = raw.get("made_by", "an unknown version") if isinstance(raw, dict) else "an unknown version"
        why = (
            f"It has the forms {forms[0]} and {forms[1]}, by {who}; this is {__version__}, which reads {FORMAT} and {MANIFEST_FORMAT}."
        )
        raise _refused(said, why, "bring this machine to the version that published it, or publish from one of this version")
    try:
        edition = Edition.model_validate(raw)
    except ValidationError as error:
        raise _refused(said, f"It is damaged: {error.errors()[0]['msg']}.") from error
    strangers = sorted(edition.steps.keys() - set(known))
    if strangers:
        raise _refused(said, f"It has steps that version {__version__} does not know: {', '.join(strangers)}.",
                       "bring this machine to the version that published it")  # fmt: skip
    without = sorted(step for step in edition.steps if MANIFEST not in edition.of_step(step))
    if without:
        raise _refused(said, f"It names no manifest of {', '.join(without)}.")
    for path, stamp in edition.files.items():
        if not (_has_a_place(path, edition) and SUM.fullmatch(stamp.sha256)):
            raise _refused(said, f"It names {path!r}, which has no place in a workspace.")
    return edition


def _has_a_place(path: str, edition: Edition) -> bool:
    if path in BESIDE:
        return True
    step, _, rest = path.partition("/")
    version, _, name = rest.partition("/")
    return step in edition.steps and edition.steps[step] == version and all(PLAIN.fullmatch(one) for one in (version, name))


def _refused(said: str, why: str, mend: str = "publish again") -> ArtefactBroken:
    return ArtefactBroken(f"{said} cannot be used.", why=why, mend=mend)
