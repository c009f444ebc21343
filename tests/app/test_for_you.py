"""For you: ten cards that stand on reviews, controls that hold, questions, two people, exports; nothing falls over on stage."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from persona_core.engine import Engine
from persona_core.ranking.parts import PARTS
from persona_core.workspace import Workspace
from tests.app.conftest import PAGES, Opened, pages_html, sound, words_of
from tests.support.worlds import build_from, write_tiny_world
from ui import state
from ui.foryou import controls, export
from ui.foryou.card import in_review

PAGE = PAGES["for_you"]


@pytest.fixture
def page(built_demo: Workspace, open_app: Opened) -> AppTest:
    return sound(sound(open_app(built_demo)).switch_page(PAGE).run())


@pytest.fixture
def engine(built_demo: Workspace) -> Engine:
    return Engine.open(built_demo)


def test_ten_cards_each_with_a_rank_a_persona_a_reason_and_a_quote(page: AppTest) -> None:
    cards = [html for html in pages_html(page) if "ps-card" in html]
    assert len(cards) == 10
    for rank, card in enumerate(cards, start=1):
        assert f'aria-label="Rank {rank}"' in card
        assert "ps-persona" in card
        assert "ps-bar" in card
    assert sum("ps-quote" in card for card in cards) >= 8


def test_the_parts_of_an_opened_card_add_up_and_quotes_are_marked_in_whole_reviews(page: AppTest) -> None:
    first = next(one for one in page.toggle if one.label == "Why, in full")
    said = pages_html(sound(first.set_value(True).run()))
    table = next(html for html in said if "ps-parts" in html)
    numbers = [float(cell.split("<")[0]) for cell in table.split("<td>")[1:]]
    assert numbers[-1] == pytest.approx(sum(numbers[:-1]), abs=1e-9)
    assert any("<mark>" in html for html in said)
    assert any("Why above the next one" in html for html in said)
    found = next(one for one in page.button if one.label == "Find the smallest change")
    said = pages_html(sound(found.click().run()))
    assert any("f you " in html or "No edit" in html for html in said)


def test_quotes_on_the_page_stand_in_the_reviews(page: AppTest, engine: Engine) -> None:
    person = (
        state.NEW
        if False
        else str(page.query_params["who"][0] if isinstance(page.query_params["who"], list) else page.query_params["who"])
    )
    ranked = engine.rank(engine.profile(person))
    for item in ranked.order[:10]:
        explained = engine.explain(ranked, engine.items[int(item)].id)
        reviews = {one.id: one for one in engine.reviews_of(explained.item_id)}
        for claim in explained.claims:
            for quote in claim.quotes:
                assert quote.stands_in(reviews[quote.review_id])
                marked = str(in_review(reviews[quote.review_id], [quote], {}))
                assert marked.count("<mark>") == 1


def test_a_filter_holds_and_an_impossible_one_is_answered_calmly(page: AppTest) -> None:
    at = sound(page.pills(key=controls.SCENARIO).set_value(["kitchen"]).run())
    cards = [html for html in pages_html(at) if "ps-card" in html]
    assert cards
    assert all("Kitchen · " in card for card in cards)


def test_how_many_and_the_weights_hold_on_other_pages(page: AppTest) -> None:
    at = sound(page.button_group(key=controls.SHOW).set_value(5).run()) if page.get("button_group") else page
    at = sound(at.slider(key="w_popular").set_value(1.0).run())
    at = sound(at.switch_page(PAGES["your_profile"]).run())
    at = sound(at.switch_page(PAGE).run())
    assert at.slider(key="w_popular").value == 1.0
    reset = next(one for one in at.button if one.label == "Reset")
    assert sound(reset.click().run()).slider(key="w_popular").value == pytest.approx(0.1)


def test_any_item_can_be_asked_about(page: AppTest, engine: Engine) -> None:
    item = engine.items[40]
    at = sound(page.selectbox(key="asked").set_value(item.id).run())
    assert any(item.title in html and ("number" in html or "there already" in html) for html in pages_html(at))


def test_two_people_stand_side_by_side(page: AppTest, engine: Engine) -> None:
    other = next(user for user in engine.profiles.users() if user != "u0001")
    at = sound(page.selectbox(key="beside").set_value(other).run())
    assert len([html for html in pages_html(at) if "ps-list" in html]) == 2
    assert "common" in words_of(at)


def test_a_reason_that_one_does_not_like_can_be_turned_down(page: AppTest) -> None:
    button = next(one for one in page.button if one.label.startswith(("Count less", "I am not like that")))
    at = sound(button.click().run())
    assert at.query_params["edits"]
    assert "1 edit by you" in words_of(at)


def test_the_list_goes_into_a_spreadsheet_and_onto_paper(engine: Engine) -> None:
    profile = engine.profile(engine.profiles.users()[5])
    ranked = engine.rank(profile)
    found = [engine.recommendation(ranked, int(item)) for item in ranked.order[:10]]
    explained = {one.item_id: engine.explain(ranked, one.item_id) for one in found}
    rows = list(csv.DictReader(io.StringIO(export.as_csv(engine, found, explained).decode("utf-8-sig"))))
    assert [int(row["rank"]) for row in rows] == list(range(1, 11))
    for row in rows:
        parts = sum(float(row[name]) for name in PARTS)
        assert float(row["score"]) == pytest.approx(parts, abs=1e-9)
    paper = export.as_page(engine, ranked, "<b>Ada</b>", found, explained, {}).decode()
    assert "&lt;b&gt;Ada" in paper
    assert "<script" not in paper
    assert paper.count("ps-card") >= 10


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2", "@SUM(A1)", "  =1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert export.safe(text).startswith("'")


def test_somebody_new_starts_from_a_few_picked_phrases(built_demo: Workspace, open_app: Opened) -> None:
    at = open_app(built_demo, {"who": "new"})
    at = sound(at.switch_page(PAGE).run())
    assert "What are you after?" in words_of(at)
    offered = at.pills(key="picked").options
    before = pages_html(at)
    at = sound(at.pills(key="picked").set_value([offered[0], offered[3]]).run())
    assert pages_html(at) != before
    assert "2 likes" in words_of(at)


def test_nothing_built_shows_the_build_and_a_read_only_app_the_command(
    workspace: Workspace, open_app: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERSONA_READONLY", "true")
    at = sound(sound(open_app(workspace)).switch_page(PAGE).run())
    assert "build --from demo" in words_of(at)


def test_an_item_that_nobody_wrote_about_and_somebody_without_a_past_are_shown_calmly(built_tiny: Workspace, open_app: Opened) -> None:
    at = sound(sound(open_app(built_tiny)).switch_page(PAGE).run())
    assert [html for html in pages_html(at) if "ps-card" in html]
    for user in [*Engine.open(built_tiny).profiles.users(), state.NEW]:
        at = sound(at.selectbox(key="who_picker").set_value(user).run())


@pytest.mark.parametrize(
    "address",
    [
        {"who": "<script>alert(1)</script>"},
        {"who": "u0001", "edits": "%%%"},
        {"who": "u0001", "edits": "AAAA" * 4000},
        {"scenario": "nowhere", "price": "free", "show": "1000000", "w_taste": "NaN", "mix": "-7"},
        {"tour": "99999999999999999999"},
    ],
)
def test_a_tampered_address_is_told_or_ignored(built_demo: Workspace, open_app: Opened, address: dict[str, str]) -> None:
    at = sound(open_app(built_demo, address))
    at = sound(at.switch_page(PAGE).run())
    assert [html for html in pages_html(at) if "ps-card" in html]


@pytest.mark.parametrize("key", ["_who", "_journals", "asked", "beside", "picked"])
@pytest.mark.parametrize("value", [7, "<img>", [None], {"u0001": "x"}])
def test_tampered_session_values_break_nothing(built_tiny: Workspace, open_app: Opened, key: str, value: object) -> None:
    at = sound(open_app(built_tiny))
    at.session_state[key] = value
    at = at.switch_page(PAGE).run()
    assert "Traceback" not in words_of(at)
    assert not at.exception


def test_what_strangers_wrote_is_shown_letter_for_letter(tmp_path: Path, open_app: Opened) -> None:
    world = write_tiny_world(tmp_path / "world")
    items = (world / "items.jsonl").read_text().replace("Thing", "<img src=x onerror=alert(1)> **Thing** [a](javascript:1)")
    (world / "items.jsonl").write_text(items)
    at = sound(sound(open_app(build_from(world, tmp_path / "workspace"))).switch_page(PAGE).run())
    html = "".join(pages_html(at))
    assert "<img" not in html
    assert "&lt;img" in html
    assert all("<img" not in str(part.value) for part in (*at.markdown, *at.caption))
