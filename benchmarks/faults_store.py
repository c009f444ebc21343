"""Faults around the stores: Chroma's folder and its server, two builders, readers while a version is swapped, a study's database."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.faults_build import NOTHING, PLAIN, look, phases
from benchmarks.faults_ground import Bench, Person, Row, built_by, commands_in, first_line, message
from benchmarks.study_faults import faults as study_faults
from persona_core.errors import PersonaError
from persona_core.personas.index import FOLDER, open_index
from tests.support.server import free_port
from tests.support.stores import CHROMA, chroma_serving
from tests.support.worlds import write_tiny_world

SENT_AGAIN = "send it again"
SERVED = "served"
"""The world whose index lies on a server of Chroma's."""


def rows(bench: Bench) -> Iterator[Row]:
    for name, hurt in FOLDERS[: 1 if bench.quick else None]:
        yield _folder(bench, name, hurt)
    if CHROMA is not None and not bench.quick:
        yield from server_gone(bench)
    if not bench.quick:
        yield two_builders(bench)
        yield from reader_during_swaps(bench)
        yield from of_studies(bench)


# Chroma's folder ---------------------------------------------------------------------------------------------------------


def _index(person: Person) -> Path:
    return next(one for one in (person.place.root / FOLDER).iterdir() if one.is_dir())


def _cut_database(person: Person) -> None:
    file = _index(person) / "chroma.sqlite3"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _other_database(person: Person) -> None:
    (_index(person) / "chroma.sqlite3").write_bytes(b"this was a database once" * 1000)


def _without_rows(person: Person) -> None:
    """As if it had been written by a build that did not end, or by another version."""
    import sqlite3

    with sqlite3.connect(_index(person) / "chroma.sqlite3") as database:
        for table in ("embeddings", "embeddings_queue"):
            database.execute(f"DELETE FROM {table} WHERE rowid % 2")  # nosec B608 # the names are ours


def _without_vectors(person: Person) -> None:
    for one in _index(person).iterdir():
        if one.is_dir():
            shutil.rmtree(one)


FOLDERS: list[tuple[str, Callable[[Person], None]]] = [
    ("Chroma's database truncated", _cut_database),
    ("Chroma's database lacks rows", _without_rows),
    ("Chroma's database is rubbish", _other_database),
    ("Chroma's vectors gone", _without_vectors),
    ("Chroma's folder gone", lambda person: shutil.rmtree(person.place.root / FOLDER)),
]


def _folder(bench: Bench, name: str, hurt: Callable[[Person], None]) -> Row:
    """Recommendations do not need it; who asks the index, `status` and `doctor` must notice, and the command must mend."""
    person = bench.person(name, PLAIN)
    before = person.finished()
    hurt(person)
    asked = person.types("recommend", "u0", "--json")
    answers = asked.code == 0 and asked.json()["recommendations"] == bench.whole[PLAIN].answer
    found = look(person)
    if found is None:
        trouble = _asked_index(person)
        return Row(
            name, "steps", len(before), 0, None, "nothing", () if trouble else NOTHING, f"nobody notices; {trouble}" if trouble else ""
        )
    told = commands_in(message(found))
    person.obeys(told)
    trouble = _asked_index(person) or person.not_well(PLAIN) or ("" if answers else "recommendations need it")
    return Row(name, "steps", len(before), len(before.keys() - person.finished().keys()), None, first_line(found), told, trouble)


def _asked_index(person: Person) -> str:
    """What is wrong with asking the index; empty where it answers as it should."""
    import numpy as np

    try:
        store = open_index(person.place)
        try:
            found = store.nearest(np.ones(store.dimension, np.float32), 6)
        finally:
            store.close()
    except PersonaError as error:
        return f"{error.what} {error.why}"
    return "" if len(found) == 6 else f"it finds {len(found)} items of 6"


# Chroma's server ---------------------------------------------------------------------------------------------------------


def server_gone(bench: Bench) -> Iterator[Row]:
    folder, port = bench.folder("chroma server") / "data", free_port()
    folder.mkdir()
    person = bench.person("chroma server", PLAIN, PERSONA_CHROMA_URL=f"http://127.0.0.1:{port}")
    with chroma_serving(folder, port):
        said = person.types("build")
        before = person.finished()
        bench.whole[SERVED] = built_by(person)
    if said.code:
        yield Row("Chroma's server", "steps", 0, 0, None, first_line(said), (), "could not be built with it")
        return
    asked = person.types("recommend", "u0", "--json")
    trouble = "" if asked.code == 0 else first_line(asked)
    yield Row("Chroma's server gone: recommend", "steps", len(before), 0, None, "answers as before", NOTHING, trouble)
    yield _built_again(person, folder, port, before)
    yield _doctored(person, bench.folder("chroma empty"), port, before)


@contextmanager
def _started_by(person: Person, folder: Path, port: int) -> Iterator[None]:
    """`chroma run` starts it on this folder, whatever folder is named, and it ends with the fault."""
    open_servers: list[Any] = []

    def run(_: str) -> None:
        server = chroma_serving(folder, port)
        server.__enter__()
        open_servers.append(server)

    person.others["chroma run"] = run
    try:
        yield
    finally:
        for server in open_servers:
            server.__exit__(None, None, None)


def _built_again(person: Person, folder: Path, port: int, before: dict[str, str]) -> Row:
    """The index is to be built anew, and its server is away."""
    (person.place.step_folder("index") / "current").unlink()
    shutil.rmtree(person.place.step_folder("index"))
    said = person.types("build")
    told = commands_in(message(said))
    lost = len({name for name in before if name != "index"} - person.finished().keys())
    with _started_by(person, folder, port):
        person.obeys(told, ("build",))
        trouble = _asked_index(person) or person.not_well(SERVED)
    return Row("Chroma's server gone: build", "steps", len(before), lost, None, first_line(said), told, trouble)


def _doctored(person: Person, folder: Path, port: int, before: dict[str, str]) -> Row:
    """It comes back, but with an empty folder: all that it held is lost, and has to be put there again."""
    with chroma_serving(folder, port):
        found = look(person)
        if found is None:
            return Row(
                "Chroma's server lost its data",
                "steps",
                len(before),
                0,
                None,
                "nothing",
                (),
                f"nobody notices; {_asked_index(person)}",
            )
        told = commands_in(message(found))
        person.obeys(told)
        trouble = _asked_index(person) or person.not_well(SERVED)
    return Row("Chroma's server lost its data", "steps", len(before), 0, None, first_line(found), told, trouble)


# Two at once -------------------------------------------------------------------------------------------------------------


def two_builders(bench: Bench) -> Row:
    person = bench.person("two builders")
    first = person.starts(*person.build, "--progress", "json")
    while not first.ended and "catalog" not in phases(first):
        time.sleep(0.005)
    said = person.types("build")
    told = commands_in(message(said))
    one = first.wait()
    trouble = "" if one.code == 0 else first_line(one)
    finished = person.finished()
    person.obeys(told, ("build",))
    after = person.finished()
    lost = sum(after.get(name) != made for name, made in finished.items())
    trouble = trouble or ("" if said.code else "the second one was let in") or person.not_well(PLAIN)
    return Row("two builders at once", "steps", len(finished), lost, None, first_line(said), told, trouble, "waited for the other")


def reader_during_swaps(bench: Bench) -> Iterator[Row]:
    """Somebody asks for recommendations all the while that another builds, now from these data and now from those."""
    person = bench.person("reader during swaps", PLAIN)
    sources = [bench.source, write_tiny_world(person.place.root.parent / "more", 60)]
    asked, answers, seen = 0, [bench.whole[PLAIN].answer], list[Any]()
    stopped: dict[str, tuple[tuple[str, ...], str]] = {}
    for turn in range(4):
        words = ("build", "--from", str(sources[(turn + 1) % 2]), "--replace")
        builder = person.starts(*words, "--progress", "json")
        while not builder.ended:
            said, asked = person.types("recommend", "u0", "--json"), asked + 1
            if said.code:
                told = commands_in(message(said))
                ended = "" if builder.wait().code == 0 else "the builder did not end well"
                after = person.obeys(told, ("recommend", "u0"))
                stopped[first_line(said)] = told, ended or ("" if after and after[-1].code == 0 else "the command does not mend it")
            else:
                seen.append(said.json()["recommendations"])
        answers.append(person.types("recommend", "u0", "--json").json()["recommendations"])
    odd = sum(one not in answers for one in seen)
    trouble = f"{odd} answers of neither version" if odd else person.not_well(PLAIN)
    yield Row("reader while data change: answered", "answers", len(seen), odd, None, "answers, the old or the new", NOTHING, trouble)
    for saw, (told, trouble) in stopped.items():
        yield Row("reader while data change: stopped", "answers", asked, 0, None, saw, told, trouble, "waited for the builder")


# Studies -----------------------------------------------------------------------------------------------------------------


def of_studies(bench: Bench) -> Iterator[Row]:
    """The faults of benchmarks/study_faults.py: many writers, the disk, the database, the server restarted."""
    for found in study_faults(bench.folder("studies"), bench.quick):
        if found["fault"] == "nothing":
            continue
        saw = "The study's database cannot be used now." if found["refused"] else "nothing"
        told = (SENT_AGAIN,) if found["refused"] else NOTHING
        trouble = "" if found["stored"] >= found["acknowledged"] else "something is lost"
        name, lost = f"study in {found['database']}: {found['fault']}", found["lost"]
        yield Row(name, "events", found["acknowledged"], lost, None, saw, told, trouble)
