"""The persona store: which personas are nearest to a profile, and how well given items fit it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from persona_core.personas.store.chroma import ChromaStore
from persona_core.personas.store.chroma_build import build_embedded, build_on_server
from persona_core.personas.store.chroma_client import IndexUnreachable, ServerPlace
from persona_core.personas.store.memory import PERSONAS, VECTORS, MemoryStore
from persona_core.personas.store.protocol import BUILD, Encoder, Hit, PersonaStore, StoredPersona

__all__ = [
    "PERSONAS",
    "VECTORS",
    "ChromaStore",
    "Encoder",
    "Hit",
    "IndexUnreachable",
    "MemoryStore",
    "PersonaStore",
    "ServerPlace",
    "StoredPersona",
    "build_embedded",
    "build_on_server",
    "open_store",
]

Door = Literal["memory", "chroma"]


def open_store(door: Door, place: Path | ServerPlace, expected: Encoder | None = None, *, mend: str = BUILD) -> PersonaStore:
    """The store that lies at `place`, by the door that is named; `mend` is the command that errors tell to run."""
    if isinstance(place, ServerPlace):
        if door != "chroma":
            raise ValueError("what lies on a server is opened by the door 'chroma'")
        return ChromaStore.open_on_server(place, expected, mend=mend)
    if door == "chroma":
        return ChromaStore.open_embedded(place, expected, mend=mend)
    return MemoryStore.open(place, expected, mend=mend)
