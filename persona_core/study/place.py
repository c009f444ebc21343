"""Where a workspace keeps its studies: their files, and the database of what participants did."""

from __future__ import annotations

from pathlib import Path

from persona_core.files import write_beside
from persona_core.study.store import StudyStore
from persona_core.workspace import Workspace

TEMPLATE = Path(__file__).with_name("template.toml")
"""The study that ships: to be looked at, copied and changed."""


def studies_of(place: Workspace) -> Path:
    return place.root / "studies"


def study_files(place: Workspace) -> list[Path]:
    return sorted(studies_of(place).glob("*.toml"))


def take_in(place: Workspace, study: str, text: str) -> Path:
    """Where the file of a study from elsewhere lies from now on; one of its name that is here already stays as it is."""
    file = studies_of(place) / f"{study}.toml"
    if not file.exists():
        write_beside(file, text.encode())
    return file


def database_of(place: Workspace) -> str:
    """The address that the settings name; otherwise a SQLite file in the workspace."""
    return place.settings.study.database or f"sqlite:///{studies_of(place) / 'studies.sqlite'}"


def open_store(place: Workspace) -> StudyStore:
    """Raises StoreUnavailable."""
    if not place.settings.study.database:
        studies_of(place).mkdir(parents=True, exist_ok=True)
    return StudyStore(database_of(place))
