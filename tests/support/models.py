"""A language model that is there or is not: what tests with a stand-in for Ollama's server have in common."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from persona_core.llm import choice, ollama_model
from persona_core.llm.ollama_model import RETRIES
from persona_core.workspace import Workspace
from tests.support.ollama_stand_in import OllamaStandIn
from tests.support.worlds import build_from, write_tiny_world

MODEL = "tiny:1b"


def looked_long_ago() -> None:
    """What servers said of themselves is believed for a while; now it is not."""
    choice._looked.cache_clear()


def appears(monkeypatch: pytest.MonkeyPatch, *servers: OllamaStandIn) -> None:
    monkeypatch.setenv("PERSONA_OLLAMA_HOST", ",".join(one.url for one in servers))
    monkeypatch.setenv("PERSONA_OLLAMA_MODEL", MODEL)
    looked_long_ago()


def goes_away(server: OllamaStandIn) -> None:
    server.stop()
    looked_long_ago()


def comes_back(server: OllamaStandIn) -> None:
    server.start()
    looked_long_ago()


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Wherever this is imported, a server that fails is asked again at once."""
    monkeypatch.setattr(ollama_model, "PAUSES_S", (0.0,) * RETRIES)
    yield
    looked_long_ago()


@pytest.fixture(scope="module", name="template")
def built_template(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The tiny world, built without a model; never changed, only copied: to build it takes longer than most tests with it."""
    folder = tmp_path_factory.mktemp("template")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PERSONA_OLLAMA_USE", "never")  # a fixture of a module is made before settings from outside are removed
        return build_from(write_tiny_world(folder / "tiny"), folder / "workspace")


@pytest.fixture(name="place")
def copied_template(template: Workspace, tmp_path: Path) -> Workspace:
    """The tiny world, built without a model; tests may do with it what they like."""
    shutil.copytree(template.root, tmp_path / "workspace")
    return Workspace.at(tmp_path / "workspace")
