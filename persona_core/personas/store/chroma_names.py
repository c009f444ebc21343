"""What collections are called, so that those who write and those who read find the same one."""

from __future__ import annotations

from persona_core.files import digest
from persona_core.personas.store.chroma_client import ServerPlace

COLLECTION = "personas"
"""In a folder of its own there is but one."""


def collection_name(place: ServerPlace) -> str:
    """Chroma allows letters, digits, `.`, `_` and `-`; a workspace may be called anything."""
    return f"personas-{digest(place.workspace.encode())[:12]}-{digest(place.version.encode())[:16]}"


def server_said(place: ServerPlace) -> str:
    return f"{collection_name(place)} at {place.url}"
