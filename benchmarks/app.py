"""`python -m benchmarks.app`: how long a person waits for a warm page and an edit, alone and with nine others; a session's memory.

Measured in a real Chromium against the app's own command: from the click to the last change of the page.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Page, expect, sync_playwright

from benchmarks.app_others import busy
from benchmarks.harness import options_of, report
from persona_core.settings import DEMO_DATA
from tests.support.server import CHROMIUM, FLAGS, server_process
from tests.support.worlds import build_from

PEOPLE = ("u0012", "u0034", "u0056", "u0078", "u0101", "u0123", "u0145", "u0167", "u0189", "u0201", "u0212")
WORDS = ("a quiet evening", "cooking for a crowd", "rain on a tent", "a long read", "small hands", "sharp knives", "old maps")
PATIENCE = 60_000
QUIET_MS = 120
"""A page that has not changed for so long has settled; it is taken off the time."""
PAGES = {"For you": "Something is missing?", "Your profile": "In a few sentences", "Personas": "The map of personas"}
WATCH = """() => {
  window.__last = performance.now(); window.__seen?.disconnect();
  window.__seen = new MutationObserver(() => { window.__last = performance.now(); });
  window.__seen.observe(document.body, {subtree: true, childList: true, characterData: true});
  const moves = () => document.querySelector('.ps-moves')?.textContent, before = moves();
  window.__shown = null; window.__began = performance.now();
  (function look() {
    const now = moves();
    if (now && now !== before) window.__shown = performance.now();
    else if (performance.now() - window.__began < 5000) requestAnimationFrame(look);
  })();
}"""
"""Notes when the page last changed, and when the list of what an edit moved first did."""
SESSIONS = 10
EVERY_S = 5.0
"""So often each of the nine others undoes or redoes an edit, while the tenth is timed."""


def main() -> None:
    options = options_of("app", "What a person waits for in the browser, and what a session costs the server.")
    rounds = 4 if options.quick else 12
    with ExitStack() as stack:
        place = build_from(DEMO_DATA, Path(stack.enter_context(TemporaryDirectory())))
        process, address = stack.enter_context(server_process(place.root))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
            _visit(browser.new_page(), address, PEOPLE[0], 1)  # the engine is opened, the encoder loaded
            time.sleep(5)
            alone = _visit(browser.new_page(), address, PEOPLE[1], rounds)
            before = _megabytes(process.pid)
            with busy(address, PEOPLE[2:], EVERY_S):
                crowd = _visit(browser.new_page(), address, PEOPLE[0], rounds)
                after = _megabytes(process.pid)
            browser.close()
    rows = [_row(name, 1, times) for name, times in alone.items()] + [_row(name, SESSIONS, times) for name, times in crowd.items()]
    notes = (
        f"The server: {before:,.0f} MB before {SESSIONS} more sessions, {after:,.0f} MB after: "
        f"{(after - before) / SESSIONS:.1f} MB a session.",
        f"With {SESSIONS} sessions, each of the nine others edits, undoes or redoes every {EVERY_S:g} s: over the app's socket, "
        "as a browser on a machine of its own would.",
        "From the click to the last change of the page, less the quiet that proves it. Aims: a warm page 1,000 ms, an edit 400 ms.",
    )
    report("app", options, rows, ("streamlit", "playwright", "torch"), notes)


def _visit(page: Page, address: str, who: str, rounds: int) -> dict[str, list[float]]:
    """Goes round the pages and edits, and says how long each took in milliseconds."""
    page.goto(f"{address}/your_profile?who={who}")
    expect(page.get_by_text(PAGES["Your profile"])).to_be_visible(timeout=PATIENCE)
    _settled(page)
    times: dict[str, list[float]] = {}
    for turn in range(rounds):
        for name, whole in PAGES.items():
            times.setdefault(f"page: {name}", []).append(_timed(page, partial(_open, page, name), whole))
        _open(page, "Your profile")
        expect(page.get_by_text(PAGES["Your profile"])).to_be_visible(timeout=PATIENCE)
        _settled(page)
        phrase = f"{WORDS[turn % len(WORDS)]} {who} {turn}"
        field = page.get_by_placeholder("Add a like, such as")
        field.fill(phrase)
        for name, edit, whole in (
            ("a new phrase", partial(field.press, "Enter"), phrase), ("undo", page.get_by_role("button", name="Undo").click, "")
        ):  # fmt: skip
            times.setdefault(f"edit: {name}, all drawn", []).append(_timed(page, edit, whole))
            shown = page.evaluate("window.__shown ? window.__shown - window.__began : null")
            if shown is not None:  # else nothing among the first ten moved
                times.setdefault(f"edit: {name}, what moved is shown", []).append(float(shown))
    return times


def _open(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).first.click()


def _timed(page: Page, act: Callable[[], Any], whole: str) -> float:
    """Milliseconds from the act until the page no longer changes and holds what it should."""
    page.evaluate(WATCH)
    began = page.evaluate("window.__began = performance.now()")
    act()
    if whole:
        page.get_by_text(whole).first.wait_for(state="attached", timeout=PATIENCE)
    return float(_settled(page)) - float(began)


def _settled(page: Page) -> float:
    """When the page last changed, once it has been quiet and no script runs."""
    page.wait_for_function(
        f"() => !document.querySelector('[data-testid=stStatusWidget]') && performance.now() - (window.__last || 0) > {QUIET_MS}",
        timeout=PATIENCE, polling=20,
    )  # fmt: skip
    return float(page.evaluate("window.__last || performance.now()"))


def _row(name: str, sessions: int, times: list[float]) -> dict[str, Any]:
    ordered = sorted(times)
    return {
        "what": name, "sessions": sessions, "p50 ms": round(statistics.median(ordered)),
        "p95 ms": round(ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]), "n": len(ordered),
    }  # fmt: skip


def _megabytes(pid: int) -> float:
    """What the process holds that nobody else does."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    main()
