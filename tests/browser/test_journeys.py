"""What people do here, in a real browser: a marked quote, an edit and its undo, the map, a shared link, a phone, the tour."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from persona_core.workspace import Workspace
from tests.support.server import server
from ui import tour

pytestmark = pytest.mark.xdist_group("browser")
PATIENCE = 60_000
STOPS = len(tour.STOPS)
WHO = "u0012"
MAP = "[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg"


@pytest.fixture(scope="module")
def address(built_demo: Workspace) -> Iterator[str]:
    with server(built_demo.root) as found:
        yield found


def shown(page: Page, text: str) -> None:
    expect(page.get_by_text(text).first).to_be_visible(timeout=PATIENCE)


def settled(page: Page) -> None:
    expect(page.locator("[data-testid=stStatusWidget]")).to_have_count(0, timeout=PATIENCE)
    page.wait_for_timeout(300)


def arrived(page: Page) -> None:
    """On the profile's page, all of it; a click before that would race the page that is still coming."""
    shown(page, "Take it along, or bring one")
    settled(page)


def edit(page: Page, words: str) -> None:
    field = page.get_by_placeholder("Add a like, such as")
    field.fill(words)
    field.press("Enter")
    expect(page.get_by_text(words, exact=True).first).to_be_visible(timeout=PATIENCE)


def test_from_a_first_visit_to_a_marked_quote(address: str, page_at: Callable[..., Page]) -> None:
    page = page_at(address)
    page.get_by_role("link", name="For you").first.click()
    shown(page, "Something is missing?")
    settled(page)
    page.get_by_text("Why, in full").first.click()
    marked = page.locator("mark").first
    expect(marked).to_be_visible(timeout=PATIENCE)
    whole = page.locator(".ps-review").first.inner_text()
    assert marked.inner_text() in whole
    assert len(whole) > len(marked.inner_text())
    assert page.locator("[data-testid=stException]").count() == 0


def test_an_edit_moves_the_list_survives_a_reload_and_is_undone(address: str, page_at: Callable[..., Page]) -> None:
    page = page_at(f"{address}/your_profile?who={WHO}")
    shown(page, "Nothing is changed yet")
    edit(page, "a tent in the rain")
    shown(page, "Of the first 10")
    expect(page.get_by_label(re.compile("Ranks before and after")).first).to_be_attached(timeout=PATIENCE)
    settled(page)
    page.reload()
    shown(page, "Of the first 10")
    expect(page.get_by_text("a tent in the rain", exact=True)).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Undo").click()
    shown(page, "Nothing is changed yet")
    expect(page.get_by_text("a tent in the rain", exact=True)).to_have_count(0, timeout=PATIENCE)
    page.get_by_role("button", name="Redo").click()
    shown(page, "Of the first 10")


def test_the_profile_is_the_same_person_on_every_page(address: str, page_at: Callable[..., Page]) -> None:
    page = page_at(f"{address}/for_you?who={WHO}")
    shown(page, "Something is missing?")
    name = page.locator(".st-key-whose strong").inner_text()
    page.get_by_role("link", name="Your profile").first.click()
    arrived(page)
    expect(page.get_by_text(name, exact=True).first).to_be_visible(timeout=PATIENCE)
    assert f"who={WHO}" in page.url


def test_a_filter_survives_other_pages_a_reload_and_a_link(address: str, page_at: Callable[..., Page]) -> None:
    page = page_at(f"{address}/for_you?who={WHO}")
    shown(page, "Something is missing?")
    settled(page)
    page.get_by_role("button", name="Kitchen").click()
    expect(page.get_by_text("Kitchen · ").first).to_be_visible(timeout=PATIENCE)
    page.get_by_role("link", name="Your profile").first.click()
    arrived(page)
    page.get_by_role("link", name="For you").first.click()
    shown(page, "Something is missing?")
    settled(page)
    page.reload()
    shown(page, "Something is missing?")
    settled(page)
    assert "scenario=Kitchen" in page.url
    assert f"who={WHO}" in page.url
    expect(page.get_by_text("Books · ")).to_have_count(0, timeout=PATIENCE)


@pytest.mark.parametrize(
    ("name", "begins"), [("As a table (CSV)", b"rank,item,title"), ("As a page to print (HTML)", b"<!doctype html>")]
)
def test_the_list_can_be_taken_along(name: str, begins: bytes, address: str, page_at: Callable[..., Page]) -> None:
    page = page_at(f"{address}/for_you?who={WHO}")
    shown(page, "Something is missing?")
    settled(page)
    page.get_by_role("button", name="Take it along").click()
    with page.expect_download(timeout=PATIENCE) as download:
        page.get_by_role("button", name=name).click()
    assert download.value.path().read_bytes().removeprefix(b"\xef\xbb\xbf").startswith(begins)


def test_two_people_at_once_do_not_see_each_others_edits(address: str, page_at: Callable[..., Page]) -> None:
    one = page_at(f"{address}/your_profile?who={WHO}")
    other = page_at(f"{address}/your_profile?who={WHO}")
    shown(one, "Nothing is changed yet")
    shown(other, "Nothing is changed yet")
    edit(one, "old maps of the coast")
    other.get_by_role("link", name="For you").first.click()
    shown(other, "Something is missing?")
    other.get_by_role("link", name="Your profile").first.click()
    shown(other, "Nothing is changed yet")
    expect(other.get_by_text("old maps of the coast", exact=True)).to_have_count(0)
    assert "edits=" not in other.url


def test_a_shared_link_opens_the_same_list(address: str, page_at: Callable[..., Page]) -> None:
    page = page_at(f"{address}/your_profile?who={WHO}")
    shown(page, "Nothing is changed yet")
    edit(page, "old maps of the coast")
    settled(page)
    friend = page_at(page.url)
    expect(friend.get_by_text("old maps of the coast", exact=True)).to_be_visible(timeout=PATIENCE)


def test_the_map_of_personas_is_drawn_and_found_by_words(address: str, page_at: Callable[..., Page]) -> None:
    page = page_at(f"{address}/personas")
    shown(page, "The map of personas")
    expect(page.locator(MAP).first).to_be_visible(timeout=PATIENCE)
    page.get_by_placeholder("hiking in the rain").fill("tent")
    page.keyboard.press("Enter")
    settled(page)
    expect(page.locator(".ps-persona").first).to_be_visible(timeout=PATIENCE)


def test_an_area_of_the_map_lists_who_lies_there(address: str, page_at: Callable[..., Page]) -> None:
    page = page_at(f"{address}/personas")
    shown(page, "The map of personas")
    page.get_by_text("select an area").click()
    shown(page, "Drag over the map")
    settled(page)
    place = page.locator(MAP).first.bounding_box()
    assert place is not None
    page.mouse.move(place["x"] + 0.3 * place["width"], place["y"] + 0.3 * place["height"])
    page.mouse.down()
    page.mouse.move(place["x"] + 0.7 * place["width"], place["y"] + 0.7 * place["height"], steps=8)
    page.mouse.up()
    shown(page, "Selected:")
    expect(page.locator(".ps-persona").nth(3)).to_be_visible(timeout=PATIENCE)


def test_the_tour_leads_over_the_pages_and_can_be_left(address: str, page_at: Callable[..., Page]) -> None:
    page = page_at(address)
    page.get_by_role("button", name="Take the tour").click()
    shown(page, f"Tour, 1 of {STOPS}")
    for stop in range(2, STOPS + 1):
        page.get_by_role("button", name="Next").click()
        shown(page, f"Tour, {stop} of {STOPS}")
        settled(page)
        assert page.locator("[data-testid=stException]").count() == 0
    page.get_by_role("button", name="Back").click()
    shown(page, f"Tour, {STOPS - 1} of {STOPS}")
    page.get_by_role("button", name="Leave the tour").click()
    expect(page.get_by_text(f"Tour, {STOPS - 1} of {STOPS}")).to_have_count(0, timeout=PATIENCE)


OVERFLOW = (
    "Array.from(document.querySelectorAll('[data-testid=stMain] *')).filter(e => e.checkVisibility()"
    " && e.getBoundingClientRect().right > window.innerWidth + 1 && !e.closest('pre, canvas, svg, [role=grid]')"
    " && !e.closest('[data-testid=stVegaLiteChart], [data-testid=stDataFrame]')).map(e => e.outerHTML.slice(0, 160))"
)


@pytest.mark.parametrize(
    ("path", "whole"),
    [
        ("for_you", "Something is missing?"),
        ("your_profile", "In a few sentences"),
        ("personas", "The map of personas"),
        ("trends", "How good these forecasts are"),
        ("scenarios", "How far that helps"),
        ("workshop", "Workshop"),
    ],
)
def test_nothing_is_cut_off_on_a_phone(path: str, whole: str, address: str, page_at: Callable[..., Page]) -> None:
    page = page_at(f"{address}/{path}?who={WHO}", width=380, height=780)
    shown(page, whole)
    settled(page)
    assert not page.evaluate(OVERFLOW)


def test_the_keyboard_reaches_what_matters(address: str, page_at: Callable[..., Page]) -> None:
    page = page_at(f"{address}/your_profile?who={WHO}")
    shown(page, "Nothing is changed yet")
    settled(page)
    page.get_by_placeholder("Add a like, such as").focus()
    page.keyboard.type("fresh bread")
    page.keyboard.press("Enter")
    shown(page, "Of the first 10")
    settled(page)
    page.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")
    shown(page, "Nothing is changed yet")


def test_hostile_words_are_shown_and_do_nothing(address: str, page_at: Callable[..., Page]) -> None:
    page = page_at(f"{address}/your_profile?who={WHO}")
    shown(page, "Nothing is changed yet")
    words = "<img src=x onerror=alert(1)> **bold** [x](javascript:1)"
    page.on("dialog", lambda dialog: pytest.fail("a script ran"))
    field = page.get_by_placeholder("Add a like, such as")
    field.fill(words)
    field.press("Enter")
    expect(page.get_by_text(words, exact=True).first).to_be_visible(timeout=PATIENCE)
    assert page.locator("[data-testid=stMain] img[src=x]").count() == 0
    assert page.locator("[data-testid=stMain] a[href^=javascript]").count() == 0


def test_what_carries_over_is_shown_for_another_scenario_at_a_press(address: str, page_at: Callable[..., Page]) -> None:
    page = page_at(f"{address}/scenarios?who=u0006")
    shown(page, "How far that helps")
    settled(page)
    page.locator(".st-key-scenario_target").get_by_text("Kitchen", exact=True).click()
    shown(page, "What would suit them in kitchen")
    shown(page, "did choose there")
    page.locator(".st-key-scenario_pair").get_by_text("Books and outdoors").click()
    shown(page, "look for in books says")
    assert page.locator(MAP).count() >= 2
    assert page.locator("[data-testid=stException]").count() == 0
