"""Texts as vectors of a model: each asked for once, whatever the server does; what cannot be used is an error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from persona_core.errors import ModelAnswerBad, ModelMissing, ModelUnavailable
from persona_core.llm.cache import AnswerCache
from persona_core.llm.ollama_model import EMBEDDED_AT_ONCE, OllamaModel
from persona_core.settings import OllamaSettings
from tests.support.ollama_stand_in import DIGEST, Babbles, Fails, OllamaStandIn

TEXTS = [f"text {number}" for number in range(EMBEDDED_AT_ONCE + 3)]


@pytest.fixture
def server() -> Iterator[OllamaStandIn]:
    with OllamaStandIn() as stand_in:
        yield stand_in


def model_at(server: OllamaStandIn, cache: AnswerCache | None = None, name: str = "tiny:1b") -> OllamaModel:
    return OllamaModel(OllamaSettings(host=server.url, model=name), DIGEST, cache, sleep=lambda _: None)


def test_each_text_has_its_vector_and_the_same_text_the_same(server: OllamaStandIn) -> None:
    told: list[int] = []
    rows = model_at(server).vectors([*TEXTS, TEXTS[0]], told.append)
    assert len(rows) == len(TEXTS) + 1
    assert rows[0] == rows[-1] != rows[1]
    assert server.embedded == TEXTS
    assert told == [0, EMBEDDED_AT_ONCE, len(TEXTS)]


def test_what_was_embedded_once_is_never_asked_for_again(server: OllamaStandIn, tmp_path: Path) -> None:
    first = model_at(server, AnswerCache(tmp_path / "answers.sqlite")).vectors(TEXTS[:3])
    again = model_at(server, AnswerCache(tmp_path / "answers.sqlite")).vectors(TEXTS[:5])
    assert again[:3] == first
    assert server.embedded == TEXTS[:5]


def test_a_server_that_dies_in_the_middle_costs_only_what_was_under_way(server: OllamaStandIn, tmp_path: Path) -> None:
    cache = AnswerCache(tmp_path / "answers.sqlite")
    model_at(server, cache).vectors(TEXTS[:2])
    server.then(*[Fails()] * 4)
    with pytest.raises(ModelUnavailable, match="could not be asked"):
        model_at(server, cache).vectors(TEXTS)
    before = len(server.embedded)
    model_at(server, cache).vectors(TEXTS)
    assert server.embedded[before:] == TEXTS[2:]


@pytest.mark.parametrize("embeddings", [[[1.0]] * 2, [[]] * 3, [[0.0]] * 3, [[1.0, None]] * 3, [["x"]] * 3, [[1e999]] * 3], ids=repr)
def test_vectors_that_cannot_be_used_are_asked_for_again_and_then_an_error(server: OllamaStandIn, embeddings: object) -> None:
    body = Babbles(json.dumps({"model": "tiny:1b", "embeddings": embeddings}).encode())
    server.then(body)
    assert len(model_at(server).vectors(TEXTS[:3])) == 3, "once may be chance"
    server.then(*[body] * 4)
    with pytest.raises((ModelAnswerBad, ModelUnavailable)):
        model_at(server).vectors(TEXTS[:3])


def test_vectors_of_several_lengths_are_no_vectors(server: OllamaStandIn) -> None:
    server.then(Babbles(json.dumps({"model": "tiny:1b", "embeddings": [[1.0], [1.0, 2.0]]}).encode()))
    with pytest.raises(ModelAnswerBad, match="several lengths"):
        model_at(server).vectors(TEXTS[:2])


def test_a_model_that_is_not_there_is_named(server: OllamaStandIn) -> None:
    with pytest.raises(ModelMissing, match="absent"):
        model_at(server, name="absent").vectors(TEXTS[:1])
