"""The study commands: a file that can be run as it is, a rehearsal, results, and a bundle that another machine takes over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from persona_core.cli import main
from persona_core.study.place import open_store
from persona_core.study.writing import as_file
from persona_core.workspace import Workspace
from tests.study.made import study
from tests.study.test_analysis import PLANNED
from tests.support.worlds import build_from, write_tiny_world


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("cli-study")
    return build_from(write_tiny_world(folder / "tiny"), folder / "here")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERSONA_STUDY_DATABASE", f"sqlite:///{tmp_path}/study.sqlite")
    made = study(factors={"explanation": ["none", "persona"]}, hypotheses=PLANNED, entry="invited")
    (tmp_path / "mine.toml").write_text(as_file(made), "utf-8")
    return tmp_path / "mine.toml"


def said(*words: str, place: Workspace | None = None, fails: bool = False) -> str:
    at = ["--workspace", str(place.root)] if place else []
    found = CliRunner().invoke(main, ["study", *words, *at])
    assert (found.exit_code != 0) is fails, found.output
    return found.output


def told(*words: str, place: Workspace) -> dict[str, Any]:
    lines = said(*words, "--json", place=place).strip().splitlines()
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def test_what_new_writes_can_be_run_as_it_is(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    assert "Written" in said("new", str(mine))
    assert "there already" in said("new", str(mine), fails=True)
    assert "3 conditions" in said("check", str(mine))
    mine.write_text(mine.read_text().replace('"none", "persona",', '"none", "magic",'))
    assert "magic" in said("check", str(mine), fails=True)
    assert "no study to read" in said("check", str(tmp_path / "none.toml"), fails=True)


def test_the_plan_says_how_many(file: Path, built: Workspace) -> None:
    assert "participants." in said("plan", str(file), "--effect", "1.0", place=built)
    found = told("plan", str(file), "--effect", "1.0", place=built)
    powers = [one["power"] for one in found["power"]]
    assert powers[-1] > 0.95 > powers[0]
    assert found["needed"] < told("plan", str(file), "--effect", "0.5", place=built)["needed"]


def test_a_rehearsal_its_results_and_its_bundle_elsewhere(
    file: Path, built: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    effect = ("--effect", "control:explanation=persona:1.8", "--drops", "0", "--careless", "0")
    found = told("simulate", str(file), "--people", "24", *effect, place=built)
    assert found["finished"] == 24
    assert any(one["holds"] for one in found["results"]["findings"] if one["contrast"]["outcome"] == "control")
    assert told("results", str(file), place=built)["people"]["came"] == 0, "nobody real has come"
    here = told("results", str(file), "--rehearsals", place=built)
    assert "Planned (Holm)" in said("results", str(file), "--rehearsals", place=built)
    out = tmp_path / "bundle.zip"
    said("export", str(file), "--rehearsals", "--out", str(out), place=built)
    monkeypatch.setenv("PERSONA_STUDY_DATABASE", f"sqlite:///{tmp_path}/elsewhere.sqlite")
    other = Workspace.at(tmp_path / "other")
    assert "24 participants taken over" in said("import", str(out), place=other)
    assert told("results", str(other.root / "studies" / "reasons.toml"), "--rehearsals", place=other) == here


@pytest.mark.parametrize("effect", ["control", "control:explanation:1", "control:explanation=persona:much"])
def test_an_effect_that_is_none_is_refused(file: Path, built: Workspace, effect: str) -> None:
    assert "is no effect" in said("simulate", str(file), "--effect", effect, place=built, fails=True)


def test_invitations_and_forgetting(file: Path, built: Workspace) -> None:
    codes = told("invite", str(file), "--many", "3", place=built)["codes"]
    assert len(set(codes)) == 3
    assert "retention_days" in said("forget", str(file), place=built, fails=True)
    file.write_text(file.read_text().replace('entry = "invited"', 'entry = "invited"\nretention_days = 1'))
    assert told("forget", str(file), place=built) == {"deleted": 0}


def test_what_is_no_bundle_is_said_so(tmp_path: Path, file: Path) -> None:
    for name, words in ((file, "no bundle"), (tmp_path / "none.zip", "cannot be read")):
        assert words in said("import", str(name), place=Workspace.at(tmp_path / "w"), fails=True)


def test_a_study_is_served_with_a_token_that_opens_the_desk(file: Path, built: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[dict[str, str]] = []

    class Ended:
        returncode = 0

    monkeypatch.setattr("persona_core.cli_study.subprocess.run", lambda _, env, **__: begun.append(env) or Ended())
    words = said("run", str(file), "--port", "8599", place=built)
    token = begun[0]["PERSONA_STUDY_DESK_TOKEN"]
    assert len(token) >= 16
    assert token in words
    assert begun[0]["PERSONA_STUDY_FILE"] == str(file.resolve())
    monkeypatch.setenv("PERSONA_STUDY_DESK_TOKEN", "short")
    assert "fewer than 16" in said("run", str(file), place=built, fails=True)
    open_store(built).close()
