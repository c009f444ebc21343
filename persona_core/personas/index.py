"""The index of personas: a Chroma collection for those who ask it from outside or at scale, and the matrix the engine asks.

A new version is built beside the old one and pointed to when it is whole. The Chroma folder lies beside the steps, not in one:
Chroma writes to its files when they are merely opened, so they cannot be held to a checksum.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import orjson

from persona_core.errors import ArtefactBroken, PersonaError
from persona_core.files import digest, write_json
from persona_core.personas.files import PERSONAS, VECTORS, open_personas, read_vectors
from persona_core.personas.store import (
    Encoder,
    IndexUnreachable,
    MemoryStore,
    PersonaStore,
    ServerPlace,
    StoredPersona,
    build_embedded,
    build_on_server,
    open_store,
)
from persona_core.personas.store.chroma_look import what_is_wrong
from persona_core.personas.store.memory import PERSONAS as TABLE
from persona_core.personas.store.memory import VECTORS as MATRIX
from persona_core.pipeline import Counts, StepContext
from persona_core.text.encoder import DIMENSION, IDENTITY
from persona_core.workspace import Artefact, Workspace

PLACE = "index.json"
INDEX_FILES = (PLACE, TABLE, MATRIX)
FOLDER = "chroma"


def build_index(context: StepContext, scenario_of: dict[str, str]) -> Counts:
    made = context.inputs["personas"]
    personas = open_personas(made.file(PERSONAS))
    matrix = read_vectors(made.file(VECTORS))
    stored = [StoredPersona(one.id, one.item_id, scenario_of[one.item_id], str(one.stance), one.name) for one in personas]
    MemoryStore.of(stored, matrix, IDENTITY).save(context.folder)
    version = digest(f"{made.manifest.fingerprint} {context.settings.chroma.url}".encode())[:16]
    mend = context.workspace.command("build --only index")

    def tell(done: int, total: int) -> None:
        context.progress(done, total, "personas")

    url = context.settings.chroma.url
    if url:
        build_on_server(server_place(context.workspace, url, version), stored, matrix, IDENTITY, tell=tell, mend=mend)
    else:
        home = context.workspace.root / FOLDER
        shutil.rmtree(home / version, ignore_errors=True)  # whatever a stopped or damaged build left there
        build_embedded(home / version, stored, matrix, IDENTITY, tell=tell, mend=mend)
        _prune(home, {version, _version_now(context.workspace)})
    at_home = {"workspace": str(context.workspace.root)} if url else {}  # under which a server knows it, wherever it is read
    write_json(context.file(PLACE), {"version": version, "url": url, "personas": len(stored)} | at_home)
    return {"personas": len(stored), "in": f"chroma at {url}" if url else "chroma, embedded"}


def server_place(workspace: Workspace, url: str, version: str) -> ServerPlace:
    return ServerPlace(url=url, workspace=str(workspace.root), version=version)


def open_index(workspace: Workspace) -> PersonaStore:
    """The Chroma collection that the build left."""
    return _opened(workspace, workspace.artefact("index"))


def _opened(workspace: Workspace, artefact: Artefact) -> PersonaStore:
    place = orjson.loads(artefact.file(PLACE).read_bytes())
    expected = Encoder(IDENTITY, DIMENSION)
    mend = workspace.command("build --only index")
    if place["url"]:
        built_at = place.get("workspace", str(workspace.root))  # what its builder called it: the same folder may lie elsewhere here
        where = ServerPlace(place["url"], built_at, place["version"])
        return open_store("chroma", where, expected, mend=mend)
    folder = workspace.root / FOLDER / place["version"]
    if not folder.is_dir():
        raise ArtefactBroken("The index of personas is not there.", why=f"{folder} is gone.", mend=mend)
    return open_store("chroma", folder, expected, mend=mend)


def open_matrix(workspace: Workspace) -> PersonaStore:
    """The same personas as one matrix in memory: exact, and faster than the index up to some hundred thousand."""
    return open_store("memory", workspace.artefact("index").folder, Encoder(IDENTITY, DIMENSION))


def restore_index(workspace: Workspace, artefact: Artefact) -> None:
    """Makes the embedded Chroma index of a finished version again, where it is not there; a server keeps its own."""
    place = orjson.loads(artefact.file(PLACE).read_bytes())
    home, version = workspace.root / FOLDER, str(place["version"])
    if missing_index(workspace, artefact):
        stored, matrix = MemoryStore.open(artefact.folder, Encoder(IDENTITY, DIMENSION)).content()
        shutil.rmtree(home / version, ignore_errors=True)
        work = home / f".work-{version}"
        build_embedded(work, stored, matrix, IDENTITY, mend=workspace.command("fetch"))
        work.rename(home / version)
        _prune(home, {version, _version_now(workspace)})


def missing_index(workspace: Workspace, artefact: Artefact) -> str:
    """What is wrong with the embedded index; empty where nothing is. A server's is another matter."""
    place = orjson.loads(artefact.file(PLACE).read_bytes())
    return "" if place["url"] else what_is_wrong(workspace.root / FOLDER / str(place["version"]), int(place["personas"]))


def missing_on_server(workspace: Workspace, artefact: Artefact) -> str:
    """What is wrong with the index on a server; empty where nothing is, where it is embedded, or where the server is away."""
    if not orjson.loads(artefact.file(PLACE).read_bytes())["url"]:
        return ""
    try:
        _opened(workspace, artefact).close()
    except IndexUnreachable:
        return ""
    except PersonaError as error:
        return f"{error.what} {error.why}".strip()
    return ""


def _version_now(workspace: Workspace) -> str:
    """The version that readers may have open."""
    try:
        return str(orjson.loads(workspace.artefact("index").file(PLACE).read_bytes())["version"])
    except (PersonaError, OSError, ValueError, KeyError):
        return ""


def _prune(home: Path, keep: set[str]) -> None:
    for old in home.iterdir():
        if old.is_dir() and old.name not in keep:
            shutil.rmtree(old, ignore_errors=True)
