"""The participant's page: each kind of page, doors that stay shut, a store that fails, hostile words, and nothing else of the app."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from persona_core.study.entry import invitations
from persona_core.study.place import database_of, open_store
from persona_core.study.sitting import Hall
from persona_core.study.store import StoreUnavailable, StudyStore
from persona_core.study.writing import as_file
from persona_core.workspace import Workspace
from tests.app.conftest import ROOT, pages_html, sound, words_of
from tests.study.made import study
from tests.study.test_sitting import answers_to

NASTY = "<script>alert(1)</script> **bold** $x$"


@pytest.fixture
def place(shared: Workspace, tmp_path: Path) -> Workspace:
    shutil.copytree(shared.root, tmp_path / "copy")
    return Workspace.at(tmp_path / "copy")


class Study:
    """One study as a server serves it, and its participants' browsers."""

    def __init__(self, place: Workspace, file: Path) -> None:
        self.place, self.file = place, file

    def write(self, **changes: Any) -> Hall:
        made = study(**changes)
        self.file.write_text(as_file(made), "utf-8")
        return Hall(made, self.store)

    @property
    def store(self) -> StudyStore:
        return open_store(self.place)

    def open(self, **address: str) -> AppTest:
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        for name, value in address.items():
            at.query_params[name] = value
        return sound(at.run())


@pytest.fixture
def served(place: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.setenv("PERSONA_WORKSPACE", str(place.root))
    monkeypatch.setenv("PERSONA_STUDY_FILE", str(tmp_path / "study.toml"))
    return Study(place, tmp_path / "study.toml")


def press(at: AppTest, label: str) -> AppTest:
    return sound(next(one for one in at.button if one.label == label).click().run())


def titles(at: AppTest) -> list[str]:
    return [one.value for one in at.title]


def shown(at: AppTest) -> str:
    return words_of(at) + "\n".join(pages_html(at)) + "\n".join(str(one.proto) for one in (*at.error, *at.warning))


def token_of(at: AppTest) -> str:
    found = at.query_params["t"]
    return str(found[0] if isinstance(found, list) else found)


def test_a_whole_path_by_pressing_only(served: Study) -> None:
    hall = served.write()
    at = press(served.open(), "Begin")
    at = press(at, "Take part")
    assert "Please tick the box" in shown(at)
    at = sound(at.checkbox[0].check().run())
    at = press(at, "Take part")
    assert titles(at) == ["What are you after?"]
    at = press(at, "Go on")
    assert "Please pick at least 2" in shown(at)
    for words in ("cooking for a crowd", "travels light"):
        at = sound(at.text_input[0].set_value(words).run())
    at = press(at, "Go on")
    for _ in range(20):
        if "You have finished" in titles(at):
            break
        for number in range(len(at.radio)):
            at = sound(at.radio[number].set_value(2).run())
        at = press(at, next(one.label for one in at.button if one.label in ("Go on", "Finish")))
    sitting = hall.enter(token_of(at))
    assert sitting is not None
    assert sitting.step is None
    assert at.code[0].value == sitting.code
    assert sitting.done["profile"]["phrases"] == ["cooking for a crowd", "travels light"]
    assert sitting.failed_checks == ()
    assert {one.kind for one in hall.events(sitting)} >= {"arrived", "done", "shown", "rated", "answered", "settled"}
    at = press(at, "Yes, delete everything")
    assert titles(at) == ["Everything is deleted"]
    assert hall.events(sitting) == []


def test_whoever_wants_to_leaves_in_the_middle_and_nothing_of_them_stays(served: Study) -> None:
    hall = served.write()
    at = press(served.open(), "Begin")
    at = press(sound(at.checkbox[0].check().run()), "Take part")
    token = token_of(at)
    sitting = hall.enter(token)
    assert sitting is not None
    at = press(at, "Yes, delete everything")
    assert titles(at) == ["Everything is deleted"]
    assert titles(served.open(t=token)) == ["Everything is deleted"]
    assert hall.events(sitting) == []
    assert len(hall.store.participants(hall.study.id)) == 1, "a tombstone"


def test_after_a_reload_the_same_page_with_the_same_answers(served: Study) -> None:
    hall = served.write()
    at = press(served.open(), "Begin")
    token = token_of(at)
    at = press(sound(at.checkbox[0].check().run()), "Take part")
    at = sound(at.text_input[0].set_value("cooking for a crowd").run())
    again = served.open(t=token)
    assert titles(again) == ["What are you after?"]
    assert again.get("button_group")[0].value == ["cooking for a crowd"]  # type: ignore[attr-defined]
    sitting = hall.enter(token)
    assert sitting is not None
    assert "returned" in [one.kind for one in hall.events(sitting)]


def test_a_stranger_finds_nothing_but_a_shut_door(served: Study) -> None:
    hall = served.write(entry="invited")
    for address in ({}, {"t": "guess"}, {"i": "forged.1234"}, {"PROLIFIC_PID": "1" * 24}, {"t": NASTY}):
        at = served.open(**address)
        assert titles(at) == ["This link does not lead into a study"]
        assert not at.button
    code = invitations(hall.study, hall.store, 1)[0]
    one, other = served.open(i=code), served.open(i=code)
    assert token_of(one) == token_of(other)
    assert len(hall.store.participants("reasons")) == 1


def test_there_is_no_other_page_to_go_to(served: Study) -> None:
    served.write()
    at = served.open()
    assert not at.sidebar
    for page in ("workshop", "for_you", "start"):
        with pytest.raises(ValueError, match="Could not find a navigation page"):
            at.switch_page(f"app_pages/{page}.py")


def test_a_full_study_and_a_changed_one_say_so(served: Study) -> None:
    served.write(quota=1)
    token = token_of(press(served.open(), "Begin"))
    assert "has all the participants" in shown(press(served.open(), "Begin"))
    served.write(debrief="Other words.", quota=1)
    assert titles(served.open(t=token)) == ["This study has been changed since you began"]


def test_who_comes_from_a_panel_to_a_full_study_is_told_so(served: Study) -> None:
    hall = served.write(quota=1, entry="panel")
    assert token_of(served.open(PROLIFIC_PID="1" * 24))
    late = served.open(PROLIFIC_PID="2" * 24)
    assert titles(late) == ["Thank you for coming"]
    assert "has all the participants" in shown(late)
    assert len(hall.store.participants("reasons")) == 1


def test_a_door_that_cannot_be_opened_now_can_be_pressed_again(served: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> int:
        raise StoreUnavailable("The disk is full.")

    served.write()
    at = served.open()
    with monkeypatch.context() as broken:
        broken.setattr(StudyStore, "enrol", fails)
        at = press(at, "Begin")
        assert "could not be kept" in shown(at)
    assert token_of(press(at, "Begin"))


def test_on_a_page_of_a_task_what_is_missing_is_said_once(served: Study) -> None:
    hall = served.write()
    sitting, token = hall.admit()
    for step in hall.study.path[:2]:
        sitting = hall.finish(sitting, step.id, answers_to(step))
    at = press(served.open(t=token), "Go on")
    assert [one.value for one in at.warning] == [hall.study.word("answer_all", missing=3)]
    at = sound(at.radio[0].set_value(2).run())
    assert not at.warning


def test_what_could_not_be_kept_is_said_and_stays_on_the_page(served: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    hall = served.write()
    at = press(served.open(), "Begin")
    at = press(sound(at.checkbox[0].check().run()), "Take part")

    def fails(*_: Any, **__: Any) -> int:
        raise StoreUnavailable("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr(StudyStore, "append", fails)
        at = sound(at.text_input[0].set_value("cooking for a crowd").run())
        assert "could not be kept" in shown(at)
        broken.setattr(StudyStore, "events", fails)
        at = press(at, "Go on")
        assert "could not be kept" in shown(at)
        assert titles(at) == ["What are you after?"]
        assert "disk" not in shown(at)
    at = sound(at.text_input[0].set_value("travels light").run())
    at = press(at, "Go on")
    sitting = hall.enter(token_of(at))
    assert sitting is not None
    assert sitting.done["profile"]["phrases"] == ["cooking for a crowd", "travels light"]


def test_a_workspace_that_cannot_show_it_is_told_to_nobody_but_the_log(served: Study, caplog: pytest.LogCaptureFixture) -> None:
    served.write(tasks=[{"id": "choose", "text": "Choose.", "scenarios": ["nowhere"]}], checks=[])
    at = served.open()
    assert "could not be kept just now" in shown(at)
    assert "nowhere" not in shown(at)
    assert "nowhere" in caplog.text
    served.file.write_text("this is no TOML")
    assert "could not be kept just now" in shown(served.open())


def test_settings_that_cannot_be_read_open_no_other_page(served: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    served.write()
    monkeypatch.setenv("PERSONA_SEED", "none")
    at = served.open()
    assert "could not be kept just now" in shown(at)
    with pytest.raises(ValueError, match="Could not find a navigation page"):
        at.switch_page("app_pages/workshop.py")


def test_hostile_words_are_words(served: Study) -> None:
    hall = served.write(title=NASTY, debrief=NASTY, consent={"version": "1", "text": NASTY})
    at = served.open()
    assert "<script>" not in "".join(pages_html(at))
    at = press(at, "Begin")
    assert "&lt;script&gt;" in "".join(pages_html(at))
    at = press(sound(at.checkbox[0].check().run()), "Take part")
    for words in (NASTY, "=cmd()", "x" * 200):
        at = sound(at.text_input[0].set_value(words).run())
    at = press(at, "Go on")
    sitting = hall.enter(token_of(at))
    assert sitting is not None
    assert sitting.done["profile"]["phrases"][0] == NASTY


@pytest.mark.parametrize("profile", ["editable", "fixed"])
def test_an_editable_profile_can_be_edited_and_a_fixed_one_not(served: Study, profile: str) -> None:
    hall = served.write(factors={"profile": [profile], "explanation": ["persona_quotes"], "counter": ["shown"]})
    sitting, token = hall.admit()
    for step in hall.study.path[:2]:
        sitting = hall.finish(sitting, step.id, answers_to(step))
    at = served.open(t=token)
    assert ("The list is right now" in [one.label for one in at.button]) == (profile == "editable")
    if profile == "editable":
        at = sound(at.text_input[0].set_value("a gift that lands").run())
        assert any("gift" in one.label for one in at.button)
        at = press(at, "The list is right now")
        assert "At first sight" in shown(at)


def test_the_address_of_the_database_can_be_set(place: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert database_of(place).endswith("studies/studies.sqlite")
    monkeypatch.setenv("PERSONA_STUDY_DATABASE", f"sqlite:///{tmp_path}/elsewhere.sqlite")
    assert database_of(place).endswith("elsewhere.sqlite")
