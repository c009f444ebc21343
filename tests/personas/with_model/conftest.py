"""A server with a model of its own mind, and the tiny world built without it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.personas.with_model.mind import Mind
from tests.support.models import appears, built_template, copied_template, no_pauses  # noqa: F401 - fixtures work by being here
from tests.support.ollama_stand_in import OllamaStandIn
from tests.support.remembered import batches_remembered


@pytest.fixture
def mind() -> Mind:
    return Mind()


@pytest.fixture
def server(mind: Mind) -> Iterator[OllamaStandIn]:
    with OllamaStandIn(mind) as stand_in:
        yield stand_in


@pytest.fixture(scope="module", autouse=True)
def _each_batch_encoded_once() -> Iterator[None]:
    with batches_remembered():
        yield


@pytest.fixture
def _with_model(server: OllamaStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    appears(monkeypatch, server)
