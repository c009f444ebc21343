"""A study file is read whole or refused with what to change; what follows from it is the same for as long as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from persona_core.cli import main
from persona_core.study.design import FACTORS, StudyRefused, read_study, settled
from persona_core.study.questionnaires import Questionnaire, questionnaires
from tests.study.made import DRAFT, study


def test_a_path_goes_from_consent_to_debrief_with_everything_between() -> None:
    steps = [(step.kind, step.of) for step in study().path]
    assert steps == [
        ("consent", ""), ("profile", ""), ("task", "choose"), ("check", "reads"), ("questionnaire", "control"),
        ("questionnaire", "demographics"), ("debrief", ""),
    ]  # fmt: skip


def test_within_subjects_every_condition_has_its_own_pages() -> None:
    found = study(within=True)
    assert found.periods == len(found.conditions) == 4
    assert len({step.id for step in found.path}) == len(found.path)
    assert {step.period for step in found.path if step.kind == "task"} == {0, 1, 2, 3}


def test_conditions_are_all_combinations_and_every_factor_has_a_level() -> None:
    conditions = study().conditions
    assert len({tuple(one.items()) for one in conditions}) == 4
    assert set(settled(conditions[-1])) == set(FACTORS)
    assert settled(conditions[-1])["ranking"] == FACTORS["ranking"][0]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"factors": {"colour": ["red"]}}, "no factor 'colour'"),
        ({"factors": {"trend": ["shown", "shown"]}}, "each once"),
        ({"factors": {"trend": []}}, "levels of 'trend'"),
        ({"finally": ["nobody"]}, "no questionnaire nobody"),
        ({"checks": [DRAFT["checks"][0] | {"right": 3}]}, "number 3 of 2"),
        ({"checks": [DRAFT["checks"][0] | {"after": "later"}]}, "not there"),
        ({"checks": [DRAFT["checks"][0] | {"id": "choose"}]}, "an id each"),
        ({"tasks": []}, "at least 1"),
        ({"unknown": 1}, "Extra inputs"),
        ({"id": "../../etc"}, "pattern"),
    ],
)
def test_what_cannot_be_run_is_refused_by_name(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        study(**changes)


def test_a_design_has_a_digest_that_any_change_changes() -> None:
    assert study().content == study().content
    assert study(seed=4).content != study().content
    assert study(debrief="Thanks.").content != study().content


# Files and commands ------------------------------------------------------------------------------------------------------


def run(*words: str) -> Any:
    return CliRunner().invoke(main, ["study", *words])


def test_what_new_writes_can_be_run_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    assert run("new", str(file)).exit_code == 0
    found = read_study(file)
    assert found.conditions
    told = run("check", str(file))
    assert told.exit_code == 0
    assert f"{len(found.conditions)} conditions" in told.output
    again = run("new", str(file))
    assert again.exit_code == 1
    assert "is there already" in again.output


@pytest.mark.parametrize(
    ("text", "named"), [("id = \n", "not valid TOML"), ("id = 'x'", "title: Field required"), ("\x00", "not valid TOML")]
)
def test_a_file_that_is_no_study_is_refused_with_the_place(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(StudyRefused) as caught:
        read_study(file)
    assert named in str(caught.value)
    assert run("check", str(file)).exit_code == 1


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(StudyRefused, match="no study to read"):
        read_study(tmp_path / "nothing.toml")


# Questionnaires ----------------------------------------------------------------------------------------------------------


def test_those_that_ship_measure_what_they_promise() -> None:
    goals = questionnaires()["explanation_goals"]
    assert {one.measures for one in goals.items} == {
        "transparency", "scrutability", "trust", "effectiveness", "persuasiveness", "efficiency", "satisfaction",
    }  # fmt: skip
    for one in questionnaires().values():
        assert one.source
        scales = [item for item in one.items if item.kind == "scale"]
        assert one.faults_of({item.id: 1 for item in scales}) == []
    for construct in {one.measures for one in goals.items}:
        turned = {one.reverse for one in goals.items if one.measures == construct}
        assert turned == {True, False}, "who ticks one side all the way down is found out"


def test_reversed_items_are_turned_round() -> None:
    control = questionnaires()["control"]
    assert control.scored({"control_1": 5, "control_2": 5, "control_3": 1}) == {"control": 5.0}
    assert control.scored({"control_1": 5, "control_2": 5, "control_3": 5}) == {"control": pytest.approx(11 / 3)}
    assert control.scored({}) == {}


@pytest.mark.parametrize(
    ("answers", "named"),
    [
        ({"control_1": 1, "control_2": 1}, "control_3: not answered"),
        ({"control_1": 0, "control_2": 1, "control_3": 1}, "control_1: not one of the 5"),
        ({"control_1": True, "control_2": 1, "control_3": 1}, "control_1: not one"),
        ({"control_1": "5", "control_2": 1, "control_3": 1}, "control_1: not one"),
        ({"control_1": 1, "control_2": 1, "control_3": 1, "age": 3}, "age: there is no such question"),
    ],
)
def test_answers_that_cannot_be_kept_are_named(answers: dict[str, Any], named: str) -> None:
    assert named in "; ".join(questionnaires()["control"].faults_of(answers))


def test_a_questionnaire_that_cannot_be_answered_is_refused() -> None:
    item = {"id": "a", "text": "A?", "measures": "x"}
    for changes in ({"scale": []}, {"items": [item, item]}, {"items": [item | {"kind": "choice"}]}):
        with pytest.raises(ValidationError):
            Questionnaire.model_validate({"id": "q", "title": "Q", "source": "us", "scale": ["no", "yes"], "items": [item], **changes})
