"""The alignment's step with the second teacher: a model is asked only where the settings say so, about each pair once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from persona_core.alignment.judging import Question, questions_in
from persona_core.alignment.steps import ALIGN_STEP, CARD, world_in
from persona_core.catalog.choose import choose_source
from persona_core.catalog.store import Catalog
from persona_core.errors import ModelUnavailable
from persona_core.llm.choice import RETRY
from persona_core.llm.ollama_model import RETRIES
from persona_core.personas.aspects import ASPECTS, write_aspects
from persona_core.personas.files import VECTORS, write_vectors
from persona_core.pipeline import Counts, Pipeline, Step, StepContext, StepStatus
from persona_core.profiles.steps import INPUTS
from persona_core.text.encoder import BaseEncoder, Matrix
from persona_core.workspace import Workspace
from tests.support.models import MODEL, appears, looked_long_ago, no_pauses  # noqa: F401 - a fixture works by being here
from tests.support.ollama_stand_in import OllamaStandIn, Request
from tests.support.shops import _made, shop_pipeline, write_shop
from tests.support.tastes import encode
from tests.support.worlds import write_lines
from tests.text import one_thread  # noqa: F401 - a fixture that works by being here

pytestmark = pytest.mark.xdist_group("training")
TEACHER = "PERSONA_RANKING_TEACHER"


def says(persona: int, sure: str = "high") -> str:
    return json.dumps({"persona": persona, "sure": sure})


def text_of(request: Request) -> str:
    return str(request["messages"][-1]["content"])


def _said(context: StepContext) -> Counts:
    """One aspect of each review with a text: all of it."""
    texts = Catalog.of(context.inputs["catalog"]).texts()
    rows: list[dict[str, Any]] = [
        {
            "aspect_id": f"{one.id}:0", "review_id": one.id, "item_id": one.item_id, "user_id": one.user_id, "rating": one.rating,
            "kind": "purpose", "sentiment": "neutral", "label": "x", "start": 0, "end": len(one.text), "text": one.text,
        }
        for one in texts
    ]  # fmt: skip
    write_aspects(context.file(ASPECTS), rows)
    write_vectors(context.file(VECTORS), encode([one.text for one in texts]))
    return {"aspects": len(rows)}


def pipeline(place: Workspace) -> Pipeline:
    """What the alignment reads, made up, and the alignment itself."""
    steps = shop_pipeline(place).steps
    aspects = _made("aspects", ("catalog",), (ASPECTS, VECTORS), _said)
    chosen: tuple[Step, ...] = (steps["catalog"], aspects, steps["personas"], ALIGN_STEP)
    return Pipeline(chosen, place)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """An encoder in which each text has a direction of its own, and servers that are asked again at once."""

    def topics(self: BaseEncoder, texts: list[str]) -> Matrix:
        return encode(texts)

    monkeypatch.setattr(BaseEncoder, "topics", topics)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A shop in which every other review has a text, its alignment built by hindsight; never changed, only copied."""
    folder = tmp_path_factory.mktemp("judge")
    shop = write_shop(folder / "shop")
    rows = [json.loads(line) for line in (shop / "reviews.jsonl").read_text().splitlines()]
    write_lines(
        shop / "reviews.jsonl", [row | {"text": f"Words of {row['review_id']}." if at % 2 else ""} for at, row in enumerate(rows)]
    )
    place = Workspace.at(folder / "workspace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PERSONA_OLLAMA_USE", "never")
        patch.setattr(BaseEncoder, "topics", lambda self, texts: encode(texts))
        choose_source(place, str(shop))
        pipeline(place).build()
    return place


@pytest.fixture
def place(template: Workspace, tmp_path: Path) -> Workspace:
    shutil.copytree(template.root, tmp_path / "workspace")
    return Workspace.at(tmp_path / "workspace")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[OllamaStandIn]:
    """A server with the model that the settings name."""
    with OllamaStandIn(lambda request: says(1)) as stand_in:
        appears(monkeypatch, stand_in)
        yield stand_in


@pytest.fixture
def _judging(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TEACHER, "judge")


def status(place: Workspace) -> StepStatus:
    return {one.step.name: one for one in pipeline(place).status()}["alignment"]


def counts(place: Workspace) -> dict[str, int | float | str]:
    return place.artefact("alignment").manifest.counts


def card(place: Workspace) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(place.artefact("alignment").file(CARD).read_text())
    return found


def head(place: Workspace) -> bytes:
    return place.artefact("alignment").file("head.safetensors").read_bytes()


def questions(place: Workspace) -> list[Question]:
    world = world_in({name: place.artefact(name) for name in INPUTS})
    return questions_in(world, {one.id: one for one in Catalog.of(place.artefact("catalog")).texts()})


def test_without_the_setting_no_server_is_so_much_as_looked_for(place: Workspace, server: OllamaStandIn) -> None:
    assert status(place).state == "done"
    shutil.rmtree(place.step_folder("alignment"))
    pipeline(place).build()
    assert server.asked == []
    assert card(place)["teacher"] == {"by": "hindsight"}
    assert RETRY not in counts(place)


@pytest.mark.usefixtures("_judging")
def test_the_judge_is_asked_each_question_once_and_what_it_says_is_taught(place: Workspace, server: OllamaStandIn) -> None:
    before = head(place)
    pipeline(place).build()
    asked = len(questions(place))
    assert asked > 10
    assert len(server.requests) == len({text_of(one) for one in server.requests}) == asked
    assert head(place) != before

    found = counts(place)
    assert (found["by"], found["verdicts"], found["followed"], found[RETRY]) == (MODEL, asked, asked, 0)
    teacher = card(place)["teacher"]
    assert teacher["by"].startswith(f"{MODEL}@")
    assert (teacher["verdicts"], teacher["failed"], teacher["none fits"]) == (asked, 0, 0)
    agreed = teacher["agreement with hindsight"]
    assert 0 < agreed["pairs"] <= asked
    assert (agreed["none"], agreed["by_chance"]) == (0.0, 0.5)
    assert 0 < agreed["same"] < 1
    assert found["same as hindsight"] == agreed["same"]

    made = head(place)
    pipeline(place).build()
    shutil.rmtree(place.step_folder("alignment"))
    pipeline(place).build()
    assert len(server.requests) == asked
    assert head(place) == made


@pytest.mark.usefixtures("_judging")
def test_one_that_is_not_sure_is_heard_and_not_followed(place: Workspace, server: OllamaStandIn) -> None:
    server.answer = lambda request: says(0, "low")
    before = head(place)
    pipeline(place).build()
    assert (counts(place)["followed"], card(place)["teacher"]["none fits"]) == (0, len(questions(place)))
    assert card(place)["teacher"]["agreement with hindsight"]["none"] == 1.0
    assert head(place) == before


@pytest.mark.usefixtures("_judging")
def test_what_it_fails_at_is_left_to_hindsight_counted_and_asked_again(place: Workspace, server: OllamaStandIn) -> None:
    target = questions(place)[3].reviews[0]
    server.answer = lambda request: "Hm." if target in text_of(request) else says(1)
    pipeline(place).build()
    assert counts(place)[RETRY] == card(place)["teacher"]["failed"] == 1
    assert sum(target in text_of(one) for one in server.requests) == RETRIES + 1
    assert counts(place)["verdicts"] == len(questions(place)) - 1
    assert (status(place).state, "asks again" in status(place).why) == ("stale", True)

    del server.requests[:]
    server.answer = lambda request: says(1)
    pipeline(place).build()
    assert len(server.requests) == 1
    assert (counts(place)[RETRY], status(place).state) == (0, "done")


def test_a_switch_of_teachers_trains_anew_and_back_again(
    place: Workspace, server: OllamaStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_hindsight = head(place)
    monkeypatch.setenv(TEACHER, "judge")
    assert (status(place).state, status(place).why) == ("stale", "changed since: file model, file prompt, settings")
    pipeline(place).build()
    assert (head(place) != by_hindsight, status(place).state) == (True, "done")
    monkeypatch.setenv(TEACHER, "hindsight")
    assert status(place).state == "stale"
    pipeline(place).build()
    assert head(place) == by_hindsight
    assert card(place)["teacher"] == {"by": "hindsight"}


@pytest.mark.usefixtures("_judging")
@pytest.mark.parametrize("use", ["auto", "never"])
def test_where_no_model_can_be_asked_the_error_says_what_to_do(use: str, place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA_OLLAMA_USE", use)
    before = head(place)
    with pytest.raises(ModelUnavailable) as caught:
        pipeline(place).build()
    assert {"auto": "ollama serve", "never": "PERSONA_OLLAMA_USE=auto"}[use] in caught.value.mend
    assert f"{TEACHER}=hindsight {place.command('build')}" in caught.value.mend
    assert head(place) == before


@pytest.mark.usefixtures("_judging")
def test_what_the_judge_taught_outlasts_its_server_until_it_must_be_made_again(
    place: Workspace, server: OllamaStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline(place).build()
    made = head(place)
    server.stop()
    looked_long_ago()
    assert status(place).state == "done"
    pipeline(place).build()
    monkeypatch.setenv("PERSONA_RANKING_HALF_LIFE_DAYS", "100")
    with pytest.raises(ModelUnavailable, match="PERSONA_RANKING_TEACHER=hindsight"):
        pipeline(place).build()
    assert head(place) == made
