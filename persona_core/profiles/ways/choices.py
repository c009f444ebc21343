"""What people chose among the ways to see them: a human preference, kept line by line, for the next generator to learn from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

import orjson
from pydantic import Field, ValidationError

from persona_core.errors import PersonaError, readable_disk_errors
from persona_core.files import append_line
from persona_core.schema import Frozen
from persona_core.workspace import Workspace

FILE = "choices.jsonl"
MOST_BYTES = 20_000_000
"""Anybody who sees the page may choose: beyond this, nothing more is kept."""
Kind = Literal["adopt", "merge", "reject"]


class Choice(Frozen):
    """One press: this way was taken, or taken from, before the one in use; or the one in use was kept before it."""

    time: datetime
    user_id: str
    kind: Kind
    key: str
    """Which way: its source and style."""
    way: str = Field(max_length=20_000)
    """Its lines."""
    used: str = Field(max_length=20_000)
    """The lines of the profile that was in use."""


def remember(place: Workspace, user_id: str, kind: Kind, key: str, way: str, used: str) -> Choice:
    """Keeps it on the disk. Raises PersonaError where this app only reads, or the disk does not."""
    if place.settings.readonly:
        raise PersonaError(
            "This app only reads: the choice is not kept.", why="The setting readonly is on.", mend="PERSONA_READONLY=false"
        )
    made = Choice(time=datetime.now(UTC), user_id=user_id, kind=kind, key=key, way=way, used=used)

    def line(content: bytes) -> bytes:
        if len(content) > MOST_BYTES:
            raise PersonaError("There are too many choices already.", mend=f"take {place.root / FILE} away")
        return orjson.dumps(made.model_dump(mode="json"))

    with readable_disk_errors(place.root):
        append_line(place.root / FILE, line)
    return made


def read_choices(place: Workspace) -> list[Choice]:
    """All that were kept, in order; a torn line counts for nothing."""
    try:
        content = (place.root / FILE).read_bytes()
    except FileNotFoundError:
        return []
    found = []
    for line in content.split(b"\n"):
        try:
            found.append(Choice.model_validate_json(line))
        except ValidationError:
            continue
    return found


def as_pairs(choices: Iterable[Choice]) -> list[dict[str, str]]:
    """The last word on each way of each person, as preference pairs: what was chosen before what."""
    last = {(one.user_id, one.key, one.used): one for one in choices if one.way != one.used}
    pairs = []
    for one in last.values():
        chosen, rejected = (one.used, one.way) if one.kind == "reject" else (one.way, one.used)
        pairs.append({"user_id": one.user_id, "chosen": chosen, "rejected": rejected, "by": "a person", "key": one.key})
    return pairs
