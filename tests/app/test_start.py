"""The start page: on the demo world, on nothing, on damaged and busy workspaces, and on what strangers wrote."""

from __future__ import annotations

import json
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from persona_core.errors import ArtefactBroken
from persona_core.settings import DEMO_DATA
from persona_core.steps import STEPS
from persona_core.workspace import Workspace
from tests.app.conftest import Opened, words_of
from tests.support.toy_cli import TOY
from tests.support.worlds import build_from, write_tiny_world
from ui import resources
from ui.jobs import COMMAND


def sound(at: AppTest) -> AppTest:
    assert not at.exception, at.exception
    return at


def build_done(place: Workspace) -> None:
    assert resources.build_job(str(place.root)).wait(120)


def button(at: AppTest, label: str) -> Any:
    return next(one for one in at.button if one.label == label)


@pytest.fixture(autouse=True)
def _the_demo_is_small(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a test lets the app build, a whole demo world would take a minute; the process is handed another world's path."""
    if "tiny_demo" in request.fixturenames:
        monkeypatch.setattr("ui.jobs.DEMO", str(request.getfixturevalue("tiny_world")))


@pytest.fixture
def tiny_demo(tiny_world: Path) -> Path:
    return tiny_world


def test_shows_the_demo_world_in_numbers_voices_and_steps(built_demo: Workspace, open_app: Opened) -> None:
    at = sound(open_app(built_demo))
    said = words_of(at)
    facts = {metric.label: metric.value for metric in at.metric}
    assert facts["Items"] == "165"
    assert facts["Purchases"].replace(",", "").isdigit()
    for scenario in ("Books", "Kitchen", "Outdoors"):
        assert scenario in said
    for step in STEPS:
        assert step.title in said
    assert said.count("★") >= 9 * 5 - said.count("☆")
    assert at.expander[0].label == "12 rows could not be used"
    assert "out of date" not in said


def test_every_voice_stands_word_for_word_in_the_data(built_demo: Workspace, open_app: Opened) -> None:
    texts = {json.loads(line).get("text") for line in (DEMO_DATA / "reviews.jsonl").read_text("utf-8").splitlines()}
    overview = resources.overview(built_demo)
    shown = {text.value for text in sound(open_app(built_demo)).text}
    for voice in overview["voices"]:
        assert voice["text"] in texts
        assert voice["text"] in shown


def test_an_empty_workspace_builds_the_demo_world_by_itself(workspace: Workspace, open_app: Opened) -> None:
    at = sound(open_app(workspace))
    job = resources.build_job(str(workspace.root))
    while job.running and "overview" not in job.finished:
        sleep(0.05)
    at = sound(at.run())  # the page need not wait for the rest
    assert {metric.label: metric.value for metric in at.metric}["Items"] == "165"
    job.stop()
    build_done(workspace)


def test_the_build_in_progress_is_shown_and_can_be_stopped(workspace: Workspace, open_app: Opened, tiny_demo: Path) -> None:
    workspace.root.mkdir()
    (workspace.root / "hold").touch()
    job = resources.build_job(str(workspace.root))
    job.command = TOY  # it stays at its second step for as long as `hold` is there
    at = sound(open_app(workspace))
    assert "Preparing what you are about to see" in words_of(at)
    at = sound(button(at, "Stop").click().run())
    build_done(workspace)
    at = sound(at.run())
    assert "goes on from there" in words_of(at)
    job.command = COMMAND
    at = sound(button(at, "Go on").click().run())
    build_done(workspace)
    assert len(sound(at.run()).metric) == 5


def test_a_workspace_of_ones_own_is_shown_like_the_demo(built_tiny: Workspace, open_app: Opened) -> None:
    facts = {metric.label: metric.value for metric in sound(open_app(built_tiny)).metric}
    assert facts == {
        "Items": "6", "People": "8", "Purchases": "40", "Written reviews": "20", "Buy in two scenarios or more": "100%",
    }  # fmt: skip


def test_a_setting_that_is_not_understood_is_explained(
    built_tiny: Workspace, open_app: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    (built_tiny.root / "workspace.toml").write_text("sede = 3\n")
    said = words_of(sound(open_app(built_tiny)))
    assert "sede" in said
    assert "Something needs mending" in said


def test_a_damaged_overview_is_built_again_by_itself(built_tiny: Workspace, open_app: Opened) -> None:
    built_tiny.artefact("overview").file("overview.json").write_text("{}")
    at = sound(open_app(built_tiny))
    build_done(built_tiny)
    assert len(sound(at.run()).metric) == 5


def test_data_that_is_gone_is_an_error_with_its_remedy(tmp_path: Path, workspace: Workspace, open_app: Opened) -> None:
    world = write_tiny_world(tmp_path / "world")
    build_from(world, workspace.root)
    workspace.artefact("overview").file("overview.json").unlink()
    world.rename(tmp_path / "elsewhere")
    at = sound(open_app(workspace))
    build_done(workspace)
    said = words_of(sound(at.run()))
    assert "There is nothing at" in said
    assert "--from" in said


def test_a_stale_step_is_said_to_be_so_and_brought_up_to_date(
    built_tiny: Workspace, open_app: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERSONA_SPLITS_TEST_SHARE", "0.2")
    at = sound(open_app(built_tiny))
    assert "Not up to date" in words_of(at)
    assert len(at.metric) == 5
    at = sound(next(button for button in at.button if button.label == "Bring up to date").click().run())
    build_done(built_tiny)
    assert "Not up to date" not in words_of(sound(at.run()))


def test_a_busy_workspace_is_waited_for_and_its_holder_named(workspace: Workspace, open_app: Opened, tiny_demo: Path) -> None:
    with workspace.lock("a build elsewhere"):
        at = sound(open_app(workspace))
        build_done(workspace)
        at = sound(at.run())
        assert "a build elsewhere" in words_of(at)
    at = sound(at.run())  # by itself, a moment after the other let go
    build_done(workspace)
    assert len(sound(at.run()).metric) == 5


def test_a_read_only_app_never_builds(workspace: Workspace, open_app: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA_READONLY", "true")
    said = words_of(sound(open_app(workspace)))
    assert "build --from demo" in said
    with pytest.raises(Exception, match="has not been built") as caught:
        workspace.artefact("catalog")
    assert not isinstance(caught.value, ArtefactBroken)


def test_what_strangers_wrote_is_shown_letter_for_letter(tmp_path: Path, open_app: Opened) -> None:
    world = write_tiny_world(tmp_path / "world")
    nasty = "<script>alert(1)</script> ![x](http://example.invalid/p.png) :red[sale] $\\frac{1}{0}$ and so on, **bold**."
    rows = [json.loads(line) for line in (world / "reviews.jsonl").read_text().splitlines()]
    rows[-2] |= {"text": nasty, "rating": 1}
    (world / "reviews.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    items = (world / "items.jsonl").read_text().replace("Thing", "[click](javascript:1) <b>Thing</b>")
    (world / "items.jsonl").write_text(items)
    at = sound(open_app(build_from(world, tmp_path / "workspace")))
    assert nasty in {text.value for text in at.text}
    assert all("<b>" not in str(part.value) and "alert" not in str(part.value) for part in (*at.markdown, *at.caption))
