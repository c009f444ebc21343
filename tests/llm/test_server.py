"""Looking at several hosts: which answer, which have the model, and what the doctor says of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from persona_core import doctor
from persona_core.llm.server import ServerState, look, with_tag
from persona_core.settings import OllamaSettings
from persona_core.workspace import Workspace
from tests.support.ollama_stand_in import DIGEST, OllamaStandIn

NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def pair() -> Iterator[tuple[OllamaStandIn, OllamaStandIn]]:
    with OllamaStandIn() as one, OllamaStandIn() as other:
        yield one, other


@pytest.fixture
def ollama_finding(workspace: Workspace, monkeypatch: pytest.MonkeyPatch):
    def found(*hosts: str, model: str = "tiny:1b", use: str = "auto") -> doctor.Finding:
        monkeypatch.setenv("PERSONA_OLLAMA_HOST", ",".join(hosts))
        monkeypatch.setenv("PERSONA_OLLAMA_MODEL", model)
        monkeypatch.setenv("PERSONA_OLLAMA_USE", use)
        return next(iter(doctor._ollama(workspace.settings)))

    return found


@pytest.mark.parametrize(
    ("host", "hosts"),
    [
        ("http://a:1", ("http://a:1",)),
        (" http://a:1/ , b:2,,http://a:1", ("http://a:1", "b:2")),
        ("", ("http://127.0.0.1:11434",)),
        (" , ", ("http://127.0.0.1:11434",)),
    ],
)
def test_hosts_are_named_with_commas(host: str, hosts: tuple[str, ...]) -> None:
    assert OllamaSettings(host=host).hosts == hosts


def test_an_answer_must_leave_room_for_the_question() -> None:
    with pytest.raises(ValueError, match="smaller than context"):
        OllamaSettings(context=1024, answer_tokens=1024)


def test_every_host_is_looked_at(pair: tuple[OllamaStandIn, OllamaStandIn]) -> None:
    pair[1].models = ("b:1", "a:latest")
    states = look(OllamaSettings(host=f"{pair[0].url},{NOBODY},{pair[1].url}"))
    assert [(state.host, state.reachable) for state in states] == [(pair[0].url, True), (NOBODY, False), (pair[1].url, True)]
    assert states[1].trouble
    assert (states[2].models, states[2].digest_of("a")) == (("a:latest", "b:1"), DIGEST)
    assert states[2].digest_of("c") == ""


def test_a_server_that_tells_no_digest_is_known_by_the_models_name() -> None:
    assert ServerState("h", True, ("a:latest",)).digest_of("a") == "a:latest"


@pytest.mark.parametrize(
    ("name", "tagged"), [("a", "a:latest"), ("a:1b", "a:1b"), ("host:5000/a", "host:5000/a:latest"), ("h/a:1", "h/a:1")]
)
def test_a_name_without_tag_is_the_latest(name: str, tagged: str) -> None:
    assert with_tag(name) == tagged


def test_the_environments_proxy_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with OllamaStandIn() as server:
        monkeypatch.setenv("HTTP_PROXY", NOBODY)
        monkeypatch.setenv("ALL_PROXY", NOBODY)
        assert look(OllamaSettings(host=server.url))[0].reachable


def test_the_doctor_says_which_hosts_answer(pair: tuple[OllamaStandIn, OllamaStandIn], ollama_finding) -> None:
    finding = ollama_finding(pair[0].url, pair[1].url)
    assert finding.health == "ok"
    assert f"reachable at {pair[0].url}" in finding.says
    assert f"reachable at {pair[1].url}" in finding.says
    finding = ollama_finding(pair[0].url, NOBODY)
    assert finding.health == "note"
    assert f"not reachable at {NOBODY}" in finding.says
    assert NOBODY in finding.mend


def test_the_doctor_says_which_host_lacks_the_model(pair: tuple[OllamaStandIn, OllamaStandIn], ollama_finding) -> None:
    pair[1].models = ("other:7b",)
    finding = ollama_finding(pair[0].url, pair[1].url)
    assert f"{pair[1].url} with other:7b, but not tiny:1b" in finding.says
    assert finding.mend == f"OLLAMA_HOST={pair[1].url} ollama pull tiny:1b"


def test_the_doctor_sees_weights_that_differ(pair: tuple[OllamaStandIn, OllamaStandIn], ollama_finding) -> None:
    pair[1].digest = "beef" * 16
    assert "weights differ" in ollama_finding(pair[0].url, pair[1].url).says


def test_the_doctor_leaves_a_server_alone_that_is_not_to_be_used(ollama_finding) -> None:
    with OllamaStandIn() as server:
        assert ollama_finding(server.url, use="never").health == "ok"
        assert server.asked == []
