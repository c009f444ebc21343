"""The Workshop: what is built from what, its actions, how it learned, and its health."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from persona_core.errors import SettingsError
from persona_core.steps import STEPS
from persona_core.workspace import Workspace
from tests.app.conftest import Shown, sound, words_of
from tests.app.workshop import button, everything
from tests.support.ollama_stand_in import OllamaStandIn
from tests.support.toy_cli import TOY
from tests.support.worlds import build_from
from ui import resources
from ui.workshop import evaluations, graph, learning, models, rejected, steps

# Steps -------------------------------------------------------------------------------------------------------------------


def test_every_step_is_listed_with_its_state_in_words_and_drawn(shared: Workspace, show: Shown) -> None:
    at = show(shared)
    said = everything(at)
    for step in STEPS:
        assert step.title in said
    assert f"All {len(STEPS)} steps are ready." in said
    assert said.count("ready</span>") == len(STEPS)
    assert "by rules, without a language model" in said
    assert "Every row of the data could be used." in said
    assert button(at, "workshop_build").disabled
    assert button(at, "workshop_train").disabled
    assert "Training again would give exactly the same" in said


def test_nothing_built_is_said_calmly_and_one_press_builds_the_demo_world(
    workspace: Workspace, show: Shown, tiny_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.jobs.DEMO", str(tiny_world))
    job = resources.build_job(str(workspace.root))
    job.command = TOY
    at = show(workspace)
    assert "Nothing is built yet." in everything(at)
    assert not job.running  # looking builds nothing
    workspace.root.mkdir(exist_ok=True)
    (workspace.root / "hold").touch()
    assert button(at, "workshop_build").label == "Build the demo world"
    at = sound(button(at, "workshop_build").click().run())
    assert job.running
    assert "Building" in words_of(at)
    assert button(at, "workshop_build").disabled
    at = sound(button(at, "stop-workspace").click().run())
    assert job.wait(30)
    assert "goes on from there" in words_of(sound(at.run()))


def test_late_steps_say_why_and_training_alone_is_offered_where_it_is_of_use(
    shared: Workspace, show: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERSONA_RANKING_HALF_LIFE_DAYS", "99")  # what training depends on, and what it reads does not
    at = show(shared)
    said = everything(at)
    assert "Changed since then: the settings." in said
    assert "out of date" in said
    started: list[tuple[str, ...]] = []
    monkeypatch.setattr("ui.jobs.BuildJob.start", lambda self, *words: started.append(words))
    sound(button(at, "workshop_train").click().run())
    sound(button(show(shared), "workshop_build").click().run())
    assert started == [("train",), ()]


def test_a_damaged_step_is_told_without_a_trace_of_the_program(tmp_path: Path, tiny_world: Path, show: Shown) -> None:
    place = build_from(tiny_world, tmp_path / "here")
    place.artefact("alignment").file("card.json").write_text("{")
    at = show(place)
    said = everything(at)
    assert "damaged" in said
    assert "Traceback" not in said
    assert not button(at, "workshop_build").disabled
    assert "Nothing has been learned here yet" in everything(show(place, "Learning"))


def test_settings_that_are_not_understood_leave_the_health_to_be_read(tiny_world: Path, workspace: Workspace, show: Shown) -> None:
    workspace.root.mkdir()
    (workspace.root / "workspace.toml").write_text("sede = 3\n")
    said = everything(show(workspace))
    assert "Something needs mending" in said
    assert "sede" in said
    assert "needs mending" in said


def test_a_read_only_app_shows_all_and_does_nothing(shared: Workspace, show: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA_READONLY", "1")
    monkeypatch.setenv("PERSONA_SPLITS_TEST_SHARE", "0.2")
    at = show(shared)
    assert "only reads" in words_of(at)
    for key in ("workshop_build", "workshop_train"):
        assert button(at, key).disabled
        button(at, key).proto.disabled = False  # as a tampered page would
        sound(button(at, key).click().run())
    assert not resources.build_job(str(shared.root)).running
    at = show(shared, "Your own data")
    assert "only reads" in words_of(at)
    assert not at.get("file_uploader")


@pytest.mark.parametrize(
    "state", [{"workshop_part": "nowhere"}, {"workshop_model": "rm -rf"}, {"_workspace": 7}, {"_workspace": "../.."}]
)
def test_session_values_that_make_no_sense_are_left_aside(shared: Workspace, show: Shown, state: dict[str, Any]) -> None:
    assert "Workshop" in words_of(show(shared, **state))


# Models ------------------------------------------------------------------------------------------------------------------


def test_a_model_that_is_found_can_be_chosen_and_the_choice_is_kept(
    tmp_path: Path, tiny_world: Path, show: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = build_from(tiny_world, tmp_path / "here")
    started: list[tuple[str, ...]] = []
    monkeypatch.setattr("ui.jobs.BuildJob.start", lambda self, *words: started.append(words))
    with OllamaStandIn(models=("tiny:1b", "other:2b")) as server:
        monkeypatch.setenv("PERSONA_OLLAMA_HOST", server.url)
        at = show(place)
        chooser = at.selectbox(key="workshop_model")
        assert "tiny:1b" in chooser.options
        at = sound(chooser.set_value("tiny:1b").run())
        at = sound(button(at, "workshop_build").click().run())
    assert started == [()]
    assert place.settings.ollama.model == "tiny:1b"
    assert place.settings.source is not None


def test_without_ollama_it_is_said_that_all_is_well(shared: Workspace, show: Shown) -> None:
    assert "No Ollama answers here. That is fine" in words_of(show(shared))


def test_what_the_environment_decides_cannot_be_chosen(shared: Workspace, show: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA_OLLAMA_USE", "never")
    at = show(shared)
    assert at.selectbox(key="workshop_model").disabled
    assert "PERSONA_OLLAMA_USE" in words_of(at)


@pytest.mark.parametrize(
    "before",
    ["", "seed = 3\n", "[ollama]\nmodel = 'a'\ncontext = 4096\n[splits]\ntest_share = 0.2\n", "# [ollama]\n[chroma]\nurl = ''"],
)
def test_the_choice_is_written_beside_what_people_wrote(workspace: Workspace, before: str) -> None:
    workspace.root.mkdir()
    file = workspace.root / "workspace.toml"
    file.write_text(before)
    models.remember(workspace, 'we"ird\\:1b')
    kept = tomllib.loads(file.read_text())
    assert kept["ollama"]["model"] == 'we"ird\\:1b'
    models.remember(workspace, models.NONE)
    kept = tomllib.loads(file.read_text())
    assert kept["ollama"]["use"] == "never"
    asked = tomllib.loads(before)
    assert {name: value for name, value in kept.items() if name != "ollama"} == {k: v for k, v in asked.items() if k != "ollama"}
    assert kept["ollama"].get("context") == asked.get("ollama", {}).get("context")


def test_settings_in_a_form_of_their_own_are_left_to_people(workspace: Workspace) -> None:
    workspace.root.mkdir()
    file = workspace.root / "workspace.toml"
    file.write_text('ollama = {model = "a"}\n')
    with pytest.raises(SettingsError, match="cannot be written"):
        models.remember(workspace, "b:1")
    assert file.read_text() == 'ollama = {model = "a"}\n'


# Learning, measuring, health ---------------------------------------------------------------------------------------------


def test_learning_is_shown_in_numbers_and_curves(shared: Workspace, show: Shown) -> None:
    at = show(shared, "Learning")
    assert [metric.label for metric in at.metric] == ["Before learning", "After learning", "Rounds through the data"]
    said = words_of(at)
    assert "Taught by hindsight" in said
    assert "evaluate personas" in said  # nothing was measured: the command that does it


@pytest.mark.parametrize("card", [None, {}, {"curve": 3}, {"curve": [3, {"number": "x", "ndcg": 1}, {"number": 1, "ndcg": None}]}])
def test_a_card_of_another_form_has_no_points(card: Any) -> None:
    assert learning.points_of(card) == []


def test_what_was_measured_is_drawn_and_what_is_no_result_is_left_aside(
    tmp_path: Path, shared: Workspace, show: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "evaluations"
    folder.mkdir()
    rows = [{"reviews": "all <b>", "count": 3, "F1": 0.5}, {"reviews": "new", "count": 2, "F1": 0.25}]
    (folder / "aspects.json").write_text(json.dumps({"rows": rows, "measured": "2026-01-02T00:00:00"}))
    for name, text in {"a": "{", "b": "[]", "c": '{"rows": [1]}', "d": '{"rows": []}', "e": "[" * 100_000}.items():
        (folder / f"{name}.json").write_text(text)
    monkeypatch.setattr(evaluations, "files_of", lambda place: sorted(folder.glob("*.json")))
    at = show(shared, "Learning")
    assert "How well reviews were read" in words_of(at)
    assert list(evaluations.shares_of(rows)["value"]) == [0.5, 0.25]
    assert evaluations.table_of(folder / "e.json") is None


def test_health_is_told_in_plain_words_with_what_to_do(shared: Workspace, show: Shown) -> None:
    said = everything(show(shared, "Health"))
    assert "Everything that is needed is there." in said
    for name in ("Language model", "Persona index", "Disk space"):
        assert name in said
    assert "ollama serve" in said


def test_why_is_told_with_the_steps_called_by_their_titles() -> None:
    titles = {"catalog": "Reading the data", "personas": "Writing"}
    assert (
        steps.why_in_words("changed since: code, step catalog", titles)
        == "Changed since then: the program, what “Reading the data” left."
    )
    assert steps.why_in_words("catalog, personas must be built first", titles) == "First must come: reading the data, writing."
    assert steps.why_in_words("after catalog", titles) == "Its turn comes after: reading the data."
    assert steps.why_in_words("2 answers of the model failed", titles) == "2 answers of the model failed"


def test_the_picture_has_every_step_once_and_only_direct_edges() -> None:
    places = graph.places_of(STEPS)
    assert len(set(places.values())) == len(STEPS)
    edges = graph.edges_of(STEPS)
    assert ("aspects", "personas") in edges
    assert ("catalog", "personas") not in edges  # it follows from catalog → aspects → personas
    for start, end in edges:
        assert places[start][0] < places[end][0]


def test_every_reason_for_leaving_a_row_out_has_words() -> None:
    import re

    source = "".join(file.read_text() for file in Path(rejected.__file__).parents[2].glob("persona_core/catalog/**/*.py"))
    assert set(re.findall(r'Reject\("([^"]+)"', source)) <= set(rejected.REASONS)
