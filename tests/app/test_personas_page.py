"""The page of personas: search, map, items, quotes in place, curation; and calm words wherever something is missing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from persona_core.catalog.choose import choose_source
from persona_core.engine import Engine
from persona_core.personas import curation
from persona_core.personas.regions import Region
from persona_core.schema import Persona, Stance
from persona_core.workspace import Workspace
from tests.app.conftest import Opened, words_of
from tests.support.tastes import persona_of
from tests.support.worlds import build_from, write_tiny_world
from ui import resources
from ui.people import chip, choosing, found, item
from ui.people import map as people_map

NASTY = "<script>alert(1)</script> ![x](http://example.invalid/p.png) :red[sale] $\\frac{1}{0}$ and **bold** & it broke at once."
LONELY = "i9"
"""An item that nobody has written about."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A small shop with a hostile title, a hostile review, and an item without reviews; nobody changes it."""
    folder = write_tiny_world(tmp_path_factory.mktemp("people") / "world")
    rows = [json.loads(line) for line in (folder / "reviews.jsonl").read_text().splitlines()]
    for row in rows:
        row["text"] = f"{NASTY} Number {row['review_id']}." if row["text"] else ""
    rows.append(rows[1] | {"review_id": "last", "item_id": LONELY})
    (folder / "reviews.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    items = (folder / "items.jsonl").read_text().replace("Thing 0", "[Thing](javascript:1) <b>0</b>")
    lonely = {"item_id": LONELY, "scenario": "books", "title": "Unread", "maker": "", "description": "", "price": 1.0}
    (folder / "items.jsonl").write_text(items + json.dumps(lonely) + "\n")
    return build_from(folder, tmp_path_factory.mktemp("built") / "workspace")


@pytest.fixture
def place(world: Workspace, tmp_path: Path) -> Workspace:
    shutil.copytree(world.root, tmp_path / "copy")
    return Workspace.at(tmp_path / "copy")


def at_page(open_app: Opened, place: Workspace, **query: str) -> AppTest:
    at = open_app(place)
    for name, value in query.items():
        at.query_params[name] = value
    return sound(at.switch_page("app_pages/personas.py").run())


def sound(at: AppTest) -> AppTest:
    assert not at.exception, at.exception
    return at


def shown(at: AppTest) -> str:
    """Everything on the page, with the markup of what is drawn by `ui.markup`."""
    return words_of(at) + "\n" + "\n".join(element.proto.body for element in at.get("html"))


def people_in(place: Workspace) -> list[Persona]:
    return list(Engine.open(place).personas)


def press(at: AppTest, key: str) -> AppTest:
    return sound(at.button(key=key).click().run())


def opened_item(open_app: Opened, place: Workspace, item_id: str) -> AppTest:
    at = at_page(open_app, place)
    return sound(at.selectbox(key="item").set_value(item_id).run())


# All is well -----------------------------------------------------------------------------------------------------------


def test_the_map_is_there_with_words_for_those_who_cannot_see_it(place: Workspace, open_app: Opened) -> None:
    at = at_page(open_app, place)
    assert [one.value for one in at.title] == ["Personas"]
    assert "The map of personas" in words_of(at)
    (drawing,) = at.get("vega_lite_chart")
    assert f"Map of {len(people_in(place))} personas" in str(drawing.proto)


def test_a_search_by_words_leads_to_an_item_and_back(place: Workspace, open_app: Opened) -> None:
    at = at_page(open_app, place)
    at = sound(at.text_input(key="q").set_value("thing 3").run())
    assert "found by its words" in shown(at)
    at = press(at, "people_item_i3")
    assert "Thing 3" in shown(at)
    assert not at.get("vega_lite_chart")
    at = press(at, "people_back")
    assert at.get("vega_lite_chart")
    assert at.text_input(key="q").value == "thing 3"


def test_a_search_that_finds_nothing_says_so(place: Workspace, open_app: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("persona_core.personas.search.CLOSE", 2.0)
    at = at_page(open_app, place)
    at = sound(at.text_input(key="q").set_value("zzzzqq").run())
    assert "Try fewer words" in shown(at)
    assert at.get("vega_lite_chart")


@pytest.mark.parametrize("query", ["\x00\x01", "   ", "a" * 10_000, "<script>", "\u202e\u200b", "★"])
def test_hostile_queries_are_harmless(place: Workspace, open_app: Opened, query: str) -> None:
    at = at_page(open_app, place)
    sound(at.text_input(key="q").set_value(query).run())


def test_an_item_shows_its_people_with_share_stance_and_quotes_in_place(place: Workspace, open_app: Opened) -> None:
    person = people_in(place)[0]
    at = opened_item(open_app, place, person.item_id)
    page = shown(at)
    assert chip.WORDS[person.stance] in page
    assert f"{person.weight:.0%} of its reviewers" in page
    assert '<blockquote class="ps-quote">' in page
    assert "<mark>" in page


def test_what_strangers_wrote_is_shown_letter_for_letter(place: Workspace, open_app: Opened) -> None:
    person = people_in(place)[0]
    at = opened_item(open_app, place, person.item_id)
    drawn = "\n".join(element.proto.body for element in at.get("html") if "--ps-" not in element.proto.body)
    assert "<script" not in drawn
    assert "&lt;script&gt;alert(1)&lt;/script&gt; ![x](http://example.invalid/p.png) :red[sale]" in drawn
    at = at_page(open_app, place, q="javascript")
    labels = [button.label for button in at.button]
    assert "\\[Thing\\]\\(javascript\\:1\\) \\<b\\>0\\</b\\>" in labels


def test_an_item_without_reviews_says_so_calmly(place: Workspace, open_app: Opened) -> None:
    at = opened_item(open_app, place, LONELY)
    assert "Nobody has written about it yet" in shown(at)
    assert not at.error


def test_who_is_like_a_persona_and_looking_through_their_eyes(place: Workspace, open_app: Opened) -> None:
    person = people_in(place)[0]
    engine = Engine.open(place)
    user, match = engine.admirers(person.id, 1)[0]
    at = opened_item(open_app, place, person.item_id)
    assert f"{match:.2f}, {item.closeness(match)}" not in shown(at)
    at.session_state[f"people_like_{person.id}"] = True
    at = sound(at.run())
    assert f"{match:.2f}, {item.closeness(match)}" in shown(at)
    press(at, f"people_eyes_{person.id}_{user}")
    assert at.session_state["_who"] == user


# Curation --------------------------------------------------------------------------------------------------------------


def curate(at: AppTest, person: Persona, action: str, name: str = "", note: str = "") -> AppTest:
    if name:
        at.text_input(key=f"people_name_{person.id}").set_value(name)
    at.text_input(key=f"people_note_{person.id}").set_value(note)
    return press(at, f"people_{action}_{person.id}")


def test_a_persona_is_renamed_hidden_and_given_back(place: Workspace, open_app: Opened) -> None:
    person = people_in(place)[0]
    at = opened_item(open_app, place, person.item_id)
    at = curate(at, person, "rename", "<i>New</i> name", "clearer")
    assert "&lt;i&gt;New&lt;/i&gt; name" in shown(at)
    assert "clearer" in shown(at)
    at = curate(at, person, "hide", note="no more")
    assert f"people_curate_{person.id}" not in str(at.main)
    assert person.id not in {one.id for one in people_in(place)}
    at = press(at, f"people_undo_{person.id}")
    assert people_in(place)[0].name == "<i>New</i> name"
    press(at, f"people_undo_{person.id}")
    assert people_in(place)[0] == person


def test_a_name_that_cannot_be_read_is_refused_in_words(place: Workspace, open_app: Opened) -> None:
    person = people_in(place)[0]
    at = opened_item(open_app, place, person.item_id)
    at = curate(at, person, "rename", "x")
    said = [toast.value for toast in at.toast] + ([at.session_state["_said"]] if "_said" in at.session_state else [])
    assert any("2 to 60 characters" in words for words in said)
    assert people_in(place)[0] == person


def test_a_read_only_app_does_not_curate(place: Workspace, open_app: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    person = people_in(place)[0]
    curation.hide(place, people_in(place)[1])
    monkeypatch.setenv("PERSONA_READONLY", "true")
    at = opened_item(open_app, place, person.item_id)
    assert "This app only reads" in shown(at)
    keys = [str(button.key) for button in at.button]
    assert not [key for key in keys if key.startswith(("people_hide", "people_rename", "people_undo"))]


def test_an_item_whose_personas_are_all_hidden_says_so(place: Workspace, open_app: Opened) -> None:
    person = people_in(place)[0]
    for one in people_in(place):
        if one.item_id == person.item_id:
            curation.hide(place, one)
    assert "No personas to show" in str(opened_item(open_app, place, person.item_id).info[0].proto)


# Something is missing --------------------------------------------------------------------------------------------------


def test_nothing_built_shows_the_build(workspace: Workspace, open_app: Opened, tiny_world: Path) -> None:
    choose_source(workspace, str(tiny_world))
    at = at_page(open_app, workspace)
    assert not at.get("vega_lite_chart")
    job = resources.build_job(str(workspace.root))
    assert job.running or job.finished
    assert job.wait(120)
    assert sound(at.run()).get("vega_lite_chart")


def test_nothing_built_and_only_reading_says_what_to_type(
    workspace: Workspace, open_app: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERSONA_READONLY", "true")
    assert "build --from demo" in shown(at_page(open_app, workspace))


def test_a_workspace_without_a_map_still_searches_and_offers_to_draw_it(place: Workspace, open_app: Opened) -> None:
    shutil.rmtree(place.root / "map")
    at = at_page(open_app, place)
    assert "not drawn yet" in shown(at)
    assert not at.get("vega_lite_chart")
    at = sound(at.text_input(key="q").set_value("thing").run())
    assert "found by its words" in shown(at)
    draw = next(button for button in at.button if button.label == "Draw the map")
    at = sound(draw.click().run())
    assert resources.build_job(str(place.root)).wait(120)
    assert sound(at.run()).get("vega_lite_chart")


def test_a_broken_workspace_is_no_traceback(place: Workspace, open_app: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA_READONLY", "true")
    place.artefact("personas").file("personas.jsonl").write_text("{}")
    at = at_page(open_app, place)
    assert not at.get("vega_lite_chart")
    assert "build" in shown(at)
    assert "Traceback" not in shown(at)


def test_a_damaged_map_is_drawn_again_on_request(place: Workspace, open_app: Opened) -> None:
    place.artefact("map").file("map.parquet").write_bytes(b"no map")
    assert "not drawn yet" in shown(at_page(open_app, place))


# Tampering -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", [{"item": "nowhere"}, {"q": "\x00<b>" * 400}, {"item": "i0", "q": "'; DROP"}, {"item": ""}])
def test_tampered_addresses_are_met_with_calm(place: Workspace, open_app: Opened, query: dict[str, str]) -> None:
    assert [one.value for one in at_page(open_app, place, **query).title] == ["Personas"]


@pytest.mark.parametrize("value", ["nowhere", 7, None, ["i0"], {"a": 1}])
def test_tampered_session_values_are_met_with_calm(place: Workspace, open_app: Opened, value: object) -> None:
    at = open_app(place)
    at.session_state["item"] = value
    at.session_state[choosing.FOCUS] = value
    sound(at.switch_page("app_pages/personas.py").run())


@pytest.mark.parametrize(
    "selection",
    [
        {}, {"area": None}, {"area": {"x": [1]}}, {"area": {"x": ["a", "b"], "y": [0, 1]}}, {"area": 3}, {"one": [{}]},
        {"one": [3]}, {"one": {"persona_id": "p"}}, {"area": {"x": [float("nan"), 1], "y": [0, 1]}}, None, 7,
    ],
)  # fmt: skip
def test_tampered_selections_choose_nobody(selection: object) -> None:
    frame = pd.DataFrame({"persona_id": ["p"], "x": [50.0], "y": [50.0]})
    assert people_map.chosen(selection, frame) == []  # type: ignore[arg-type]


def test_an_area_lists_all_that_lie_in_it_and_a_click_the_one() -> None:
    frame = pd.DataFrame({"persona_id": ["a", "b", "c"], "x": [0.0, 5.0, 50.0], "y": [0.0, 5.0, 50.0]})
    assert people_map.chosen({"area": {"x": [10, -1], "y": [-1, 10]}}, frame) == ["a", "b"]
    assert people_map.chosen({"one": [{"persona_id": "c"}]}, frame) == ["c"]


# Small parts -----------------------------------------------------------------------------------------------------------


def test_a_chip_says_its_stance_in_sign_word_and_class() -> None:
    for stance in Stance:
        drawn = str(chip.named("<b>", stance))
        assert f"ps-{stance}" in drawn
        assert chip.GLYPHS[stance] in drawn
        assert chip.WORDS[stance] in drawn
        assert "&lt;b&gt;" in drawn


def test_the_drawing_has_a_shape_for_every_colour_and_is_sampled_by_seed() -> None:
    frame = pd.DataFrame(
        {
            "persona_id": ["a"],
            "x": [0.0],
            "y": [0.0],
            "region": ["R"],
            "scenario": ["s"],
            "name": ["n"],
            "item": ["i"],
            "stance": ["x"],
        }
    )
    for selecting in (False, True):
        spec = people_map.chart(frame, [Region("Calm and sleep", 0, 0, 1)], selecting).to_dict()
        dots = spec["layer"][0]["encoding"]
        assert dots["shape"]["field"] == dots["color"]["field"] == "scenario"
        names = {one["name"] for one in spec["params"]}
        assert ("area" in names) is selecting
        assert "one" in names


def test_the_reason_is_told_without_the_quotes_beneath_it() -> None:
    person = persona_of("i").model_copy(update={"rationale": "Two speak like this. What wins them over: “It” “It”"})
    assert item.why_of(person) == "Two speak like this. What wins them over:"
    assert item.why_of(person.model_copy(update={"rationale": "“It”"})) == "What they say:"


def test_results_say_how_they_were_found() -> None:
    from persona_core.personas.search import Found

    assert found.how_of(Found("item", "i", "words")) == "found by its words"
    assert found.how_of(Found("item", "i", "meaning", 0.5)) == "found by what it means (0.50)"
