"""`python -m benchmarks.first_start`: how long a stranger waits, from the app's command to the first suggestion, on nothing and later.

The app's own command on an empty folder, a real Chromium in front of it, and the demo world that the app then builds by itself.
"""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Locator, Page, expect, sync_playwright

from benchmarks.harness import options_of, report
from persona_core.steps import STEPS
from persona_core.workspace import Workspace
from tests.support.server import CHROMIUM, FLAGS, server

PATIENCE = 300_000
PERSON = "u0012"


def main() -> None:
    options = options_of("first_start", "From the app's command to the first suggestion, on nothing and later.")
    rows: list[dict[str, Any]] = []
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        for number in range(1 if options.quick else 3):
            place = Workspace.at(Path(folder) / f"world-{number}")
            rows += [
                {"run": number + 1, **_first(place, browser.new_page())},
                {"run": number + 1, **_later(place, browser.new_page())},
            ]
        browser.close()
    aims = "Aims on two cores: 60 s the first time, the build included; 5 s later. Seconds since the command was given."
    report("first_start", options, rows, ("streamlit", "torch", "playwright"), (aims,))


def _first(place: Workspace, page: Page) -> dict[str, Any]:
    """On nothing: the start page, and as soon as all is built, somebody's suggestions."""
    began = time.perf_counter()
    with server(place.root) as address:
        numbers = _seen(page, address, page.get_by_role("heading", name="What they say"), began)
        while not (place.step_folder(STEPS[-1].name) / "current").exists():
            time.sleep(0.1)
        built = time.perf_counter() - began
        return {"start": "the first", "start page": numbers, "all built": built, "suggestions": _suggested(page, address, began)}


def _later(place: Workspace, page: Page) -> dict[str, Any]:
    began = time.perf_counter()
    with server(place.root) as address:
        numbers = _seen(page, address, page.get_by_role("heading", name="What they say"), began)
    began = time.perf_counter()
    with server(place.root) as address:
        return {"start": "a later one", "start page": numbers, "all built": None, "suggestions": _suggested(page, address, began)}


def _suggested(page: Page, address: str, began: float) -> float:
    return _seen(page, f"{address}/for_you?who={PERSON}", page.get_by_text("Something is missing?"), began)


def _seen(page: Page, address: str, what: Locator, began: float) -> float:
    """Opens the page there, and says when it was to be seen."""
    page.goto(address)
    expect(what).to_be_visible(timeout=PATIENCE)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
