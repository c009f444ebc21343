"""The whole deployment on the loopback, out of compose.yaml: built, served, taking part, looked at, handed over, backed up."""

from __future__ import annotations

import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchmarks.app_others import Person
from persona_core import doctor
from persona_core.personas.index import open_index
from persona_core.study.store import StoreUnavailable, StudyStore
from persona_core.study.writing import as_file
from persona_core.workspace import Workspace
from tests.personas.with_model.mind import Mind
from tests.study.made import study
from tests.support import postgres
from tests.support.compose import SECRETS
from tests.support.deployment import Deployment, OutsideDocker, database
from tests.support.ollama_stand_in import OllamaStandIn
from tests.support.server import free_port
from tests.support.stores import CHROMA
from tests.support.worlds import write_tiny_world

pytestmark = [
    pytest.mark.skipif(bool(postgres.why_not()), reason=postgres.why_not()),
    pytest.mark.skipif(CHROMA is None, reason="the executable `chroma` is not on the PATH; it comes with pip install chromadb"),
    pytest.mark.xdist_group("deployment"),
]
MODEL = "qwen3:4b"
STUDY = study(id="together")


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Everything up, in the order in which compose would start it, and the tiny world built."""
    folder = tmp_path_factory.mktemp("deployment")
    with ExitStack() as stack:
        found = Deployment(folder, stack.enter_context(OllamaStandIn(Mind(), models=(MODEL,))), "together.toml")
        stack.enter_context(database(found))
        stack.enter_context(found.up("chroma"))
        found.home["data"] = write_tiny_world(folder / "tiny")
        build = [str(found.home["data"]) if word == "demo" else word for word in found.file["build"]["command"]]
        built = found.once("build", *build)
        assert built.returncode == 0, built.stderr
        (found.home["workspace"] / "studies").mkdir()
        (found.home["workspace"] / "studies" / "together.toml").write_text(as_file(STUDY), "utf-8")
        stack.enter_context(found.up("app"))
        stack.enter_context(found.up("study"))
        yield found


@pytest.fixture
def place(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    for name, value in deployment.environment("build").items():
        if name.startswith(("PERSONA_", "PG")):
            monkeypatch.setenv(name, value)
    return Workspace.at(deployment.home["workspace"])


@pytest.fixture
def store(deployment: Deployment, place: Workspace) -> Iterator[StudyStore]:
    opened = StudyStore(deployment.database())
    yield opened
    opened.close()


def test_the_index_lies_on_the_server(place: Workspace, deployment: Deployment) -> None:
    assert place.artefact("index").manifest.counts["in"] == f"chroma at {deployment.address('chroma')}"
    assert not (place.root / "chroma").exists()
    index = open_index(place)
    assert index.count() == place.artefact("personas").manifest.counts["personas"] > 0
    index.close()


def test_the_model_was_asked_where_the_file_says(place: Workspace, deployment: Deployment) -> None:
    assert place.artefact("personas").manifest.counts["by"] == MODEL
    assert deployment.ollama.requests


def test_the_app_is_well_and_serves_its_pages(deployment: Deployment) -> None:
    with urllib.request.urlopen(f"{deployment.address('app')}/_stcore/health", timeout=5) as answer:
        assert answer.read() == b"ok"
    somebody = Person(deployment.address("app"), "u1")
    somebody.open("")
    assert "Take the tour" in somebody.buttons
    somebody.close()
    assert "external IP" not in deployment.log("app").read_text(), "it asked the internet where it is"


def test_what_a_participant_does_goes_to_postgresql(deployment: Deployment, store: StudyStore) -> None:
    somebody = Person(deployment.address("study"), "anybody")
    somebody.open("")
    assert "Take the tour" not in somebody.buttons
    somebody.press("Begin")
    somebody.tick(STUDY.word("agree"))
    somebody.press(STUDY.word("start"))
    somebody.close()
    came = store.participants(STUDY.id)
    kinds = [event.kind for event in store.events(came[-1])]
    assert kinds[0] == "arrived"
    assert "done" in kinds
    assert (
        not list(deployment.home["workspace"].rglob("*.sqlite*"))
        or not (deployment.home["workspace"] / "studies" / "studies.sqlite").exists()
    )


def test_the_database_lets_nobody_in_without_the_password(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ("", "guess"):
        monkeypatch.setenv("PGPASSWORD", wrong)
        with pytest.raises(StoreUnavailable, match="cannot be used"):
            StudyStore(deployment.database())


def test_the_doctor_finds_every_piece_well(deployment: Deployment) -> None:
    found = deployment.once("doctor")
    assert found.returncode == 0, found.stdout
    assert f"a server answers at {deployment.address('chroma')}" in found.stdout
    assert f"reachable at {deployment.ollama.url} with {MODEL}" in found.stdout
    assert "@127.0.0.1" in found.stdout
    assert SECRETS["DATABASE_PASSWORD"] not in found.stdout


def test_an_index_server_that_lost_everything_is_filled_again(deployment: Deployment, place: Workspace) -> None:
    index = open_index(place)
    index._client.delete_collection(index._collection.name)  # type: ignore[attr-defined]
    index.close()
    ill = {one.name: one for one in doctor.examine(place)}["chroma"]
    assert (ill.health, ill.mend) == ("trouble", place.command("build --only index"))
    again = deployment.once("build", "python", "-m", "persona_core", "build", "--only", "index")
    assert again.returncode == 0, again.stderr
    assert {one.name: one for one in doctor.examine(place)}["chroma"].health == "ok"


def test_another_machine_takes_it_over_by_publishing(deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = deployment.once("publish")
    assert sent.returncode == 0, sent.stderr
    monkeypatch.setitem(deployment.home, "workspace", tmp_path / "elsewhere")
    came = deployment.once("fetch")
    assert came.returncode == 0, came.stderr
    there = Workspace.at(tmp_path / "elsewhere")
    index = open_index(there)  # the very collection on the server, though this folder has another name
    assert index.count() > 0
    index.close()


def test_what_is_backed_up_comes_back(deployment: Deployment, store: StudyStore, tmp_path: Path) -> None:
    """By the commands that the README names."""
    participant, _ = store.enrol("backup", "content")
    store.append(participant, "noted", {"said": "before the backup"}, "one")
    given = deployment.environment("postgres") | {"PGPASSWORD": SECRETS["DATABASE_PASSWORD"]}
    where = ["--host=127.0.0.1", f"--port={deployment.ports['postgres']}", "--username=study"]
    dump = tmp_path / "studies.dump"

    def run(program: str, *words: str | Path) -> None:
        subprocess.run([postgres.program(program), *where, *words], env=given, check=True, capture_output=True)

    run("pg_dump", "--format=custom", f"--file={dump}", "study")
    run("createdb", "again")
    run("pg_restore", "--exit-on-error", "--dbname=again", dump)
    again = StudyStore(deployment.database().removesuffix("/study") + "/again")
    assert [(one.key, one.payload) for one in again.events(participant)] == [("one", {"said": "before the backup"})]
    assert again.signature("a code") == store.signature("a code")  # invitations that were sent stay good
    again.close()


@pytest.mark.parametrize("name", ["app", "study", "chroma", "postgres"])
def test_each_is_still_well_by_its_own_check(name: str, deployment: Deployment) -> None:
    assert deployment.healthy(name)


def test_a_check_notices_when_its_service_is_gone(deployment: Deployment, tmp_path: Path) -> None:
    """Each by the same command, against a port at which nobody listens."""
    for name in ("app", "chroma", "postgres"):
        nobody = OutsideDocker(deployment.here(name).places | {word: str(free_port()) for word in ("8501", "8000", "5432")})
        check = nobody.words(deployment.file[name]["healthcheck"]["test"][1:])
        assert subprocess.run(check, env=deployment.environment(name), capture_output=True, check=False).returncode != 0
