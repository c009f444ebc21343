"""The index holds every persona, answers as the exact matrix does, and is made again without redoing the personas."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from persona_core.doctor import examine
from persona_core.errors import ArtefactBroken, WorkspaceMissing
from persona_core.personas.files import PERSONAS, VECTORS, read_personas, read_vectors, write_personas_file, write_vectors
from persona_core.personas.index import FOLDER, build_index, missing_on_server, open_index, open_matrix
from persona_core.personas.steps import INDEX_STEP
from persona_core.pipeline import Counts, Pipeline, Step, StepContext
from persona_core.schema import Persona, Quote, Stance
from persona_core.steps import pipeline_of
from persona_core.text.encoder import DIMENSION
from persona_core.workspace import Workspace
from tests.support.server import free_port
from tests.support.stores import CHROMA, chroma_serving, same, units
from tests.support.worlds import build_from, write_tiny_world
from tests.text import one_thread  # noqa: F401 - a fixture that works by being here

pytestmark = pytest.mark.xdist_group("chroma")
ASKED = np.random.default_rng(5).normal(size=(4, DIMENSION))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The tiny world, built; nobody changes it."""
    folder = tmp_path_factory.mktemp("index")
    return build_from(write_tiny_world(folder / "tiny"), folder / "workspace")


# Personas of our own, without an encoder -------------------------------------------------------------------------------


def personas_of(number: int) -> list[Persona]:
    quote = Quote(review_id="r", start=0, end=2, text="It")
    return [
        Persona(
            id=f"i{n % 5}:p{n}", item_id=f"i{n % 5}", name=f"Person {n}", description="d", rationale="r",
            stance=list(Stance)[n % 3], weight=0.5, quotes=(quote,),
        )
        for n in range(number)
    ]  # fmt: skip


def hand_made(place: Workspace, number: int) -> Pipeline:
    """A build of the index over so many personas with made-up vectors; another number is another version."""

    def write(context: StepContext) -> Counts:
        write_personas_file(context.file(PERSONAS), personas_of(number))
        vectors = units(np.random.default_rng(number).normal(size=(number, DIMENSION)))
        write_vectors(context.file(VECTORS), vectors)
        return {"personas": number}

    def index(context: StepContext) -> Counts:
        return build_index(context, {f"i{n}": "kitchen" for n in range(5)})

    made = Step(
        name="personas", title="Making personas", reads=(), writes=(PERSONAS, VECTORS), run=write, code=(),
        sources=lambda _: {"number": str(number)},
    )  # fmt: skip
    return Pipeline([made, replace(INDEX_STEP, reads=("personas",), run=index, code=())], place)


def versions(place: Workspace) -> set[str]:
    return {entry.name for entry in (place.root / FOLDER).iterdir()}


def index_state(pipeline: Pipeline) -> tuple[str, str]:
    index = next(one for one in pipeline.status() if one.step.name == "index")
    return index.state, index.why


# The tiny world --------------------------------------------------------------------------------------------------------


def test_the_index_holds_every_persona(tiny: Workspace) -> None:
    personas = read_personas(tiny.artefact("personas").file(PERSONAS))
    assert personas
    for opened in (open_index, open_matrix):
        store = opened(tiny)
        assert store.count() == len(personas)
        assert store.dimension == DIMENSION
        hits = store.nearest(ASKED[0], 100)
        assert {hit.item_id for hit in hits} == {one.item_id for one in personas}
        assert {hit.persona_id for hit in hits} <= {one.id for one in personas}
        store.close()


def test_the_index_and_the_matrix_find_the_same_items(tiny: Workspace) -> None:
    index, matrix = open_index(tiny), open_matrix(tiny)
    own = read_vectors(tiny.artefact("personas").file(VECTORS))
    try:
        for asked in [*ASKED, *own[:3]]:
            for k in (1, 3, 50):
                here, there = index.nearest(asked, k), matrix.nearest(asked, k)
                assert [hit.cosine for hit in here] == pytest.approx([hit.cosine for hit in there], abs=1e-5)
            best = {hit.item_id: hit.cosine for hit in matrix.nearest(asked, 50)}
            assert {hit.item_id: pytest.approx(hit.cosine, abs=1e-5) for hit in index.nearest(asked, 50)} == best
    finally:
        index.close()


def test_every_step_of_the_tiny_world_is_done(tiny: Workspace) -> None:
    assert {one.state for one in pipeline_of(tiny).status()} == {"done"}


def test_a_lost_index_is_made_again_without_redoing_the_personas(tiny: Workspace, tmp_path: Path) -> None:
    place = Workspace.at(shutil.copytree(tiny.root, tmp_path / "copy"))
    before = {name: place.artefact(name).manifest.created for name in ("aspects", "personas")}
    shutil.rmtree(place.root / FOLDER)
    state, why = index_state(pipeline_of(place))
    assert state == "broken"
    assert why.endswith("is gone.")
    assert str(place.root / FOLDER) in why
    with pytest.raises(ArtefactBroken) as broken:
        open_index(place)
    assert f"build --only index --workspace {place.root}" in broken.value.mend
    asked = open_matrix(place).nearest(ASKED[0], 5)
    pipeline_of(place).build(only="index")
    assert index_state(pipeline_of(place)) == ("done", "")
    assert {name: place.artefact(name).manifest.created for name in before} == before
    index = open_index(place)
    assert [hit.cosine for hit in index.nearest(ASKED[0], 5)] == pytest.approx([hit.cosine for hit in asked], abs=1e-5)
    index.close()


# Versions --------------------------------------------------------------------------------------------------------------


def test_the_index_and_the_matrix_agree_hit_for_hit(workspace: Workspace) -> None:
    hand_made(workspace, 60).build()
    index, matrix = open_index(workspace), open_matrix(workspace)
    for asked in ASKED:
        same(index.nearest(asked, 5), matrix.nearest(asked, 5))
        same(index.nearest(asked, 5, stances=["suits"]), matrix.nearest(asked, 5, stances=["suits"]))
        assert index.score(asked, ["i1", "none"]).keys() == matrix.score(asked, ["i1", "none"]).keys() == {"i1"}
    index.close()


def test_only_so_many_versions_stay(workspace: Workspace) -> None:
    for number in (5, 6, 7, 8):
        hand_made(workspace, number).build()
        assert len(versions(workspace)) == min(2, number - 4)
    index = open_index(workspace)
    assert index.count() == 8
    index.close()


def test_an_index_opened_before_a_rebuild_keeps_answering(workspace: Workspace) -> None:
    hand_made(workspace, 20).build()
    old = open_index(workspace)
    before = old.nearest(ASKED[0], 5)
    hand_made(workspace, 21).build()
    new = open_index(workspace)
    assert (old.count(), new.count()) == (20, 21)
    same(old.nearest(ASKED[0], 5), before)
    assert new.nearest(ASKED[0], 5) != before
    old.close()
    new.close()


def test_what_is_up_to_date_is_not_built_again(workspace: Workspace) -> None:
    hand_made(workspace, 9).build()
    built = workspace.artefact("index").manifest.created
    hand_made(workspace, 9).build()
    assert workspace.artefact("index").manifest.created == built


def test_going_back_to_the_version_before_takes_it_over(workspace: Workspace) -> None:
    for number in (9, 10, 9):
        hand_made(workspace, number).build()
    index = open_index(workspace)
    assert index.count() == 9
    index.close()


def test_the_version_that_was_in_use_stays_after_going_back(workspace: Workspace) -> None:
    hand_made(workspace, 9).build()
    in_use = versions(workspace)
    for number in (10, 9):
        hand_made(workspace, number).build()
    hand_made(workspace, 11).build()
    assert in_use <= versions(workspace)


def test_no_personas_are_an_index_too(workspace: Workspace) -> None:
    hand_made(workspace, 0).build()
    index = open_index(workspace)
    assert index.count() == 0
    assert index.nearest(ASKED[0], 3) == open_matrix(workspace).nearest(ASKED[0], 3) == []
    index.close()


def test_a_database_that_is_gone_is_told_and_made_again(workspace: Workspace) -> None:
    pipeline = hand_made(workspace, 9)
    pipeline.build()
    (version,) = versions(workspace)
    (workspace.root / FOLDER / version / "chroma.sqlite3").unlink()
    assert index_state(pipeline)[0] == "broken"
    with pytest.raises((ArtefactBroken, WorkspaceMissing)) as broken:
        open_index(workspace)
    assert "build --only index" in broken.value.mend


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _without_some(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("DELETE FROM embeddings WHERE rowid % 2")


def _without_vectors(file: Path) -> None:
    """What Chroma has moved out of its database into files of its own, and these are gone."""
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("DELETE FROM embeddings_queue")
    for one in file.parent.iterdir():
        if one.is_dir():
            shutil.rmtree(one)


@pytest.mark.parametrize(
    ("hurt", "says"),
    [
        (_cut, "cannot be read"),
        (_without_some, "holds 4 of 9 personas"),
        (_without_vectors, "is gone"),
        (lambda file: file.write_bytes(b"no database" * 999), "cannot be read"),
    ],
)
def test_a_damaged_index_is_noticed_and_mended_by_the_command_that_is_told(
    hurt: Callable[[Path], object], says: str, workspace: Workspace
) -> None:
    pipeline = hand_made(workspace, 9)
    pipeline.build()
    (version,) = versions(workspace)
    hurt(workspace.root / FOLDER / version / "chroma.sqlite3")
    state, why = index_state(pipeline)
    assert state == "broken"
    assert says in why
    pipeline.build(only="index")
    assert index_state(pipeline) == ("done", "")
    index = open_index(workspace)
    assert len(index.nearest(ASKED[0], 9)) == 5
    index.close()


def test_to_look_at_an_index_changes_nothing(workspace: Workspace) -> None:
    pipeline = hand_made(workspace, 9)
    pipeline.build()
    files = [file for file in (workspace.root / FOLDER).rglob("*") if file.is_file()]
    before = {file: (file.stat().st_mtime_ns, file.read_bytes()) for file in files}
    assert index_state(pipeline) == ("done", "")
    assert {file: (file.stat().st_mtime_ns, file.read_bytes()) for file in files} == before


@pytest.mark.skipif(CHROMA is None, reason="Chroma's own server is not here")
def test_a_server_that_lost_its_data_is_noticed_and_gets_them_again(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv("PERSONA_CHROMA_URL", f"http://127.0.0.1:{port}")
    pipeline = hand_made(workspace, 9)
    for name in ("full", "empty"):
        (tmp_path / name).mkdir()
    with chroma_serving(tmp_path / "full", port):
        pipeline.build()
        assert missing_on_server(workspace, workspace.artefact("index")) == ""
    assert missing_on_server(workspace, workspace.artefact("index")) == "", "nobody can say while it is away"
    with chroma_serving(tmp_path / "empty", port):
        assert "no finished persona index" in missing_on_server(workspace, workspace.artefact("index"))
        assert [one.mend for one in examine(workspace) if one.name == "chroma" and one.health == "trouble"] == [
            workspace.command("build --only index")
        ]
        pipeline.build(only="index")
        index = open_index(workspace)
        assert index.count() == 9
        index.close()


def test_a_database_that_is_gone_is_mended_by_the_command_that_is_told(workspace: Workspace) -> None:
    pipeline = hand_made(workspace, 9)
    pipeline.build()
    (version,) = versions(workspace)
    (workspace.root / FOLDER / version / "chroma.sqlite3").unlink()
    pipeline.build(only="index")
    assert index_state(pipeline) == ("done", "")


def test_without_a_build_there_is_nothing_to_open(workspace: Workspace) -> None:
    for opened in (open_index, open_matrix):
        with pytest.raises(WorkspaceMissing):
            opened(workspace)
