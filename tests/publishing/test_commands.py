"""`publish` and `fetch` as a person types them, with a whole world: the engine, the index and the doctor take what was fetched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from persona_core import doctor
from persona_core.cli import main
from persona_core.engine import Engine
from persona_core.personas.index import open_index
from persona_core.steps import pipeline_of
from persona_core.text.encoder import DIMENSION
from persona_core.workspace import Workspace

pytestmark = pytest.mark.xdist_group("chroma")


def told(*words: str | Path) -> Any:
    done = CliRunner().invoke(main, [*map(str, words), "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout.splitlines()[-1])


def test_an_app_can_be_served_from_what_was_fetched(built_tiny: Workspace, tmp_path: Path) -> None:
    shelf, there = tmp_path / "shelf", Workspace.at(tmp_path / "there")
    sent = told("publish", "--to", shelf, "--workspace", built_tiny.root)
    came = told("fetch", "--from", f"file://{shelf}", "--workspace", there.root)
    assert (sent["edition"], came["edition"]) == (1, 1)
    assert {one.state for one in pipeline_of(there).status()} == {"done"}
    here = Engine.open(there)
    profile = here.newcomer("somebody", ("sturdy",))
    assert list(here.rank(profile).order) == list(Engine.open(built_tiny).rank(profile).order)
    asked = np.ones(DIMENSION)
    ours, theirs = open_index(there), open_index(built_tiny)  # which did not travel: it was made again
    assert ours.nearest(asked, 3) == theirs.nearest(asked, 3)
    ours.close(), theirs.close()
    says = {one.name: one for one in doctor.examine(there)}["workspace"]
    assert (says.health, "fetched (edition 1 of" in says.says) == ("ok", True)
    assert told("fetch", "--workspace", there.root) == {**came, "files": 0, "bytes": 0}  # it remembers from where


def test_without_an_address_nothing_is_guessed(workspace: Workspace) -> None:
    done = CliRunner().invoke(main, ["fetch", "--workspace", str(workspace.root)])
    assert done.exit_code == 1
    assert "--from URL" in done.output
