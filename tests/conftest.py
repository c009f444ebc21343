"""What every test may count on: no settings from outside, and small worlds to work in."""

from __future__ import annotations

import os
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported: two workers with two threads each get in each other's way

os.environ["PERSONA_OLLAMA_USE"] = "never"  # for what is built once for all, before a test's own settings hold

import pytest

from persona_core.settings import DEMO_DATA
from persona_core.workspace import Workspace
from tests.support.worlds import build_from, write_tiny_world


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PERSONA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PERSONA_OLLAMA_HOST", "http://127.0.0.1:9")  # nobody listens there


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty workspace."""
    return Workspace.at(tmp_path / "workspace")


@pytest.fixture
def tiny_world(tmp_path: Path) -> Path:
    """A folder in the demo world's form: 3 scenarios, 6 items, 8 users, 40 reviews."""
    return write_tiny_world(tmp_path / "tiny")


@pytest.fixture(scope="session")
def built_demo(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The demo world, built once for all workers. Tests read it and never change it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    return build_from(DEMO_DATA, shared / "built-demo")


@pytest.fixture
def built_tiny(tiny_world: Path, tmp_path: Path) -> Workspace:
    """The tiny world, built; tests may do with it what they like."""
    return build_from(tiny_world, tmp_path / "workspace")
