"""The persona steps with a language model, whole: it reads, writes, goes away, and nothing that it did is lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from persona_core.catalog.choose import choose_source
from persona_core.errors import ModelUnavailable
from persona_core.llm.choice import RETRY
from persona_core.progress import Progress
from persona_core.workspace import Workspace
from tests.personas.with_model.mind import (
    ALL,
    ITEMS,
    Mind,
    assert_grounded,
    by_model,
    contents,
    counts,
    one_at_a_time,
    personas_of,
    phases,
    pipeline_of,
    read_by_model,
    states,
    status,
)
from tests.support.models import MODEL, appears, comes_back, goes_away
from tests.support.ollama_stand_in import Drops, OllamaStandIn, Request, Turn
from tests.support.worlds import write_tiny_world

# With a model ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_with_model")
def test_a_build_with_a_model_is_all_the_models_work(tiny_world: Path, tmp_path: Path, server: OllamaStandIn) -> None:
    place = Workspace.at(tmp_path / "workspace")
    choose_source(place, str(tiny_world))
    pipeline_of(place).build()
    for step in ("aspects", "personas"):
        assert (counts(place, step)["by"], counts(place, step)[RETRY]) == (MODEL, 0)
    assert counts(place, "aspects")["dropped"] == counts(place, "personas")["refused"] == 0
    assert counts(place, "personas")["items by extraction"] == 0
    assert read_by_model(place) == by_model(place) == set(ITEMS)
    assert {len(one.quotes) for one in personas_of(place)} == {2}
    assert_grounded(place)
    assert states(place) == {"done"}

    assert len(server.requests) == ALL
    assert set(phases(place).values()) == {"skipped"}
    assert len(server.requests) == ALL


@pytest.mark.usefixtures("_with_model")
def test_what_was_answered_is_not_asked_again_even_if_all_that_was_made_of_it_is_gone(place: Workspace, server: OllamaStandIn) -> None:
    pipeline_of(place).build()
    before = contents(place)
    assert len(server.requests) == ALL
    for step in ("aspects", "personas"):
        shutil.rmtree(place.step_folder(step))
    pipeline_of(place).build()
    assert contents(place) == before
    assert len(server.requests) == ALL


# It comes and goes -----------------------------------------------------------------------------------------------------


def test_a_model_that_appears_is_used_and_what_it_made_outlasts_it(
    place: Workspace, server: OllamaStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert states(place) == {"done"}
    assert counts(place, "personas")["by"] == "extraction"
    assert by_model(place) == set()

    appears(monkeypatch, server)
    assert (status(place)["aspects"].state, status(place)["aspects"].why) == ("stale", "changed since: file model, file prompt")
    assert {status(place)[step].state for step in ("personas", "index")} == {"stale"}
    assert phases(place) == {
        "catalog": "skipped", "splits": "skipped", "overview": "skipped",
        "aspects": "finished", "personas": "finished", "index": "finished",
    }  # fmt: skip
    assert by_model(place) == set(ITEMS)
    made = contents(place)

    goes_away(server)
    assert states(place) == {"done"}
    assert set(phases(place).values()) == {"skipped"}
    assert contents(place) == made
    assert counts(place, "personas")["by"] == MODEL


@pytest.mark.usefixtures("_with_model")
def test_without_its_model_a_step_is_not_made_again_unless_one_says_so(
    place: Workspace, server: OllamaStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline_of(place).build()
    made, personas = contents(place), personas_of(place)
    goes_away(server)
    choose_source(place, str(write_tiny_world(tmp_path / "more", number=60)), replace=True)

    with pytest.raises(ModelUnavailable) as caught:
        pipeline_of(place).build()
    assert "ollama serve" in str(caught.value)
    assert f"PERSONA_OLLAMA_USE=never {place.command('build')}" in caught.value.mend
    assert status(place)["aspects"].state == "stale"
    assert contents(place) == made
    assert personas_of(place) == personas

    monkeypatch.setenv("PERSONA_OLLAMA_USE", "never")
    pipeline_of(place).build()
    assert states(place) == {"done"}
    assert counts(place, "aspects")["by"] == counts(place, "personas")["by"] == "extraction"
    assert counts(place, "aspects")["reviews with text"] == 30
    assert by_model(place) == set()
    assert_grounded(place)


@pytest.mark.usefixtures("_with_model")
def test_a_server_that_dies_between_being_seen_and_being_asked_leaves_no_extraction_under_its_name(
    place: Workspace, server: OllamaStandIn
) -> None:
    def dies(progress: Progress) -> None:
        if (progress.step, progress.phase) == ("aspects", "started"):
            goes_away(server)

    made = contents(place)
    with pytest.raises(ModelUnavailable, match="ollama serve"):
        pipeline_of(place).build(listener=dies)
    assert contents(place) == made
    comes_back(server)
    pipeline_of(place).build()
    assert by_model(place) == set(ITEMS)


@pytest.mark.usefixtures("_with_model")
def test_a_server_that_dies_at_work_is_waited_for_and_asked_only_for_the_rest(
    place: Workspace, server: OllamaStandIn, mind: Mind, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_at_a_time(monkeypatch)
    came = count(1)

    def dies_at_the_fourth(request: Request) -> Turn | None:
        if next(came) == 4:
            server.stop()
            return Drops()
        return None

    made = contents(place)
    mind.other = dies_at_the_fourth
    with pytest.raises(ModelUnavailable, match="run the same command again"):
        pipeline_of(place).build()
    assert contents(place) == made
    assert len(mind.answered) == 3

    comes_back(server)
    pipeline_of(place).build()
    assert len(mind.answered) == len(set(mind.answered)) == ALL
    assert by_model(place) == set(ITEMS)
    assert states(place) == {"done"}


def test_where_one_of_two_servers_dies_the_other_does_its_work(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    mortal, steady = Mind(), Mind()
    with OllamaStandIn(mortal) as first, OllamaStandIn(steady) as second:
        came = count(1)

        def dies_at_the_third(request: Request) -> Turn | None:
            number = next(came)
            if number == 3:
                first.stop()
            return None if number < 3 else Drops()

        mortal.other = dies_at_the_third
        appears(monkeypatch, first, second)
        pipeline_of(place).build()
        assert len(first.requests) >= 3
        assert 1 <= len(mortal.answered) <= 2
        assert set(mortal.answered) | set(steady.answered) == {json.dumps(one["messages"]) for one in first.requests + second.requests}
        assert len({*mortal.answered, *steady.answered}) == ALL
    assert counts(place, "aspects")[RETRY] == counts(place, "personas")[RETRY] == 0
    assert by_model(place) == read_by_model(place) == set(ITEMS)
    assert states(place) == {"done"}


# The build is killed ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_with_model")
@pytest.mark.parametrize(("at", "step"), [(4, "aspects"), (len(ITEMS) + 4, "personas")])
def test_after_kill_9_no_prompt_is_answered_twice(
    at: int, step: str, place: Workspace, mind: Mind, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_at_a_time(monkeypatch)
    came = count(1)
    children: list[subprocess.Popen[bytes]] = []

    def kills(request: Request) -> Turn | None:
        if next(came) == at:
            os.kill(children[0].pid, signal.SIGKILL)
            return Drops()
        return None

    mind.other = kills
    # a killer with no point to kill at: it builds, and is killed from here
    children.append(subprocess.Popen([sys.executable, "-m", "tests.support.killer", str(place.root), "no step", "no point"]))
    try:
        assert children[0].wait(timeout=120) == -signal.SIGKILL
    finally:
        children[0].kill()
    assert status(place)[step].state == "stale"
    assert len(mind.answered) == at - 1

    pipeline_of(place).build()
    assert len(mind.answered) == len(set(mind.answered)) == ALL
    assert by_model(place) == read_by_model(place) == set(ITEMS)
    assert_grounded(place)
    assert states(place) == {"done"}
