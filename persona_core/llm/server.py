"""Asks an Ollama server whether it is there and which models it has; never waits long, never raises."""

from __future__ import annotations

from dataclasses import dataclass

from persona_core.settings import OllamaSettings

PATIENCE_S = 3.0


@dataclass(frozen=True, slots=True)
class ServerState:
    host: str
    reachable: bool
    models: tuple[str, ...] = ()
    trouble: str = ""

    def has(self, model: str) -> bool:
        """Whether the model is there; a name without a tag means `:latest`, as it does for Ollama."""
        return (model if ":" in model else f"{model}:latest") in self.models


def look(settings: OllamaSettings) -> ServerState:
    import httpx
    import ollama

    try:
        with ollama.Client(settings.host, timeout=httpx.Timeout(PATIENCE_S)) as client:
            models = tuple(sorted(model.model for model in client.list().models if model.model))
    except (ConnectionError, httpx.HTTPError, httpx.InvalidURL, ollama.ResponseError, ValueError) as error:
        return ServerState(settings.host, False, trouble=str(error).splitlines()[0] if str(error) else type(error).__name__)
    return ServerState(settings.host, True, models)
