"""The command line: every command's last line is JSON when asked, every error helps, and the exit status is true."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from persona_core.cli import main
from persona_core.steps import STEPS
from persona_core.workspace import Workspace
from tests.support import worlds


def ran(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def last_line(result: Result) -> Any:
    return json.loads(result.stdout.splitlines()[-1])


def test_reading_the_demo_world_ends_with_a_summary(workspace: Workspace) -> None:
    result = ran("ingest", "--from", "demo", "--workspace", workspace.root, "--json")
    assert result.exit_code == 0
    summary = last_line(result)
    assert summary["steps"][0]["counts"]["items"] >= 150
    assert summary["seconds"] > 0
    assert "rows could not be used" in result.stderr
    assert "rejected.jsonl" in result.stderr


def test_ingest_only_reads(tiny_world: Path, workspace: Workspace) -> None:
    result = ran("ingest", "--from", tiny_world, "--workspace", workspace.root, "--json")
    assert [one["step"] for one in last_line(result)["steps"]] == ["catalog"]


def test_a_second_build_needs_no_source_and_does_nothing(built_tiny: Workspace) -> None:
    result = ran("build", "--workspace", built_tiny.root)
    assert result.exit_code == 0
    assert result.stderr.count("up to date") == len(STEPS)


@pytest.mark.parametrize(("number", "says"), [(28, "no room left"), (5, "The system could not do it")])
def test_an_error_of_the_system_is_worded_too(
    number: int, says: str, tiny_world: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(number, "as the system says")

    monkeypatch.setattr("persona_core.catalog.choose.save_source", full)
    result = ran("build", "--from", tiny_world, "--workspace", workspace.root)
    assert result.exit_code == 1
    assert says in result.stderr
    assert "To mend it: " in result.stderr


def test_status_shows_each_step_and_why(built_tiny: Workspace) -> None:
    (built_tiny.step_folder("overview") / "current").unlink()
    result = ran("status", "--workspace", built_tiny.root)
    assert result.exit_code == 0
    assert "catalog" in result.stdout
    assert "missing" in result.stdout
    assert f"build --workspace {built_tiny.root}" in result.stdout
    states = [one["state"] for one in last_line(ran("status", "--workspace", built_tiny.root, "--json"))["steps"]]
    assert dict(zip([one.name for one in STEPS], states, strict=True)) == {
        one.name: "missing" if one.name == "overview" else "done" for one in STEPS
    }


def test_build_without_data_says_how_to_name_some(workspace: Workspace) -> None:
    result = ran("build", "--workspace", workspace.root, "--json")
    assert result.exit_code == 1
    assert "--from demo" in result.stderr
    assert last_line(result)["error"] == "WorkspaceMissing"


def test_flags_about_data_without_data_are_refused(workspace: Workspace) -> None:
    result = ran("build", "--workspace", workspace.root, "--map", "user=who")
    assert result.exit_code == 1
    assert "--map says how to read data, but no data is named" in result.stderr


def test_a_mapped_table_is_built_from_flags_alone_and_remembered(tmp_path: Path, workspace: Workspace) -> None:
    options = worlds.table(tmp_path, "csv")
    flags = [part for pair in options["columns"] for part in ("--map", pair)]
    first = ran("ingest", "--from", options["source"], *flags, "--scenario", "shop", "--workspace", workspace.root, "--json")
    assert first.exit_code == 0, first.stderr
    assert "[source.columns]" in (workspace.root / "workspace.toml").read_text()
    again = ran("build", "--workspace", workspace.root, "--json")
    assert [one["step"] for one in last_line(again)["steps"]] == [one.name for one in STEPS]


def test_a_missing_column_ends_with_the_flag_to_use(tmp_path: Path, workspace: Workspace) -> None:
    options = worlds.table(tmp_path, "csv")
    result = ran("build", "--from", options["source"], "--map", "user=nobody", "--workspace", workspace.root)
    assert result.exit_code == 1
    assert "--map item=COLUMN" in result.stderr


def test_an_unknown_step_lists_those_there_are(built_tiny: Workspace) -> None:
    result = ran("build", "--only", "magic", "--workspace", built_tiny.root)
    assert result.exit_code == 1
    assert ", ".join(one.name for one in STEPS) in result.stderr


def test_a_bad_setting_is_named_whatever_the_command(built_tiny: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA_SEDE", "1")
    for command in ("build", "status"):
        result = ran(command, "--workspace", built_tiny.root)
        assert result.exit_code == 1
        assert "PERSONA_SEDE" in result.stderr


@pytest.mark.parametrize("command", ["", "ingest", "build", "status", "doctor"])
def test_help_is_there_for_a_stranger(command: str) -> None:
    result = ran(*([command] if command else []), "--help")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) > 5
    if command:
        assert "--workspace DIR" in result.stdout
        assert "--json" in result.stdout


def test_the_workspace_can_be_named_by_the_environment(built_tiny: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA_WORKSPACE", str(built_tiny.root))
    assert last_line(ran("status", "--json"))["workspace"] == str(built_tiny.root)


def test_it_runs_as_a_module(built_tiny: Workspace) -> None:
    command = [sys.executable, "-m", "persona_core", "status", "--workspace", str(built_tiny.root), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1])["steps"][0]["state"] == "done"
