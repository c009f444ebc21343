"""The page of scenarios: how they go together, what somebody carries over, how far it helps; calm words where something is missing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from persona_core.engine import Engine
from persona_core.scenarios.files import Scenarios
from persona_core.scenarios.knowledge import Between
from persona_core.workspace import Workspace
from tests.app.conftest import PAGES, Opened, pages_html, sound, words_of
from tests.support.worlds import build_from, tiny_reviews, write_lines, write_tiny_world
from ui import resources
from ui.scenarios import crossing, flow, gain, together

PAGE = PAGES["scenarios"]
HOME, EVERYWHERE = "u0012", "u0006"
NASTY = "[Thing](javascript:1) <b>0</b> :red[x]"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Enough people who know all scenarios for something to be said of every two; one thing has a hostile title."""
    folder = write_tiny_world(tmp_path_factory.mktemp("scenarios") / "world")
    write_lines(folder / "reviews.jsonl", tiny_reviews(users=12, number=200))
    (folder / "items.jsonl").write_text((folder / "items.jsonl").read_text().replace("Thing 0", NASTY))
    return build_from(folder, tmp_path_factory.mktemp("built") / "workspace")


@pytest.fixture
def place(world: Workspace, tmp_path: Path) -> Workspace:
    shutil.copytree(world.root, tmp_path / "copy")
    return Workspace.at(tmp_path / "copy")


def at_page(open_app: Opened, place: Workspace, **address: str) -> AppTest:
    return sound(sound(open_app(place, address)).switch_page(PAGE).run())


def shown(at: AppTest) -> str:
    return words_of(at) + "\n" + "\n".join(pages_html(at)) + "\n" + "\n".join(str(one.proto) for one in at.info)


# All is well -------------------------------------------------------------------------------------------------------------


def test_the_page_says_what_goes_together_what_carries_over_and_how_far_it_helps(built_demo: Workspace, open_app: Opened) -> None:
    at = at_page(open_app, built_demo, who=EVERYWHERE)
    assert [one.value for one in at.title] == ["Scenarios"]
    assert [one.value for one in at.header] == ["How they go together", "From one to another", "How far that helps"]
    said = shown(at)
    assert "One and the same person wrote" in said
    assert "did choose there. By chance it would be about" in said
    assert "in a scenario; then we looked for what they chose there next" in said


def test_another_pair_and_another_target_are_shown_at_a_press(built_demo: Workspace, open_app: Opened) -> None:
    at = at_page(open_app, built_demo, who=EVERYWHERE)
    at = sound(at.segmented_control(key=together.PAIR).set_value("books and outdoors").run())
    assert "look for in books says" in shown(at)
    at = sound(at.segmented_control(key=crossing.TARGET).set_value("kitchen").run())
    assert [one.value for one in at.subheader] == ["What would suit them in kitchen"]


def test_somebody_at_home_in_one_is_led_to_what_is_new_to_them(built_demo: Workspace, open_app: Opened) -> None:
    at = at_page(open_app, built_demo, who=HOME)
    assert at.segmented_control(key=crossing.TARGET).options == ["Kitchen", "Outdoors"]
    assert "They have never been to kitchen" in shown(at)
    assert "did choose there" not in shown(at)


def test_a_picture_has_a_line_for_each_wish_and_says_the_same_in_words(built_demo: Workspace) -> None:
    engine = Engine.open(built_demo)
    assert engine.scenarios is not None
    profile = engine.profile(HOME)
    over = engine.scenarios.over(profile, profile)
    assert over is not None
    carries = engine.scenarios.flows(over, engine.scenarios.code["kitchen"])
    picture = flow.placed(engine.scenarios, carries, "kitchen")
    assert picture.links["link"].nunique() == len(carries) == flow.in_words(engine.scenarios, carries, "kitchen").count(": in kitchen")
    assert picture.links["x"].between(0, 1).all()
    assert picture.links["y"].between(0, picture.rows).all()
    assert picture.links["size"].max() == pytest.approx(flow.WIDEST)


def test_a_cell_says_in_a_word_what_its_sentence_says(built_demo: Workspace) -> None:
    scenarios = Scenarios.of(built_demo.artefact("scenarios"))
    for pair in scenarios.pairs:
        assert f"says {together.word(pair)}" in pair.text
    unsure = Between(one="a", other="b", people=9, strength=0.2, low=-0.1, high=0.5, text="x")
    assert together.word(unsure) == "nothing sure"
    assert together.word(unsure.model_copy(update={"strength": None, "low": None})) == "not known"
    assert {one["says"] for one in together.cells(scenarios)} <= {
        *together.TINTS["light"],
        *(f"{one.people:,} people" for one in scenarios.every),
    }
    assert together.TINTS["light"].keys() == together.TINTS["dark"].keys()


def test_a_test_that_found_no_gain_is_told_as_it_is() -> None:
    row = {"HR@10": 0.25}
    found = {"people": 9, "cases": 10, "more": [-0.05, -0.2, 0.1], "p": 0.6,
             "rows": [{"ranker": name, **row} for name in (gain.WITH, gain.WITHOUT, "popularity")]}  # fmt: skip
    assert "−5% (−20% to +10%), which chance could do as well" in gain.said(found)


# Where something is missing ----------------------------------------------------------------------------------------------


def test_of_somebody_new_there_is_nothing_to_carry_over(place: Workspace, open_app: Opened) -> None:
    said = shown(at_page(open_app, place, who="new"))
    assert "Nothing to carry over" in said
    assert "Nobody has tried it on this data yet" in said
    assert "scenarios --judge" in said


def test_titles_of_strangers_are_shown_letter_for_letter(place: Workspace, open_app: Opened) -> None:
    drawn = "\n".join(
        piece for user in ("u0", "u1", "u2") for piece in pages_html(at_page(open_app, place, who=user))
    )  # fmt: skip
    assert "<b>0</b>" not in drawn
    assert "[Thing](javascript:1) &lt;b&gt;0&lt;/b&gt; :red[x]" in drawn


def test_one_scenario_is_said_to_be_alone(tmp_path: Path, open_app: Opened) -> None:
    folder = write_tiny_world(tmp_path / "world")
    items = [json.loads(line) | {"scenario": "books"} for line in (folder / "items.jsonl").read_text().splitlines()]
    write_lines(folder / "items.jsonl", items)
    said = shown(at_page(open_app, build_from(folder, tmp_path / "workspace")))
    assert "There is one scenario only" in said
    assert "From one to another" not in said


def test_without_the_step_the_page_offers_to_take_it(place: Workspace, open_app: Opened) -> None:
    shutil.rmtree(place.root / "scenarios")
    at = at_page(open_app, place)
    assert "Nothing is known of scenarios yet" in shown(at)
    at = sound(at.button(key="scenarios_build").click().run())
    assert resources.build_job(str(place.root)).wait(180)
    assert "How they go together" in shown(sound(at.run()))


def test_what_is_broken_is_explained_and_every_other_page_goes_on(place: Workspace, open_app: Opened) -> None:
    place.artefact("scenarios").file("carried.safetensors").write_bytes(b"no numbers")
    at = at_page(open_app, place)
    assert "build --only scenarios" in shown(at)
    assert at.button(key="scenarios_build")
    assert "Looking through the eyes" in shown(sound(at.switch_page(PAGES["for_you"]).run()))


def test_nothing_built_shows_the_build(workspace: Workspace, open_app: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA_READONLY", "true")
    assert "build --from demo" in shown(at_page(open_app, workspace))
