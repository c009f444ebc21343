"""The Study desk: locked without its token; each part with people, without, and with a file that cannot be run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from persona_core.study.bundle import bundle
from persona_core.study.design import Study, read_study
from persona_core.study.place import TEMPLATE, open_store, studies_of, study_files
from persona_core.study.sitting import Hall
from persona_core.study.synthetic import Crowd, Effect, simulate
from persona_core.study.writing import as_file
from persona_core.workspace import Workspace
from tests.app.conftest import PAGES, ROOT, pages_html, sound, words_of
from tests.study.made import study
from tests.study.test_analysis import PLANNED
from ui import resources
from ui.desk import choosing, lock

TOKEN = "a token of the test's own"


@pytest.fixture
def place(shared: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    shutil.copytree(shared.root, tmp_path / "copy")
    found = Workspace.at(tmp_path / "copy")
    monkeypatch.setenv("PERSONA_WORKSPACE", str(found.root))
    monkeypatch.setenv("PERSONA_STUDY_DESK_TOKEN", TOKEN)
    return found


def made(place: Workspace, name: str = "reasons", **changes: object) -> Study:
    found = study(**{"id": name, "factors": {"explanation": ["none", "persona"]}, "hypotheses": PLANNED} | changes)
    studies_of(place).mkdir(exist_ok=True)
    (studies_of(place) / f"{name}.toml").write_text(as_file(found), "utf-8")
    return found


def walked(place: Workspace, found: Study, many: int = 10) -> None:
    engine = resources.engine(place)
    simulate(Hall(found, open_store(place)), engine, many, Crowd((Effect("control", "explanation", "persona", 1.5),)))


def desk(part: str = "Design", unlocked: bool = True, **state: object) -> AppTest:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    if unlocked:
        at.session_state[lock.OPEN] = lock._mark(TOKEN)
    for name, value in {"desk_part": part, **state}.items():
        at.session_state[name] = value
    return sound(at.switch_page(PAGES["study_desk"]).run())


def shown(at: AppTest) -> str:
    kinds = (*at.info, *at.warning, *at.error, *at.success)
    return words_of(at) + "\n".join(pages_html(at)) + "\n".join(str(one.proto) for one in kinds)


def pressed(at: AppTest, label: str) -> AppTest:
    return sound(next(one for one in at.button if one.label == label).click().run())


# The lock ----------------------------------------------------------------------------------------------------------------


def test_without_a_token_in_the_environment_it_stays_locked_and_says_how(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    for token in ("", "short"):
        monkeypatch.setenv("PERSONA_STUDY_DESK_TOKEN", token)
        at = desk(unlocked=False)
        assert "The desk is locked" in shown(at)
        assert "study run" in shown(at)
        assert not at.get("button_group")


def test_it_opens_with_the_token_and_nothing_else(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "PAUSE_S", 0.0)
    made(place)
    at = desk(unlocked=False)
    for wrong in ("", "guess", TOKEN[:-1], TOKEN.upper(), "ü"):
        at.text_input[0].set_value(wrong)
        at = pressed(at, "Open")
        assert "This is not the token" in shown(at)
        assert not at.get("button_group")
    at.text_input[0].set_value(TOKEN)
    at = pressed(at, "Open")
    assert at.get("button_group")
    assert TOKEN not in str(at.main)


def test_another_token_shuts_it_again(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    at = desk()
    monkeypatch.setenv("PERSONA_STUDY_DESK_TOKEN", "another token, as long")
    assert not sound(at.run()).get("button_group")


# Its parts ---------------------------------------------------------------------------------------------------------------


def test_the_study_that_ships_can_be_looked_at_and_copied(place: Workspace) -> None:
    at = desk()
    assert "Make a new one from it" in shown(at)
    at.text_input[0].set_value("spring")
    at = pressed(at, "Make it")
    copy = read_study(studies_of(place) / "spring.toml")
    shipped = read_study(TEMPLATE)
    assert copy == shipped.model_copy(update={"id": "spring"})
    assert "# " in (studies_of(place) / "spring.toml").read_text(), "with its comments"
    assert any(one.label == "Title, as participants read it" for one in at.text_input)


@pytest.mark.parametrize("name", ["", "Spring", "../x", "a b", "1st", "reasons"])
def test_a_name_that_cannot_be_is_refused(place: Workspace, name: str) -> None:
    made(place)
    before = study_files(place)
    at = desk()
    next(one for one in at.text_input if one.key == choosing.NAMED).set_value(name)
    pressed(at, "Make it")
    assert study_files(place) == before


def test_the_form_saves_what_can_be_run_and_nothing_else(place: Workspace) -> None:
    made(place)
    file = studies_of(place) / "reasons.toml"
    at = desk()
    next(one for one in at.text_input if one.label.startswith("Title")).set_value("Another title")
    at = pressed(at, "Check and save")
    assert read_study(file).title == "Another title"
    before = file.read_bytes()
    next(one for one in at.multiselect if one.label == "How a thing is explained").set_value(["none"])
    at = pressed(at, "Check and save")
    assert "could not be run yet" in shown(at)
    assert "compares" in shown(at)
    assert file.read_bytes() == before


def test_the_file_itself_can_be_edited(place: Workspace) -> None:
    found = made(place)
    file = studies_of(place) / "reasons.toml"
    at = desk()
    area = next(one for one in at.text_area if one.label == "The file")
    area.set_value("nonsense =")
    at = pressed(at, "Check and save the file")
    assert "Nothing was saved" in shown(at)
    assert read_study(file) == found
    next(one for one in at.text_area if one.label == "The file").set_value(as_file(study(id="reasons", title="By hand")))
    pressed(at, "Check and save the file")
    assert read_study(file).title == "By hand"


def test_where_the_app_only_reads_nothing_can_be_changed(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    made(place)
    monkeypatch.setenv("PERSONA_READONLY", "1")
    at = desk()
    assert "This app only reads" in shown(at)
    assert not {"Make it", "Check and save", "Check and save the file"} & {one.label for one in at.button}


def test_where_the_app_only_reads_nothing_is_taken_in_or_deleted(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    made(place, retention_days=1)
    monkeypatch.setenv("PERSONA_READONLY", "1")
    at = desk("Hand over")
    assert "nothing can be taken in or deleted here" in shown(at)
    assert not at.file_uploader


def test_a_file_that_cannot_be_run_says_where(place: Workspace) -> None:
    made(place)
    (studies_of(place) / "reasons.toml").write_text("id = 7")
    for part in ("Design", "Results", "Preview"):
        at = desk(part)
        assert "is no study that could be run" in shown(at)


def test_a_preview_walks_the_path_and_goes_into_no_study(place: Workspace) -> None:
    found = made(place)
    at = desk("Preview", preview_explanation="persona")
    at = sound(at.checkbox[0].check().run())
    at = pressed(at, "Take part")
    assert "What are you after?" in [one.value for one in at.title]
    assert open_store(place).participants(found.id) == []
    at = pressed(at, "Begin anew")
    assert "Take part" in [one.label for one in at.button]


def test_the_plan_says_how_many_and_a_rehearsal_counts_apart(place: Workspace) -> None:
    found = made(place)
    at = desk("Plan", rehearse_many=6)
    assert "participants find a difference of 0.5" in shown(at)
    at = pressed(at, "Send them through")
    assert "came to the end" in shown(at)
    assert {one.origin for one in open_store(place).participants(found.id)} == {"simulated"}
    assert "Nobody has come yet" in shown(desk("Progress"))
    assert "6" in [one.value for one in desk("Progress", desk_rehearsals=True).metric]


@pytest.mark.parametrize(("entry", "says"), [("open", "Everybody with this address"), ("panel", "PROLIFIC_PID"), ("invited", "?i=")])
def test_links_are_those_of_the_entry(place: Workspace, entry: str, says: str) -> None:
    made(place, entry=entry)
    at = desk("Invite")
    if entry == "invited":
        at = pressed(at, "Make links")
    assert says in shown(at)
    assert "Another study is served here, or none" in shown(at)


def test_progress_and_results_of_people(place: Workspace) -> None:
    found = made(place)
    assert "No results yet" in shown(desk("Results"))
    walked(place, found)
    at = desk("Progress", desk_rehearsals=True)
    assert [one.value for one in at.metric][:2] == ["10", "10"]
    assert "All 10 who came finished every page" in shown(at)
    at = desk("Results", desk_rehearsals=True)
    said = shown(at)
    assert "What was planned" in said
    assert "What was not planned" in said
    assert "control" in said
    assert "Cronbach" in said
    assert "Made-up participants are counted here" in said


def test_a_bundle_of_another_machine_is_taken_in(place: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = made(place, retention_days=1)
    walked(place, found, 4)
    content = bundle(found, as_file(found), open_store(place), place, rehearsals=True)
    at = desk("Hand over")
    assert [one.label for one in at.get("download_button")] == ["Download the bundle"]  # type: ignore[attr-defined]
    assert "0 participants came before" in shown(at)
    monkeypatch.setenv("PERSONA_STUDY_DATABASE", f"sqlite:///{tmp_path}/empty.sqlite")
    at = desk("Hand over")
    at.file_uploader[0].set_value(("x.zip", content, "application/zip"))
    at = pressed(sound(at.run()), "Take it in")
    assert "4 participants" in shown(at)
    at.file_uploader[0].set_value(("x.zip", b"no zip", "application/zip"))
    at = pressed(sound(at.run()), "Take it in")
    assert "no bundle of a study" in shown(at)


def test_a_database_that_does_not_answer_is_said_so(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA_STUDY_DATABASE", "postgresql+psycopg://nobody@127.0.0.1:9/x")
    assert "cannot be used now" in shown(desk("Progress"))


def test_hostile_titles_are_words(place: Workspace) -> None:
    made(place, title="<script>alert(1)</script> **x**")
    at = desk()
    assert "<script>" not in "".join(pages_html(at))
