"""A study in a real browser: a participant's path in each condition, through reloads and second tabs; a researcher's to the export."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from persona_core.study.design import FACTORS, read_study
from persona_core.study.sitting import Hall, Sitting
from persona_core.study.store import StudyStore
from persona_core.study.writing import as_file
from persona_core.workspace import Workspace
from tests.study.made import study
from tests.support.participant import GO, PATIENCE, answer, begin, go_on, idle, where
from tests.support.server import server

pytestmark = pytest.mark.xdist_group("browser")
TOKEN = "a token of the test's own"
PHONE = 390


@contextmanager
def served(place: Workspace, folder: Path, **changes: Any) -> Iterator[tuple[str, Hall]]:
    """A server for a study that differs from the small one in this."""
    file, url = folder / "study.toml", f"sqlite:///{folder}/study.sqlite"
    file.write_text(as_file(study(**changes)), "utf-8")
    store = StudyStore(url)
    with server(place.root, PERSONA_STUDY_FILE=str(file), PERSONA_STUDY_DATABASE=url, PERSONA_STUDY_DESK_TOKEN=TOKEN) as address:
        yield address, Hall(read_study(file), store)
    store.close()


def now(hall: Hall, address: str) -> Sitting:
    found = hall.enter(address.rpartition("t=")[2])
    assert found is not None
    return found


def no_wider_than_it_is(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1"), where(page)


TASK = {"id": "choose", "text": "Choose one.", "items": 2, "rate": True, "after": ["control"]}


def test_a_whole_path_through_every_explanation_on_a_phone(
    built_demo: Workspace, page_at: Callable[..., Page], tmp_path: Path
) -> None:  # fmt: skip
    styles = FACTORS["explanation"]
    with served(built_demo, tmp_path, within=True, factors={"explanation": list(styles)}, checks=[], tasks=[TASK]) as (home, hall):
        page = page_at(home, width=PHONE, height=800, scheme="dark")
        back = begin(page)
        while where(page) != "done":
            no_wider_than_it_is(page)
            assert page.locator("[data-testid=stMain]").evaluate("one => one.scrollTop") == 0, "a new page is read from its top"
            answer(page)
            go_on(page)
        expect(page.get_by_text("You have finished")).to_be_visible()
        sitting = now(hall, back)
        assert page.locator("[data-testid=stCode]").inner_text().strip() == sitting.code
        events = hall.events(sitting)
    told = {style: [] for style in styles}
    for event in events:
        if event.kind == "shown" and event.payload["at"] == "read":
            told[event.payload["condition"]["explanation"]] += event.payload["things"]
    assert all(len(things) >= 2 for things in told.values())
    for style, things in told.items():
        assert all(bool(one["because"]) == style.startswith("persona") for one in things), style
        assert all(bool(one["parts"]) == (style == "parts") for one in things)
        assert all(bool(one["trend"]) == (style == "persona_trend") for one in things)
    assert any(said["quotes"] for one in told["persona_quotes"] for said in one["because"])


def test_a_reload_at_every_page_loses_nothing_and_doubles_nothing(
    built_demo: Workspace, page_at: Callable[..., Page], tmp_path: Path
) -> None:  # fmt: skip
    factors = {
        "profile": ["editable"],
        "counter": ["shown"],
        "trend": ["shown"],
        "ranking": ["collaborative"],
        "explanation": ["persona"],
    }
    with served(built_demo, tmp_path, factors=factors, tasks=[TASK]) as (home, hall):
        page = page_at(home)
        back = begin(page)
        for _ in range(30):
            answer(page, lambda many: min(2, many))
            if page.get_by_text("Things that you know and like").count():
                _know_three(page)
            _reload(page)
            here = where(page)
            if page.locator("[role=radiogroup]").count():
                assert page.locator("input[type=radio]:checked").count() == page.locator("[role=radiogroup]").count(), here
            for box in page.locator("[data-testid=stCheckbox] label").all():  # consent is given anew: it is no draft
                box.click()
                idle(page)
            if go_on(page) == "done":
                break
            _reload(page)
        sitting = now(hall, back)
        assert sitting.step is None
        assert sitting.failed_checks == ()
        events = hall.events(sitting)
    keys = [one.key for one in events]
    assert len(set(keys)) == len(keys)
    assert [one.seq for one in events] == list(range(len(events)))
    assert sum(one.kind == "done" for one in events) == len(hall.study.path)
    assert sum(one.kind == "returned" for one in events) >= len(hall.study.path)
    assert len(sitting.done["profile"]["items"]) == 3


def _reload(page: Page) -> None:
    page.reload()
    page.locator(".ps-foot, [data-testid=stCode]").first.wait_for(timeout=PATIENCE)  # the last thing on a page
    idle(page)


def _know_three(page: Page) -> None:
    field = page.locator("[data-testid=stMultiSelect] input")
    for title in ("Ashwater Oath", "Eleven Coats", "Draw the Kettle"):
        field.fill(title)
        page.locator("[role=option]", has_text=title).first.click()
        idle(page)
    page.keyboard.press("Escape")


def test_two_tabs_a_double_click_the_back_button_and_the_keyboard_alone(
    built_demo: Workspace, page_at: Callable[..., Page], tmp_path: Path
) -> None:  # fmt: skip
    with served(built_demo, tmp_path, factors={"explanation": ["none"]}, checks=[], tasks=[{**TASK, "rate": False}]) as (home, hall):
        page = page_at(home)
        back = begin(page)
        page.locator("[data-testid=stCheckbox] input").focus()
        page.keyboard.press("Space")
        idle(page)
        page.locator(GO).last.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="What are you after?")).to_be_visible(timeout=PATIENCE)
        idle(page)
        other = page_at(back)
        other.locator("[class*=st-key-study_page_2]").wait_for(timeout=PATIENCE)
        idle(other)
        answer(page)
        page.locator(GO).last.dblclick()
        page.locator("[class*=st-key-study_page_3]").wait_for(timeout=PATIENCE)
        other.locator("[data-testid=stButtonGroup] button").last.click()  # it was a page behind
        other.locator("[class*=st-key-study_page_3]").wait_for(timeout=PATIENCE)
        page.go_back()
        page.wait_for_timeout(500)
        page.goto(back)
        page.locator("[class*=st-key-study_page_3]").wait_for(timeout=PATIENCE)
        sitting = now(hall, back)
        assert list(sitting.done) == ["consent", "profile"]
        assert [one.kind for one in hall.events(sitting)].count("done") == 2
        page.goto(f"{home}/workshop")
        page.wait_for_timeout(1500)
        idle(page)
        assert page.get_by_text("Workshop").count() == 0
        assert len(hall.store.participants(hall.study.id)) == 1


def test_a_researcher_from_design_to_export(built_demo: Workspace, page_at: Callable[..., Page], tmp_path: Path) -> None:
    planned = [{"outcome": "control", "factor": "explanation", "level": "persona", "against": "none", "direction": "more"}]
    with served(built_demo, tmp_path, factors={"explanation": ["none", "persona"]}, hypotheses=planned) as (home, hall):
        page = page_at(f"{home}/study_desk")
        page.locator("input[type=password]").fill(TOKEN)
        page.get_by_role("button", name="Open").click()
        title = page.get_by_label("Title, as participants read it")
        title.wait_for(timeout=PATIENCE)
        title.fill("Choosing things")
        page.get_by_role("button", name="Check and save").first.click()
        expect(page.get_by_text(re.compile("Choosing things: 2 conditions"))).to_be_visible(timeout=PATIENCE)
        hall = Hall(read_study(tmp_path / "study.toml"), hall.store)
        _part(page, "Preview")
        expect(page.get_by_text("Before you begin")).to_be_visible(timeout=PATIENCE)
        _part(page, "Plan")
        expect(page.get_by_text(re.compile("participants find a difference"))).to_be_visible(timeout=PATIENCE)
        page.get_by_role("button", name="Send them through").click()
        expect(page.get_by_text(re.compile("came to the end"))).to_be_visible(timeout=PATIENCE)
        _part(page, "Results")
        page.get_by_text("with rehearsals").click()
        expect(page.get_by_text("Made-up participants are counted here.")).to_be_visible(timeout=PATIENCE)
        expect(page.locator("[data-testid=stVegaLiteChart]").first).to_be_visible(timeout=PATIENCE)
        _part(page, "Hand over")
        with page.expect_download() as waiting:
            page.get_by_text("Download the bundle").click()
        with zipfile.ZipFile(io.BytesIO(Path(waiting.value.path()).read_bytes())) as packed:
            people = pd.read_csv(io.BytesIO(packed.read("reasons/tables/participants.csv")))
        assert len(people) == len(hall.store.participants("reasons")) == 30


def _part(page: Page, name: str) -> None:
    page.locator("[data-testid=stButtonGroup] button", has_text=name).first.click()
    page.wait_for_timeout(300)
    idle(page)
