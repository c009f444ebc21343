"""A server with a model of its own mind, and the tiny world built without it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from persona_core.llm import ollama_model
from persona_core.llm.ollama_model import RETRIES
from persona_core.text.encoder import BaseEncoder, Matrix
from persona_core.workspace import Workspace
from tests.personas.with_model.mind import (
    Mind,
    appears,
    looked_long_ago,
)
from tests.support.ollama_stand_in import OllamaStandIn
from tests.support.worlds import build_from, write_tiny_world


@pytest.fixture
def mind() -> Mind:
    return Mind()


@pytest.fixture
def server(mind: Mind) -> Iterator[OllamaStandIn]:
    with OllamaStandIn(mind) as stand_in:
        yield stand_in


@pytest.fixture(scope="module", autouse=True)
def _each_batch_encoded_once() -> Iterator[None]:
    """MiniLM takes most of a build's time, says the same each time, and is not in question here."""
    forward = BaseEncoder._forward
    known: dict[tuple[str, ...], tuple[Matrix, Matrix]] = {}

    def remembered(self: BaseEncoder, texts: list[str]) -> tuple[Matrix, Matrix]:
        if tuple(texts) not in known:
            known[tuple(texts)] = forward(self, texts)
        return known[tuple(texts)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseEncoder, "_forward", remembered)
        yield


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The tiny world, built without a model; never changed, only copied: to build it takes longer than most tests here."""
    folder = tmp_path_factory.mktemp("template")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PERSONA_OLLAMA_USE", "never")  # a fixture of a module is made before settings from outside are removed
        return build_from(write_tiny_world(folder / "tiny"), folder / "workspace")


@pytest.fixture
def place(template: Workspace, tmp_path: Path) -> Workspace:
    """The tiny world, built without a model; tests may do with it what they like."""
    shutil.copytree(template.root, tmp_path / "workspace")
    return Workspace.at(tmp_path / "workspace")


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server that fails is asked again at once."""
    monkeypatch.setattr(ollama_model, "PAUSES_S", (0.0,) * RETRIES)
    yield
    looked_long_ago()


@pytest.fixture
def _with_model(server: OllamaStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    appears(monkeypatch, server)
