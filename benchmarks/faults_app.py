"""Faults before a browser: reloads while a build runs, while a profile is edited, in a study; and fifty sessions at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks.faults_build import NOTHING, PLAIN
from benchmarks.faults_ground import Bench, Person, Row
from benchmarks.study_load import browsers, design
from persona_core.settings import DEMO_DATA
from persona_core.study.sitting import Hall
from persona_core.study.store import StudyStore
from persona_core.study.writing import as_file
from persona_core.workspace import Workspace
from tests.support.participant import answer, begin, go_on, idle, where
from tests.support.server import CHROMIUM, FLAGS, server
from tests.support.worlds import build_from
from ui.jobs import BuildJob

PATIENCE = 60_000
TROUBLE = ".st-key-trouble, [data-testid=stException]"
WISHES = ("a tent in the rain", "old maps of the coast", "fresh bread", "a firm grip", "a quiet evening")
PEOPLE = 50


def rows(bench: Bench) -> Iterator[Row]:
    if CHROMIUM is None or bench.quick:
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield reload_while_editing(bench, browser)
        yield reload_while_building(bench, browser)
        yield reload_in_a_study(bench, browser)
        browser.close()
    yield many_at_once(bench)


@contextmanager
def _opened(browser: Browser, address: str) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    try:
        yield page
    finally:
        page.close()


def _trouble(page: Page) -> str:
    """What the page complains of; empty where it does not."""
    found = page.locator(TROUBLE)
    return found.first.inner_text().replace("\n", " ") if found.count() else ""


# A build -----------------------------------------------------------------------------------------------------------------


def reload_while_building(bench: Bench, browser: Browser) -> Row:
    """The page is reloaded again and again while it shows a build; what it said was done is done, and there is one build."""
    person = _known(bench, "reload while building")
    acknowledged: set[str] = set()
    processes: set[int] = set()
    reloads, saw, trouble = 0, "", ""
    with server(person.place.root) as address, _opened(browser, f"{address}/workshop") as page:
        page.get_by_role("heading", name="Workshop").first.wait_for()
        page.locator(".st-key-workshop_build button").first.click()
        page.get_by_text("You can close the page meanwhile").wait_for()
        job = BuildJob(person.place)
        while job.running:
            acknowledged |= _said_done(page)
            processes |= _process(person)
            page.reload()
            reloads += 1
            page.get_by_role("heading", name="Workshop").first.wait_for()
            page.wait_for_timeout(1500)
        page.reload()
        page.locator(".st-key-workshop_build button").first.wait_for()
        idle(page)
        saw = page.locator("[data-testid=stMain] [data-testid=stCaptionContainer]").first.inner_text()
        trouble = trouble or _trouble(page) or ("" if len(processes) == 1 else f"{len(processes)} processes built")
    trouble = trouble or person.not_well(PLAIN)
    lost = len(acknowledged - set(_titles(person)))
    return Row(f"browser reloads {reloads} times in a build", "steps", len(acknowledged), lost, None, saw, NOTHING, trouble)


def _known(bench: Bench, name: str) -> Person:
    """A workspace that knows its data, and nothing is built."""
    person = bench.person(name)
    person.place.root.mkdir(exist_ok=True)
    (person.place.root / "workspace.toml").write_text((bench.whole[PLAIN].place.root / "workspace.toml").read_text())
    return person


def _said_done(page: Page) -> set[str]:
    said = page.locator("[data-testid=stProgress]").all_inner_texts()
    return {one.partition(" · ")[0].strip() for one in said if one.strip().endswith(("· done", "· up to date"))}


def _process(person: Person) -> set[int]:
    try:
        return {int(json.loads((person.place.root / ".job" / "job.json").read_bytes())["pid"])}
    except (OSError, ValueError, KeyError):
        return set()


def _titles(person: Person) -> list[str]:
    return [one["title"] for one in person.types("status", "--json").json()["steps"] if one["state"] == "done"]


# A profile ---------------------------------------------------------------------------------------------------------------


def reload_while_editing(bench: Bench, browser: Browser) -> Row:
    """Edits one after another; the page is reloaded as soon as one stands there, and once before it does."""
    person = bench.person("reload while editing", PLAIN)
    trouble, lost = "", 0
    with server(person.place.root) as address, _opened(browser, f"{address}/your_profile?who=u0") as page:
        page.get_by_placeholder("Add a like, such as").wait_for()
        idle(page)
        for wish in WISHES:
            field = page.get_by_placeholder("Add a like, such as")
            field.fill(wish)
            field.press("Enter")
            page.get_by_text(wish, exact=True).first.wait_for()
            page.reload()
            page.get_by_placeholder("Add a like, such as").wait_for()
            idle(page)
        page.get_by_placeholder("Add a like, such as").fill("half a wish")
        page.reload()
        page.get_by_placeholder("Add a like, such as").wait_for()
        idle(page)
        lost = sum(page.get_by_text(wish, exact=True).count() == 0 for wish in WISHES)
        trouble = _trouble(page)
        expect(page.locator(TROUBLE)).to_have_count(0)
    return Row(f"browser reloads after each of {len(WISHES)} edits", "edits", len(WISHES), lost, None, "nothing", NOTHING,
               trouble or ("" if not lost else "edits are gone"))  # fmt: skip


# A study -----------------------------------------------------------------------------------------------------------------


def reload_in_a_study(bench: Bench, browser: Browser) -> Row:
    """A participant reloads every page when they have answered it, before they go on, and after."""
    place = _demo(bench)
    folder = bench.folder("study")
    study, file, url = design(), folder / "study.toml", f"sqlite:///{folder}/study.sqlite"
    file.write_text(as_file(study), "utf-8")
    hall = Hall(study, StudyStore(url))
    pages, forgotten = 0, 0
    settings = {"PERSONA_STUDY_FILE": str(file), "PERSONA_STUDY_DATABASE": url}
    with server(place.root, **settings) as address, _opened(browser, address) as page:
        back = begin(page)
        while where(page) != "done":
            answer(page)
            groups = page.locator("[role=radiogroup]").count()
            _again(page)
            forgotten += max(0, groups - page.locator("input[type=radio]:checked").count())
            for box in page.locator("[data-testid=stCheckbox] label").all():  # consent is given anew
                box.click()
                idle(page)
            go_on(page)
            pages += 1
            _again(page)
    sitting = hall.enter(back.rpartition("t=")[2])
    assert sitting is not None  # nosec B101 # the benchmark's own
    keys = [one.key for one in hall.events(sitting)]
    trouble = "" if len(keys) == len(set(keys)) and sitting.step is None else "events are there twice, or the end is not"
    return Row(f"browser reloads at {pages} pages of a study", "pages", pages, forgotten, None, "nothing", NOTHING, trouble)


def _again(page: Page) -> None:
    page.reload()
    page.locator(".ps-foot, [data-testid=stCode]").first.wait_for()
    idle(page)


def many_at_once(bench: Bench) -> Row:
    """Fifty participants in real sessions, the server killed in the middle: benchmarks/study_load.py."""
    found = browsers(_demo(bench), bench.folder("many"), PEOPLE)
    trouble = "" if found["finished"] == found["participants"] and not found["twice"] else f"{found['finished']} finished"
    return Row(f"{PEOPLE} sessions at once, server killed -9", "pages", found["pages acknowledged"], found["lost"], None,
               f"{found['troubles met']} times the page had to be opened again", ("their own link",), trouble)  # fmt: skip


def _demo(bench: Bench) -> Workspace:
    """The demo world, built once for all that need it."""
    return build_from(DEMO_DATA, bench.home.parent / "demo")
