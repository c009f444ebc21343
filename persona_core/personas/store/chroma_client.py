"""Clients of Chroma, embedded or by address, and the one boundary at which its errors become ours."""

from __future__ import annotations

import http.client
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from persona_core.errors import ArtefactBroken, PersonaError, SettingsError, WorkspaceMissing, WorkspaceUnwritable, no_room
from persona_core.personas.store.protocol import BUILD

CONNECT_S, ANSWER_S = 5.0, 120.0

_opening = threading.Lock()
"""Chroma keeps one system a folder and counts who uses it, but not safely between threads."""


class IndexUnreachable(PersonaError):
    """The Chroma server that the settings name does not answer."""


@dataclass(frozen=True, slots=True)
class ServerPlace:
    """A version of a workspace's index on a Chroma server; `workspace` tells it from others on the same server."""

    url: str
    workspace: str
    version: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where an index lies, as people are told, and what they may do when it is of no use."""

    said: str
    mend: str = BUILD
    url: str = ""


def embedded_client(folder: Path) -> Any:
    """A client of the files in `folder`, which are made if they are missing."""
    import chromadb

    with _opening:
        return chromadb.PersistentClient(str(folder.resolve()), settings=_quiet())


def server_client(place: Place) -> Any:
    """A client of the server at `place.url`, which was found to answer."""
    import chromadb
    import httpx

    host, port, ssl = _address(place.url)
    try:
        beat = f"{'https' if ssl else 'http'}://{host}:{port}/api/v2/heartbeat"
        urllib.request.urlopen(beat, timeout=CONNECT_S).close()  # nosec B310 # http(s) only
    except (OSError, http.client.HTTPException) as error:
        raise _unreachable(place, error) from error
    client: Any = chromadb.HttpClient(host, port, ssl, settings=_quiet())
    # Chroma offers no way to say it, and without it a server that hangs would hang us for good.
    client._server._session.timeout = httpx.Timeout(ANSWER_S, connect=CONNECT_S)
    return client


def close(client: Any) -> None:
    with _opening:
        client.close()


def _quiet() -> Any:
    from chromadb.config import Settings

    return Settings(anonymized_telemetry=False)


def _address(url: str) -> tuple[str, int, bool]:
    """Host, port and whether it is encrypted."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
        raise SettingsError(
            f"{url!r} is not the address of a Chroma server.",
            why="It must look like http://127.0.0.1:8000, without a path.",
            mend="correct PERSONA_CHROMA_URL, or url under [chroma] in workspace.toml",
        )
    ssl = parts.scheme == "https"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return host, port or (443 if ssl else 8000), ssl


# Errors --------------------------------------------------------------------------------------------------------------


@contextmanager
def chroma_errors(place: Place) -> Iterator[None]:
    """Whatever Chroma throws inside leaves as a PersonaError; keep calls of our own outside."""
    import httpx
    from chromadb.errors import ChromaError

    try:
        yield
    except PersonaError:
        raise
    except httpx.HTTPError as error:
        raise _unreachable(place, error) from error
    except (ChromaError, ValueError, TypeError, RuntimeError, OSError) as error:
        raise _ours(place, error) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # how Rust's faults arrive, past `except Exception`
            raise
        raise _ours(place, error) from error


def how_to_start(url: str) -> str:
    """The command that starts the server of this address."""
    host, port, _ = _address(url)
    return f"chroma run --path DIR --host {host} --port {port}"


def _unreachable(place: Place, error: Exception) -> IndexUnreachable:
    return IndexUnreachable(
        f"The Chroma server at {place.url} does not answer.",
        why=f"{type(error).__name__}: {error}",
        mend=f"start it (`{how_to_start(place.url)}`, DIR being where it keeps its data) and run the same command again, "
        "or unset PERSONA_CHROMA_URL to keep the index in the workspace",
    )


def _ours(place: Place, error: BaseException) -> PersonaError:
    from chromadb.errors import NotFoundError

    why = f"Chroma says: {error}".rstrip(".") + "."
    said = str(error).lower()
    if place.url and "could not connect" in said:
        return _unreachable(place, ConnectionError(str(error)))
    if isinstance(error, NotFoundError):
        return WorkspaceMissing(f"There is no finished persona index in {place.said}.", why=why, mend=place.mend)
    if "disk is full" in said or "no space left" in said:
        return no_room(place.said)
    if "readonly database" in said:
        return WorkspaceUnwritable(f"{place.said} cannot be written.", why=why, mend=f"give yourself write access, then {place.mend}")
    return ArtefactBroken(f"The persona index in {place.said} cannot be used.", why=why, mend=place.mend)
