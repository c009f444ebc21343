"""What every test may count on: no settings from outside, and small worlds to work in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported: two workers with two threads each get in each other's way

os.environ["PERSONA_OLLAMA_USE"] = "never"  # for what is built once for all, before a test's own settings hold

import pytest

from persona_core.catalog.choose import choose_source
from persona_core.settings import DEMO_DATA
from persona_core.workspace import Workspace
from tests.support.worlds import build_from, write_tiny_world

ROOT = Path(__file__).resolve().parent.parent


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that need the demo world come last: it takes a minute or two, and is built beside the others meanwhile.

    Of these the browser's come first: they must follow one another, and one worker would be alone with them at the end.
    """
    items.sort(key=lambda item: (_needs_demo(item), "browser" not in str(item.path)))


def _needs_demo(item: pytest.Item) -> bool:
    return "built_demo" in getattr(item, "fixturenames", ())


@pytest.fixture(scope="session")
def demo_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the demo world is built once for all workers."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "built-demo"


@pytest.fixture(scope="session", autouse=True)
def _demo_begun(request: pytest.FixtureRequest, demo_place: Path) -> Iterator[None]:
    """Begins to build the demo world in a process of its own, if any test is going to need it."""
    if os.environ.get("PYTEST_XDIST_WORKER", "gw0") != "gw0" or not any(map(_needs_demo, request.session.items)):
        yield
        return
    code = f"from tests.support.worlds import *; build_from(Path({str(DEMO_DATA)!r}), Path({str(demo_place)!r}))"
    building = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield
    building.kill()
    building.wait()


@pytest.fixture(scope="session")
def built_demo(demo_place: Path) -> Workspace:
    """The demo world, built. Tests read it and never change it."""
    return build_from(DEMO_DATA, demo_place)


@pytest.fixture(scope="session")
def _tiny_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny world built once for all tests of a worker, which get copies."""
    folder = tmp_path_factory.mktemp("template")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PERSONA_")]:
            patch.delenv(name)
        patch.setenv("PERSONA_OLLAMA_HOST", "http://127.0.0.1:9")  # as for every test
        build_from(write_tiny_world(folder / "tiny"), folder / "workspace")
    return folder / "workspace"


@pytest.fixture
def built_tiny(tiny_world: Path, tmp_path: Path, _tiny_template: Path) -> Workspace:
    """The tiny world, built; tests may do with it what they like."""
    place = Workspace.at(shutil.copytree(_tiny_template, tmp_path / "workspace"))
    choose_source(place, str(tiny_world), replace=True)  # the same data at another place: all of it is up to date
    return place
