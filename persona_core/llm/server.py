"""Asks Ollama servers whether they are there and which models they have; never waits long, never raises."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

from persona_core.settings import OllamaSettings

PATIENCE_S = 3.0


@dataclass(frozen=True, slots=True)
class ServerState:
    host: str
    reachable: bool
    models: tuple[str, ...] = ()
    trouble: str = ""
    digests: tuple[str, ...] = ()
    """Of the models, in their order; empty text where the server did not say."""

    def has(self, model: str) -> bool:
        return with_tag(model) in self.models

    def digest_of(self, model: str) -> str:
        """Which weights exactly; the model's name where the server does not say, and nothing if it is not there."""
        found = dict(zip(self.models, self.digests, strict=False))
        return (found.get(with_tag(model)) or with_tag(model)) if self.has(model) else ""


def with_tag(model: str) -> str:
    """A name without a tag means `:latest`, as it does for Ollama; the colon of a registry's port is no tag."""
    return model if ":" in model.rsplit("/", 1)[-1] else f"{model}:latest"


def client_for(host: str, read_s: float, connect_s: float) -> Any:
    """The official client. It goes straight to the host: no proxy from the environment, no redirect to elsewhere."""
    import httpx
    import ollama

    timeout = httpx.Timeout(read_s, connect=connect_s)
    return ollama.Client(host, timeout=timeout, trust_env=False, follow_redirects=False, verify=_certificates())


@cache
def _certificates() -> Any:
    """Read once: it takes longer than asking a server does."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)


def look_at(host: str) -> ServerState:
    import httpx
    import ollama

    try:
        with client_for(host, PATIENCE_S, PATIENCE_S) as client:
            found = sorted((model.model, model.digest or "") for model in client.list().models if model.model)
    except (ConnectionError, httpx.HTTPError, httpx.InvalidURL, ollama.ResponseError, ValueError, TypeError) as error:
        return ServerState(host, False, trouble=str(error).splitlines()[0] if str(error) else type(error).__name__)
    return ServerState(host, True, tuple(name for name, _ in found), digests=tuple(mark for _, mark in found))


def look(settings: OllamaSettings) -> tuple[ServerState, ...]:
    """The state of every host that the settings name, in their order; they are asked at once."""
    with ThreadPoolExecutor(len(settings.hosts)) as threads:
        return tuple(threads.map(look_at, settings.hosts))
