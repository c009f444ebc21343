"""Where a workspace keeps its studies: their files, and the database of what participants did."""

from __future__ import annotations

from pathlib import Path

from persona_core.study.store import StudyStore
from persona_core.workspace import Workspace


def studies_of(place: Workspace) -> Path:
    return place.root / "studies"


def study_files(place: Workspace) -> list[Path]:
    return sorted(studies_of(place).glob("*.toml"))


def database_of(place: Workspace) -> str:
    """The address that the settings name; otherwise a SQLite file in the workspace."""
    return place.settings.study.database or f"sqlite:///{studies_of(place) / 'studies.sqlite'}"


def open_store(place: Workspace) -> StudyStore:
    """Raises StoreUnavailable."""
    if not place.settings.study.database:
        studies_of(place).mkdir(parents=True, exist_ok=True)
    return StudyStore(database_of(place))
