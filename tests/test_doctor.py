"""The doctor finds what is wrong and names the command that mends it; without Ollama everything is still well."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner

from persona_core import doctor
from persona_core.cli import main
from persona_core.workspace import Workspace


def found(place: Workspace) -> dict[str, doctor.Finding]:
    return {one.name: one for one in doctor.examine(place)}


def test_all_is_well_but_for_ollama(built_tiny: Workspace) -> None:
    findings = found(built_tiny)
    assert {name for name, one in findings.items() if one.health != "ok"} == {"ollama"}
    assert findings["ollama"].health == "note"
    assert "ollama serve" in findings["ollama"].mend


def test_a_fresh_machine_is_healthy(workspace: Workspace) -> None:
    result = CliRunner().invoke(main, ["doctor", "--workspace", str(workspace.root), "--json"])
    assert result.exit_code == 0
    report = json.loads(result.stdout.splitlines()[-1])
    assert report["healthy"] is True
    by_name = {one["name"]: one for one in report["checks"]}
    assert by_name["workspace"]["health"] == "note"
    assert "build --from demo" in by_name["workspace"]["mend"]


def test_a_damaged_artefact_is_trouble_with_its_command(built_tiny: Workspace) -> None:
    built_tiny.artefact("overview").file("overview.json").unlink()
    result = CliRunner().invoke(main, ["doctor", "--workspace", str(built_tiny.root)])
    assert result.exit_code == 1
    assert f"build --only overview --workspace {built_tiny.root}" in result.stdout


def test_a_bad_setting_is_trouble_and_the_rest_is_still_looked_at(built_tiny: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA_SEDE", "1")
    findings = found(built_tiny)
    assert findings["settings"].health == "trouble"
    assert findings["python"].health == "ok"


def test_a_wrong_package_version_is_named(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.0.1" if name == "click" else "none")
    finding = found(workspace)["packages"]
    assert "click is 0.0.1" in finding.says
    assert finding.mend == "pip install -r requirements.txt"


def test_little_disk_is_trouble(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("persona_core.doctor.LEAST_DISK", 2**60)
    assert found(workspace)["disk"].health == "trouble"


def test_a_folder_that_cannot_be_written_is_said_with_the_command(built_tiny: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)
    disks = [one for one in doctor.examine(built_tiny) if one.name == "disk"]
    assert [one.health for one in disks] == ["ok", "note"]
    assert disks[1].mend == f"chmod -R u+rwX {built_tiny.root}"


def test_missing_demo_files_are_trouble(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("persona_core.doctor.DEMO_DATA", workspace.root)
    assert found(workspace)["demo world"].mend == "python -m demo_world"


def test_a_dead_index_server_is_trouble(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA_CHROMA_URL", "http://127.0.0.1:9")
    assert "no server answers" in found(workspace)["chroma"].says


@pytest.fixture
def ollama_with_one_model() -> Iterator[str]:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"models": [{"model": "tiny:1b", "name": "tiny:1b"}], "version": "0"}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Answers)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_ollama_is_named_with_its_models(workspace: Workspace, ollama_with_one_model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA_OLLAMA_HOST", ollama_with_one_model)
    monkeypatch.setenv("PERSONA_OLLAMA_MODEL", "tiny:1b")
    assert found(workspace)["ollama"].health == "ok"
    monkeypatch.setenv("PERSONA_OLLAMA_MODEL", "other:7b")
    assert found(workspace)["ollama"].mend == "ollama pull other:7b"


def test_a_doctor_that_cannot_look_says_so(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def ill() -> Iterator[doctor.Finding]:
        raise RuntimeError("dizzy")
        yield

    monkeypatch.setattr(doctor, "_python", ill)
    assert "dizzy" in found(workspace)["doctor"].says


def test_the_studies_database_is_looked_at_where_one_is_named(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "studies" not in found(workspace)
    monkeypatch.setenv("PERSONA_STUDY_DATABASE", f"sqlite:///{tmp_path}/studies.sqlite")
    assert found(workspace)["studies"].health == "ok"
    monkeypatch.setenv("PERSONA_STUDY_DATABASE", "postgresql+psycopg://me:hunter2@127.0.0.1:9/study")
    finding = found(workspace)["studies"]
    assert finding.health == "trouble"
    assert "PERSONA_STUDY_DATABASE" in finding.mend
    assert "hunter2" not in finding.says
