"""The page of trends: what rises, one item and its chart, who comes, the record; and calm words wherever something is missing."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from persona_core.catalog.choose import choose_source
from persona_core.engine import Engine
from persona_core.trends.files import Told, Trends
from persona_core.trends.signals import signals_of
from persona_core.trends.words import statements_in
from persona_core.workspace import Artefact, Workspace
from tests.app.conftest import PAGES, Opened, pages_html, sound, words_of
from tests.support.worlds import START, build_from, write_lines, write_tiny_world
from ui import resources
from ui.trends import choosing, drawing, item, lists, marks, people, table, tested
from ui.trends.seen import Seen, about, usually

PAGE = PAGES["trends"]
LONELY = "i9"
"""An item that nobody came to before the last days."""
NASTY = "[Thing](javascript:1) <b>0</b> :red[x]"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Half a year of a small shop, with a hostile title and an item that somebody came to at the very end; nobody changes it."""
    folder = write_tiny_world(tmp_path_factory.mktemp("trends") / "world", number=160)
    items = (folder / "items.jsonl").read_text().replace("Thing 0", NASTY)
    lonely = {"item_id": LONELY, "scenario": "books", "title": "Unmet", "maker": "", "description": "", "price": 1.0}
    rows = [json.loads(line) for line in (folder / "reviews.jsonl").read_text().splitlines()]
    write_lines(folder / "reviews.jsonl", [*rows, rows[-1] | {"review_id": "last", "item_id": LONELY, "user_id": "u0"}])
    (folder / "items.jsonl").write_text(items + json.dumps(lonely) + "\n")
    return build_from(folder, tmp_path_factory.mktemp("built") / "workspace")


@pytest.fixture
def place(world: Workspace, tmp_path: Path) -> Workspace:
    shutil.copytree(world.root, tmp_path / "copy")
    return Workspace.at(tmp_path / "copy")


@pytest.fixture(scope="module")
def seen(world: Workspace) -> Seen:
    engine = Engine.open(world)
    assert engine.trends is not None
    return Seen(engine, engine.trends)


def at_page(open_app: Opened, place: Workspace, **address: str) -> AppTest:
    return sound(sound(open_app(place, address)).switch_page(PAGE).run())


def shown(at: AppTest) -> str:
    return words_of(at) + "\n" + "\n".join(pages_html(at))


def looked_at(open_app: Opened, place: Workspace, item_id: str, **address: str) -> AppTest:
    at = at_page(open_app, place, **address)
    return sound(at.selectbox(key=choosing.LOOK).set_value(item_id).run())


# All is well -------------------------------------------------------------------------------------------------------------


def test_the_page_says_what_rises_who_comes_and_how_good_it_all_was(place: Workspace, open_app: Opened) -> None:
    at = at_page(open_app, place)
    assert [one.value for one in at.title] == ["Trends"]
    said = shown(at)
    headings = ("What rises", "What fades", "All items", "One item", "Who comes", "How good these forecasts are")
    assert all(one in said for one in headings)
    assert "people off for an item" in said
    assert "In the chart" in said
    assert at.dataframe


def test_the_chart_is_told_to_those_who_cannot_see_it(place: Workspace, open_app: Opened) -> None:
    drawings = looked_at(open_app, place, "i0").get("vega_lite_chart")
    assert any("Expected of the coming week:" in str(one.proto) and "People a week" in str(one.proto) for one in drawings)


def test_moved_back_it_says_what_then_came(place: Workspace, open_app: Opened, seen: Seen) -> None:
    at = looked_at(open_app, place, "i0")
    assert "ps-came" not in shown(at)
    day = seen.trends.ends(3).date().isoformat()
    at = sound(at.selectbox(key=choosing.AS_OF).set_value(day).run())
    came = int(seen.trends.came(3)[0])
    assert f"{came} came: " in shown(at)
    assert "As if it were" in shown(at)
    assert "What came after" in shown(at)
    assert any("Came" in str(one.proto) for one in at.dataframe)


def test_scenarios_let_only_their_items_through(place: Workspace, open_app: Opened, seen: Seen) -> None:
    at = at_page(open_app, place)
    at = sound(at.button_group(key=choosing.SCENARIO).set_value(["kitchen"]).run())
    assert set(at.dataframe[0].value["scenario"]) == {"kitchen"}
    assert len(at.dataframe[0].value) == 2


def test_a_line_of_the_lists_opens_its_item(place: Workspace, open_app: Opened) -> None:
    at = at_page(open_app, place)
    line = next(one for one in at.button if str(one.key).startswith(("trends_rising_", "trends_fading_")))
    at = sound(line.click().run())
    assert at.session_state[choosing.LOOK] == str(line.key).split("_", 2)[2]


def test_an_item_leads_to_its_people(place: Workspace, open_app: Opened) -> None:
    at = looked_at(open_app, place, "i2")
    assert "Who drives it" in shown(at)
    at = sound(at.button(key="trends_people").click().run())
    assert [one.value for one in at.title] == ["Personas"]


def test_titles_of_strangers_are_shown_letter_for_letter(place: Workspace, open_app: Opened) -> None:
    at = looked_at(open_app, place, "i0")
    drawn = "\n".join(pages_html(at))
    assert "<b>0</b>" not in drawn
    assert "[Thing](javascript:1) &lt;b&gt;0&lt;/b&gt; :red[x]" in drawn
    labels = [one.label for one in at.button if str(one.key).endswith("_i0")]
    assert all("\\[Thing\\]\\(javascript\\:1\\)" in one for one in labels)


# Where something is missing ----------------------------------------------------------------------------------------------


def test_an_item_nobody_had_come_to_says_so_calmly(place: Workspace, open_app: Opened, seen: Seen) -> None:
    at = looked_at(open_app, place, LONELY)
    assert "Why" in shown(at)
    at = sound(at.selectbox(key=choosing.AS_OF).set_value(seen.trends.ends(4).date().isoformat()).run())
    assert "Nobody had come to it by then" in "\n".join(str(one.proto) for one in at.info)
    assert "0 came" in shown(at)
    assert not at.error


def test_nothing_built_shows_the_build(workspace: Workspace, open_app: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA_READONLY", "true")
    assert "build --from demo" in shown(at_page(open_app, workspace))


def test_without_trends_the_page_offers_to_work_them_out(place: Workspace, open_app: Opened) -> None:
    shutil.rmtree(place.root / "trends")
    at = at_page(open_app, place)
    assert "No trends yet" in "\n".join(str(one.proto) for one in at.info)
    at = sound(at.button(key="trends_build").click().run())
    assert resources.build_job(str(place.root)).wait(180)
    assert "What rises" in shown(sound(at.run()))


def test_without_trends_and_only_reading_nothing_can_be_pressed(
    place: Workspace, open_app: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(place.root / "trends")
    monkeypatch.setenv("PERSONA_READONLY", "true")
    at = at_page(open_app, place)
    assert "This app only reads" in "\n".join(str(one.proto) for one in at.info)
    assert "trends_build" not in {one.key for one in at.button}


def test_broken_trends_are_explained_and_every_other_page_goes_on(place: Workspace, open_app: Opened) -> None:
    place.artefact("trends").file("trends.safetensors").write_bytes(b"no numbers")
    at = at_page(open_app, place)
    assert "Something needs mending" in shown(at)
    assert "build --only trends" in shown(at)
    assert at.button(key="trends_build")
    for name in ("start", "for_you", "your_profile", "personas", "workshop"):
        assert "Something needs mending" not in shown(sound(at.switch_page(PAGES[name]).run())), name


def test_trends_of_another_version_are_explained_too(place: Workspace, open_app: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    def older(_: Any) -> Trends:
        raise KeyError("names")

    monkeypatch.setattr(Trends, "of", older)
    assert "and yet it cannot be read" in shown(at_page(open_app, place))


def test_mended_trends_are_taken_up_though_their_version_is_the_same(place: Workspace, open_app: Opened) -> None:
    made = place.artefact("trends").folder
    shutil.copytree(made, made.parent / ".kept")
    (made / "trends.json").write_bytes(b"{}")
    at = at_page(open_app, place)
    assert "Something needs mending" in shown(at)
    shutil.rmtree(made)
    shutil.copytree(made.parent / ".kept", made, copy_function=shutil.copy)
    assert "What rises" in shown(sound(at.run()))


def test_a_broken_catalogue_is_no_traceback(place: Workspace, open_app: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA_READONLY", "true")
    place.artefact("personas").file("personas.jsonl").write_text("{}")
    at = at_page(open_app, place)
    assert "build" in shown(at)
    assert "Traceback" not in shown(at)


def test_without_a_map_people_are_still_told_by_scenario(place: Workspace, open_app: Opened) -> None:
    shutil.rmtree(place.root / "map")
    said = shown(at_page(open_app, place))
    assert "Who comes" in said
    assert "In what they want" not in said


def test_a_catalogue_too_young_to_look_back(tmp_path: Path, open_app: Opened) -> None:
    folder = write_tiny_world(tmp_path / "young")
    rows = [json.loads(line) for line in (folder / "reviews.jsonl").read_text().splitlines()]
    for number, row in enumerate(rows):
        row["time"] = (START + timedelta(hours=2 * number)).isoformat()
    write_lines(folder / "reviews.jsonl", rows)
    place = build_from(folder, tmp_path / "built")
    trends = Engine.open(place).trends
    assert trends is not None
    assert trends.goes_back == 0
    said = shown(at_page(open_app, place))
    assert "too few days yet" in said
    assert "nobody can say" in said


# What a language model said ----------------------------------------------------------------------------------------------


def test_what_a_model_said_is_marked_and_held_to_the_signals(
    place: Workspace, open_app: Opened, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = f"{seen.trends.reason('i0')} It just had 9.9 times its usual week. <i>Everybody loves it.</i>"
    read = Trends.of

    def with_words(made: Artefact) -> Trends:
        return replace(read(made), told={"i0": Told(7.0, said)}, model="a small <model>")

    monkeypatch.setattr(Trends, "of", with_words)
    page = shown(looked_at(open_app, place, "i0"))
    assert "What a language model said (a small &lt;model&gt;)" in page
    assert "(the signals bear this out)" in page
    assert 'It just had 9.9 times its usual week. <span class="ps-quiet">(the signals do not bear this out)' in page
    assert "&lt;i&gt;Everybody loves it.&lt;/i&gt;" in page
    assert "Its own number: about 7 people" in page


# Tampering ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", [{"as_of": "yesterday"}, {"look": "nowhere"}, {"among": "<b>"}, {"as_of": "\x00" * 99, "look": "'; DROP"}, {"look": ""}]
)
def test_tampered_addresses_are_met_with_calm(place: Workspace, open_app: Opened, address: dict[str, str]) -> None:
    assert [one.value for one in at_page(open_app, place, **address).title] == ["Trends"]


@pytest.mark.parametrize("value", ["nowhere", 7, None, ["i0"], {"a": 1}])
def test_tampered_session_values_are_met_with_calm(place: Workspace, open_app: Opened, value: object) -> None:
    at = open_app(place)
    for key in (choosing.AS_OF, choosing.LOOK, choosing.SCENARIO, people.BY, "_trends_to_people_"):
        at.session_state[key] = value
    assert [one.value for one in sound(at.switch_page(PAGE).run()).title] == ["Trends"]


@pytest.mark.parametrize(
    "state",
    [None, 7, {}, {"selection": None}, {"selection": {"rows": []}}, {"selection": {"rows": [9]}}, {"selection": {"rows": ["a"]}}],
)
def test_a_selection_that_makes_no_sense_chooses_nothing(state: object) -> None:
    assert table.row_of(state, ["a", "b"]) is None


def test_a_chosen_row_is_its_item() -> None:
    assert table.row_of({"selection": {"rows": [1]}}, ["a", "b"]) == "b"


# Small parts -------------------------------------------------------------------------------------------------------------


def test_every_signal_that_a_reason_names_is_a_mark_with_its_sentence(seen: Seen) -> None:
    for back in range(seen.trends.goes_back + 1):
        then = Seen(seen.engine, seen.trends, back)
        for place, item_id in enumerate(seen.trends.items):
            named = {one.signal for one in statements_in(seen.trends.reason(item_id, back))} & marks.LOOKS.keys()
            drawn = {one.signal for one in marks.marks_of(then, place)}
            missing = named - drawn
            assert drawn <= named
            assert missing <= {"season"} | {one for one in named if one not in then.values(place)}


def test_the_fitted_curve_is_the_growth_that_is_told(seen: Seen) -> None:
    windows = seen.windows
    growth = signals_of(windows, seen.trends.panel.groups)["slope"]
    for place in range(len(seen.trends.items)):
        drawn = marks.LOOKS["slope"][1](windows, place)
        if np.isfinite(growth[place]) and drawn.lines:
            (_, first), (_, second), *_ = drawn.lines[0]
            if first > 0 and second > 0:
                assert (1 + second) / (1 + first) - 1 == pytest.approx(growth[place])


def test_the_chart_holds_past_forecasts_and_what_came(seen: Seen) -> None:
    frame = drawing.frame_of(Seen(seen.engine, seen.trends, 2), 0)
    kinds = frame["kind"].value_counts()
    assert kinds["after"] == 2
    assert kinds["next"] == 1
    assert kinds["said"] == seen.trends.goes_back - 2
    nexts = frame[frame["kind"] == "next"].iloc[0]
    forecast = seen.trends.forecast("i0", 2)
    assert (nexts["low"], nexts["high"]) == (forecast.low, forecast.high)
    assert nexts["from"] == f"{forecast.window_start.day} {forecast.window_start:%B %Y}"
    assert nexts["time"] - (forecast.window_start + (forecast.window_end - forecast.window_start) / 2).replace(
        tzinfo=None
    ) == timedelta(0)


def test_the_axis_of_times_is_never_given_as_numbers(seen: Seen) -> None:
    """The browser then draws everything at its left edge, unless some other layer says that these are times."""
    for back in range(seen.trends.goes_back + 1):
        then = Seen(seen.engine, seen.trends, back)
        for place in range(len(seen.trends.items)) if not back else (0, len(seen.trends.items) - 1):
            frame = drawing.frame_of(then, place)
            spec = drawing.chart(frame, drawing.marks_frame(then, marks.marks_of(then, place), frame), then).to_dict()
            assert not any("domain" in layer["encoding"]["x"].get("scale", {}) for layer in spec["layer"])


def test_past_forecasts_are_those_of_the_backtest(seen: Seen) -> None:
    found = item.past(seen, 0)
    assert list(found["came"]) == [int(seen.trends.came(back)[0]) for back in range(1, seen.trends.goes_back + 1)]


def test_what_rises_does_not_fade(seen: Seen) -> None:
    everything = range(len(seen.trends.items))
    up, down = lists.risers(seen, everything), lists.faders(seen, everything)
    assert not set(up) & set(down)
    assert len(up) <= lists.MOST
    assert [lists.height(count, 10.0) for count in (0.0, 0.01, 5.0, 10.0)] == [0, 1, 5, 10]


def test_the_best_forecaster_comes_first_and_untried_ones_do_not_come() -> None:
    rows = [{"name": "a", "title": "A", "MAE": 2.0}, {"name": "blend", "title": "B", "MAE": 1.0, "covered": 0.86},
            {"name": "last value", "title": "C", "MAE": 3.04}, {"name": "d", "title": "D", "MAE": None}]  # fmt: skip
    ranked = tested.best_first(rows)
    assert [one["name"] for one in ranked] == ["blend", "a", "last value"]
    said = tested.said(ranked, "month", 8)
    assert "1.0 people off" in said
    assert "3.0 off" in said
    assert "86 of 100" in said
    assert "<b>◆ B</b>" in str(tested.bars(ranked))


def test_counts_are_said_as_people_would() -> None:
    assert about(0.2) == "hardly anybody"
    assert about(1.2) == "about 1 person"
    assert about(8.15) == "about 8 people"
    assert usually(float("nan")) == "nothing is usual yet"
    assert usually(6.0) == "6 is usual"
    assert usually(0.3) == "0.3 is usual"


def test_a_source_can_be_chosen_before_anything_is_built(workspace: Workspace, tiny_world: Path, open_app: Opened) -> None:
    choose_source(workspace, str(tiny_world))
    at = at_page(open_app, workspace)
    assert not at.get("vega_lite_chart")
    job = resources.build_job(str(workspace.root))
    assert job.running or job.finished


def test_of_very_many_items_those_that_move_most_are_listed(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MOST", 2)
    rise = seen.trends.rise()
    everything = range(len(seen.trends.items))
    found = table.ordered(seen, everything)
    assert len(found) == 2
    assert min(abs(rise[place]) for place in found) >= max(abs(rise[place]) for place in everything if place not in found)
    assert rise[found[0]] >= rise[found[1]]
