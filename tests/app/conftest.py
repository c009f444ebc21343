"""The app under AppTest: on a workspace of the test's own, with nothing remembered from the test before."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from persona_core.engine import Engine
from persona_core.workspace import Workspace
from tests.support.worlds import build_from, write_tiny_world

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("start", "for_you", "your_profile", "personas", "trends", "scenarios", "workshop", "study_desk")
PAGES = {name: f"app_pages/{name}.py" for name in NAMES}


class Opened(Protocol):
    def __call__(self, place: Workspace, address: Mapping[str, str] = ...) -> AppTest: ...


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    st.cache_data.clear()
    st.cache_resource.clear()
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture(autouse=True)
def _one_engine_for_all_that_look_at_the_demo_world(
    monkeypatch: pytest.MonkeyPatch, demo_place: Path, _opened_once: dict[str, Engine]
) -> None:
    """It is never changed, and opening it anew for each test would take longer than the tests."""
    real = Engine.open

    def opened(place: Workspace) -> Engine:
        if place.root != demo_place:
            return real(place)
        if "demo" not in _opened_once:
            _opened_once["demo"] = real(place)
        return _opened_once["demo"]

    monkeypatch.setattr(Engine, "open", opened)


@pytest.fixture(scope="session")
def _opened_once() -> dict[str, Engine]:
    return {}


@pytest.fixture(autouse=True)
def _nothing_is_encoded_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test opens an engine of its own: encoding ahead for all of them would take longer than the tests."""
    monkeypatch.setattr("ui.resources.warm", lambda *_: 0)


@pytest.fixture(autouse=True)
def _no_work_outlives_its_test(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A page may begin a build in a process of its own, which would go on for minutes beside the other tests."""
    begun: list[subprocess.Popen[bytes]] = []

    class Noted(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            begun.append(self)

    monkeypatch.setattr("ui.jobs.subprocess.Popen", Noted)
    yield
    for process in begun:
        process.kill()
        process.wait()


@pytest.fixture
def open_app(monkeypatch: pytest.MonkeyPatch) -> Opened:
    def opened(place: Workspace, address: Mapping[str, str] = {}) -> AppTest:
        monkeypatch.setenv("PERSONA_WORKSPACE", str(place.root))
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        for name, value in address.items():
            at.query_params[name] = value
        return at.run()

    return opened


def sound(at: AppTest) -> AppTest:
    """The app, having met no error that it does not know."""
    assert not at.exception, at.exception
    return at


def pages_html(at: AppTest) -> list[str]:
    """The pieces of markup on the page, without the styles."""
    return [str(one.value) for one in at.html if not str(one.value).startswith("<style")]


def words_of(at: AppTest) -> str:
    """Everything a reader could read on the page."""
    kinds = (
        "title",
        "header",
        "subheader",
        "markdown",
        "caption",
        "text",
        "code",
        "info",
        "warning",
        "error",
        "metric",
        "button",
    )
    return "\n".join(
        str(part)
        for kind in kinds
        for element in at.get(kind)
        for part in (getattr(element, "label", ""), getattr(element, "value", ""))
        if part
    )


# The Workshop ----------------------------------------------------------------------------------------------------------

Shown = Callable[..., AppTest]


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The tiny world, built; only looked at here."""
    folder = tmp_path_factory.mktemp("workshop")
    return build_from(write_tiny_world(folder / "tiny"), folder / "here")


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Shown:
    """The Workshop at once: the start page would begin to build."""

    def shown(place: Workspace, part: str = "Steps", **state: Any) -> AppTest:
        monkeypatch.setenv("PERSONA_WORKSPACE", str(place.root))
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        for name, value in {"workshop_part": part, **state}.items():
            at.session_state[name] = value
        return sound(at.switch_page(PAGES["workshop"]).run())

    return shown
