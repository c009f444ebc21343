"""The command says what scenarios have in common and what somebody carries over, by rule or in a model's words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from persona_core.cli import main
from persona_core.llm import choice
from persona_core.workspace import Workspace
from tests.support.ollama_stand_in import OllamaStandIn

pytestmark = pytest.mark.xdist_group("encoder")


def run(place: Workspace, *words: str, fails: bool = False) -> Any:
    ran = CliRunner().invoke(main, ["scenarios", *words, "--workspace", str(place.root), "--json"])
    assert (ran.exit_code != 0) is fails, ran.output
    return json.loads(ran.stdout.splitlines()[-1])


def test_the_demo_worlds_scenarios_are_told_with_who_comes_and_how_they_go_together(built_demo: Workspace) -> None:
    found = run(built_demo)
    names = {one["scenario"] for one in found["scenarios"]}
    assert len(found["pairs"]) == len(names) * (len(names) - 1) // 2
    for pair in found["pairs"]:
        assert pair["people"] > 100
        assert pair["low"] <= pair["strength"] <= pair["high"]
        assert pair["text"] in found["text"]
        assert all(len(one["quotes"]) in (0, 2) for one in pair["reasons"])
    strengths = [pair["strength"] for pair in found["pairs"]]
    assert strengths == sorted(strengths, reverse=True)
    assert found == run(built_demo)


def test_a_person_is_told_across_scenarios_and_a_stranger_is_refused(built_demo: Workspace) -> None:
    found = run(built_demo, "--person", "u0006")
    assert found["text"]
    assert set(found["within"]) <= set(found["visits"])
    refused = run(built_demo, "--person", "nobody", fails=True)
    assert "nobody" in refused["what"]


def test_without_a_server_the_model_is_not_asked_and_that_is_said(built_demo: Workspace) -> None:
    assert "cannot be reached" in run(built_demo, "--ask", fails=True)["what"]


def test_a_models_words_are_taken_where_they_cite(built_demo: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"shops": [], "common": [{"says": "Things are to last.", "cites": [1, 2]}], "differ": []}
    with OllamaStandIn(lambda _: json.dumps(answer)) as server:
        monkeypatch.setenv("PERSONA_OLLAMA_USE", "auto")
        monkeypatch.setenv("PERSONA_OLLAMA_HOST", server.url)
        monkeypatch.setenv("PERSONA_OLLAMA_MODEL", "tiny:1b")
        monkeypatch.setattr(choice, "ANSWERS", str(tmp_path / "answers.sqlite"))
        choice._looked.cache_clear()
        found = run(built_demo, "--ask")
    assert found["by"] == "tiny:1b"
    assert sum("Things are to last." in told["text"] for told in found["scenarios"].values()) == 2
