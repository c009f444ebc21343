"""Shelves to publish on, and places to fetch to."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from persona_core.publishing import Shelf
from persona_core.workspace import Workspace

numbers = count()


@pytest.fixture(params=["file", "memory"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    return Shelf.at(f"file://{tmp_path}/shelf" if request.param == "file" else f"memory://shelf-{next(numbers)}")


@pytest.fixture
def local(tmp_path: Path) -> Shelf:
    return Shelf.at(str(tmp_path / "shelf"))


@pytest.fixture
def there(tmp_path: Path) -> Workspace:
    """Where it is fetched to."""
    return Workspace.at(tmp_path / "there")
