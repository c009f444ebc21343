"""The scenarios' step, whole: by rule without a model, in a model's words where they hold, and asked again where it failed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pytest

from persona_core.engine import Engine
from persona_core.llm.choice import RETRY
from persona_core.pipeline import Pipeline, StepStatus
from persona_core.scenarios.files import Scenarios
from persona_core.scenarios.steps import SCENARIO_STEP
from persona_core.steps import STEPS, pipeline_of
from persona_core.workspace import Workspace
from tests.support.models import MODEL, appears, built_template, copied_template, goes_away, no_pauses  # noqa: F401 - fixtures work by being here
from tests.support.ollama_stand_in import OllamaStandIn, Request
from tests.support.steps import held_still

COMMON = "Whoever comes wants handles that hold."


def answered(request: Request) -> str:
    """Of scenarios one sentence, of people one wish that is borne out by every line."""
    asked = str(request["messages"][-1]["content"])
    numbers = list(range(1, 13))
    if "What this person did" in asked:
        return json.dumps({"within": [], "across": [{"phrase": "wants a firm grip", "cites": numbers}], "only": []})
    return json.dumps({"shops": [], "common": [{"says": COMMON, "cites": numbers}], "differ": []})


@pytest.fixture
def server() -> Iterator[OllamaStandIn]:
    with OllamaStandIn(answered) as stand_in:
        yield stand_in


def pipeline(place: Workspace) -> Pipeline:
    """The step, with those before it holding still."""
    before = {"catalog", "splits", "overview", "aspects", "personas"}
    return Pipeline([*(held_still(step) for step in STEPS if step.name in before), SCENARIO_STEP], place)


def known(place: Workspace) -> Scenarios:
    return Scenarios.of(place.artefact("scenarios"))


def status(place: Workspace) -> StepStatus:
    return {one.step.name: one for one in pipeline(place).status()}["scenarios"]


def test_by_rule_everybody_and_every_two_are_told(place: Workspace) -> None:
    found = known(place)
    assert found.by == "rule"
    assert set(found.lines) == set(found.users)
    assert len(found.pairs) == 3
    assert all(one.text for one in found.pairs)
    assert not found.told


def test_the_same_is_built_twice(place: Workspace) -> None:
    made = place.artefact("scenarios")
    before = {name: made.file(name).read_bytes() for name in made.manifest.files}
    shutil.rmtree(place.step_folder("scenarios"))
    pipeline_of(place).build("scenarios")
    made = place.artefact("scenarios")
    assert {name: made.file(name).read_bytes() for name in made.manifest.files} == before


def test_a_models_words_are_taken_and_nothing_is_asked_twice(
    place: Workspace, server: OllamaStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    appears(monkeypatch, server)
    pipeline(place).build()
    found = known(place)
    assert found.by.startswith(MODEL)
    assert set(found.told.values()) == {COMMON}
    told = [one for user in found.users if (one := found.told_of(user)) and one.by.startswith(MODEL)]
    assert told
    assert all(one.text == "Wherever they are, this person wants a firm grip." for one in told)
    asked = len(server.requests)
    assert asked == 1 + len(told) == 1 + place.artefact("scenarios").manifest.counts["people asked"]
    shutil.rmtree(place.step_folder("scenarios"))
    pipeline(place).build()
    assert len(server.requests) == asked


def test_where_a_model_answers_badly_the_rule_speaks_and_it_is_asked_again(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    with OllamaStandIn(lambda _: "no answer at all") as server:
        appears(monkeypatch, server)
        pipeline(place).build()
        found = known(place)
        assert not found.told
        assert {one.by for user in found.users if (one := found.told_of(user))} == {"rule"}
        assert place.artefact("scenarios").manifest.counts[RETRY] == 1 + place.artefact("scenarios").manifest.counts["people asked"]
        assert "asks again" in status(place).why
        goes_away(server)
        assert status(place).state == "done"


def test_an_engine_does_without(place: Workspace) -> None:
    engine = Engine.open(place)
    assert engine.scenarios is not None
    place.artefact("scenarios").file("scenarios.json").write_bytes(b"{}")
    assert Engine.open(place).scenarios is None
    (place.step_folder("scenarios") / "current").unlink()
    without = Engine.open(place)
    assert without.scenarios is None
    assert without.rank(without.profile("u0")).over is None
