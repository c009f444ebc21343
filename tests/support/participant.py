"""A participant in a real browser: does what the page in front of them asks, one page at a time."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

PATIENCE = 60_000
GO = "button[kind=primary]"
MARK = "[class*=st-key-study_page_], [class*=st-key-study_task_]"

WHERE = """mark => document.querySelector('[data-testid=stCode]') ? 'done' : [...document.querySelectorAll(mark)]
    .map(one => one.className.match(/st-key-(study_(?:page|task)_[^ ]+)/)[1]).sort().join(' ')"""


def idle(page: Page) -> None:
    """Nothing is on its way any more."""
    page.wait_for_timeout(60)
    expect(page.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "notRunning", timeout=PATIENCE)
    expect(page.locator("[data-testid=stSkeleton]")).to_have_count(
        0, timeout=PATIENCE
    )  # a kind of widget that is met for the first time


def begin(page: Page) -> str:
    """Over the door of a study that is open to all; gives the address that leads back here."""
    page.locator(GO).first.wait_for(timeout=PATIENCE)
    idle(page)
    page.locator(GO).first.click()
    page.locator(".ps-foot").first.wait_for(timeout=PATIENCE)
    idle(page)
    return page.url


def where(page: Page) -> str:
    """Which page of the path, and of a task, is in front of them; `done` at the end."""
    return str(page.evaluate(WHERE, MARK))


def answer(page: Page, choose: Callable[[int], int] = lambda many: many // 2 + 1) -> None:
    """Answers everything on the page in front of them and leaves it unfinished."""
    for box in page.locator("[data-testid=stCheckbox] label").all():
        box.click()
        idle(page)
    pills = page.locator("[data-testid=stButtonGroup] button")
    for at in range(min(3, pills.count())):
        pills.nth(at).click()
        idle(page)
    groups = page.locator("[role=radiogroup]")
    for at in range(groups.count()):
        labels = groups.nth(at).locator("label")
        labels.nth(choose(labels.count()) - 1).click()
    idle(page)


def go_on(page: Page, patience: int = PATIENCE) -> str:
    """Presses what finishes the page and gives what comes then."""
    before = where(page)
    page.locator(GO).last.click()
    moved = f"([before, mark]) => (now => now && now !== before)(({WHERE})(mark))"
    page.wait_for_function(moved, arg=[before, MARK], timeout=patience)
    idle(page)
    return where(page)
