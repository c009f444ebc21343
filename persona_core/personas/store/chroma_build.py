"""Writes a Chroma index: into a new folder, or as a new collection on a server."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from persona_core.personas.store.checks import check_rows
from persona_core.personas.store.chroma_client import (
    Place,
    ServerPlace,
    chroma_errors,
    close,
    embedded_client,
    server_client,
)
from persona_core.personas.store.chroma_names import COLLECTION, collection_name, server_said
from persona_core.personas.store.protocol import BUILD, Matrix, StoredPersona

BATCH = 1_000
"""Small enough for a server's limit on one request, whatever get_max_batch_size() would allow."""
INDEX = {"hnsw": {"space": "cosine", "ef_construction": 200, "ef_search": 1600}}
"""The space cannot be changed later, and the default is not cosine. A search this wide costs little more than one of 100
and finds nearly all (benchmarks/store.py)."""

Tell = Callable[[int, int], None]


def build_embedded(
    folder: Path, personas: Sequence[StoredPersona], matrix: Matrix, model: str, *, tell: Tell | None = None, mend: str = BUILD
) -> None:
    """Fills `folder`, which must be new or left behind by a build that was stopped; swapping it in is the caller's."""
    check_rows(personas, matrix)
    _clear(folder)
    folder.mkdir(parents=True, exist_ok=True)
    place = Place(str(folder), mend)
    with chroma_errors(place):
        client = embedded_client(folder)
    try:
        _fill(client, COLLECTION, {}, personas, matrix, model, tell, place)
    finally:
        close(client)


def build_on_server(
    where: ServerPlace,
    personas: Sequence[StoredPersona],
    matrix: Matrix,
    model: str,
    *,
    tell: Tell | None = None,
    mend: str = BUILD,
) -> None:
    """Makes the collection of this version; of the workspace's others, only the one before is kept, for its readers."""
    check_rows(personas, matrix)
    place, name = Place(server_said(where), mend, where.url), collection_name(where)
    with chroma_errors(place):
        client = server_client(place)
    try:
        with chroma_errors(place):
            others = [one for one in _of_workspace(client, where.workspace) if one.name != name]
            if any(one.name == name for one in client.list_collections()):
                client.delete_collection(name)
        built = max([time.time_ns(), *(one.metadata["built"] + 1 for one in others)])
        said = {"workspace": where.workspace, "version": where.version, "built": built}
        _fill(client, name, said, personas, matrix, model, tell, place)
        with chroma_errors(place):
            for old in _out_of_use(others):
                client.delete_collection(old.name)
    finally:
        close(client)


def _fill(
    client: Any,
    name: str,
    said: dict[str, str | int],
    personas: Sequence[StoredPersona],
    matrix: Matrix,
    model: str,
    tell: Tell | None,
    place: Place,
) -> None:
    described = {**said, "model": model, "dimension": int(matrix.shape[1]), "personas": len(personas)}
    with chroma_errors(place):
        collection = client.create_collection(
            name, configuration=INDEX, embedding_function=None, metadata={**described, "complete": False}
        )
        step = min(BATCH, client.get_max_batch_size())
    for start in range(0, len(personas), step):
        part = personas[start : start + step]
        with chroma_errors(place):
            collection.add(
                ids=[one.id for one in part], embeddings=matrix[start : start + step], metadatas=[_said(one) for one in part]
            )
        if tell is not None:
            tell(start + len(part), len(personas))
    with chroma_errors(place):
        collection.modify(metadata={**described, "complete": True})


def _said(persona: StoredPersona) -> dict[str, str]:
    return {"item": persona.item_id, "scenario": persona.scenario, "stance": persona.stance, "name": persona.name}


def _of_workspace(client: Any, workspace: str) -> list[Any]:
    return [one for one in client.list_collections() if (one.metadata or {}).get("workspace") == workspace]


def _out_of_use(others: Sequence[Any]) -> list[Any]:
    """All but the newest finished one."""
    finished = [one for one in others if one.metadata.get("complete") is True]
    before = max(finished, key=lambda one: one.metadata["built"], default=None)
    return [one for one in others if before is None or one.name != before.name]


def _clear(folder: Path) -> None:
    """Removes what a stopped build left; a folder with anything else in it is somebody's and is refused."""
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not (folder / "chroma.sqlite3").is_file():
        raise ValueError(f"{folder} holds other things than an index; name a folder that is new")
    shutil.rmtree(folder)
