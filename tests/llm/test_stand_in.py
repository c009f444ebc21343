"""The stand-in that tests ask in place of an Ollama server does for the real client what a server does."""

from __future__ import annotations

import pytest

from tests.llm.test_ollama_model import GOOD, Form, asking, model_at, server
from tests.support.ollama_stand_in import OllamaStandIn

__all__ = ["server"]


def test_a_real_function_can_stand_behind_the_stand_in() -> None:
    seen = []
    with OllamaStandIn(generate=lambda messages, form: seen.append((messages, form)) or GOOD) as server:
        model_at(server.url).ask(asking("hello"), Form)
    ((messages, form),) = seen
    assert messages[1] == {"role": "user", "content": "hello"}
    assert form["title"] == "Form"


def test_the_stand_in_streams_embeds_shows_and_pulls_for_the_real_client(server: OllamaStandIn) -> None:
    import ollama

    with ollama.Client(server.url) as client:
        pieces = list(client.chat("tiny:1b", [{"role": "user", "content": "x"}], stream=True))
        assert "".join(piece.message.content or "" for piece in pieces) == GOOD
        assert pieces[-1].done_reason == "stop"
        assert len(client.embed("tiny:1b", ["a", "b"]).embeddings) == 2
        assert client.show("tiny:1b")
        with pytest.raises(ollama.ResponseError, match="not found"):
            client.show("new:1b")
        assert [step.status for step in client.pull("new:1b", stream=True)][-1] == "success"
        assert client.show("new:1b")
