"""Profiles on disk: JSON lines that people can read, one a user."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import orjson

from persona_core.files import write_lines
from persona_core.schema import Profile

PROFILES = "profiles.jsonl"


def write_profiles(path: Path, profiles: Iterable[Profile]) -> None:
    write_lines(path, (one.model_dump(mode="json") for one in profiles))


class ProfileBook:
    """The built profile of each user; a line is understood when it is asked for, not before."""

    def __init__(self, path: Path) -> None:
        self._lines = {orjson.loads(line)["user_id"]: line for line in path.read_bytes().splitlines() if line}

    def __contains__(self, user_id: str) -> bool:
        return user_id in self._lines

    def users(self) -> list[str]:
        return list(self._lines)

    def of(self, user_id: str) -> Profile | None:
        line = self._lines.get(user_id)
        return None if line is None else Profile.model_validate_json(line)
