"""`python -m benchmarks.study_load`: many participants at once in real browser sessions, the server killed in the middle; and every
fault of the disk and the database. What was acknowledged is counted against what is stored.

`--people N` (50), `--quick` 4 and fewer writers; `--workspace DIR` takes a built demo world.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import Error as BrowserError

from benchmarks.harness import Options, print_table, write_json
from benchmarks.study_faults import faults
from persona_core.settings import DEMO_DATA
from persona_core.study.design import Study
from persona_core.study.sitting import Hall
from persona_core.study.store import StudyStore
from persona_core.study.writing import as_file
from persona_core.workspace import Workspace
from tests.support.participant import GO, answer, begin, go_on, where
from tests.support.server import CHROMIUM, FLAGS, free_port, server_process
from tests.support.worlds import build_from

AT_ONCE = 4
"""So many browsers work at any moment; all sessions stay open all the while."""
PACKAGES = ("streamlit", "sqlalchemy", "playwright")


@dataclass
class Somebody:
    """One participant's session, and what they were told was kept."""

    page: Page
    address: str = ""
    acknowledged: int = 0
    done: bool = False
    waits: list[float] = field(default_factory=list)
    troubles: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.study_load", description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--people", type=int)
    parser.add_argument("--workspace", type=Path)
    given = parser.parse_args()
    people = given.people or (4 if given.quick else 50)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        place = Workspace.at(given.workspace) if given.workspace else build_from(DEMO_DATA, folder / "demo")
        sessions = browsers(place, folder, people)
        print_table([sessions])
        found = faults(folder, given.quick)
    print()
    print_table(found)
    lost = sessions["lost"] + sum(row["lost"] for row in found)
    print(f"\nAcknowledged and lost: {lost}")
    write_json("study_load", Options(given.quick, given.json, given.seed), PACKAGES, {"sessions": sessions, "faults": found})
    sys.exit(1 if lost else 0)


# Real browsers -----------------------------------------------------------------------------------------------------------


def design() -> Study:
    return Study.model_validate({
        "id": "load", "title": "Load", "factors": {"explanation": ["none", "persona", "persona_quotes"]},
        "consent": {"version": "1", "text": "We keep what you answer."},
        "tasks": [{"id": "choose", "text": "Choose one.", "items": 2, "rate": True, "after": ["control"]}], "debrief": "Thank you.",
    })  # fmt: skip


def browsers(place: Workspace, folder: Path, people: int) -> dict[str, Any]:
    """All of them open at once, each going page by page; the server is killed when half of the pages are done."""
    study, file, url, port = design(), folder / "study.toml", f"sqlite:///{folder}/study.sqlite", free_port()
    file.write_text(as_file(study), "utf-8")
    hall = Hall(study, StudyStore(url))
    settings = {"PERSONA_STUDY_FILE": str(file), "PERSONA_STUDY_DATABASE": url}
    crowd: list[Somebody] = []
    killed, began = threading.Event(), time.perf_counter()
    with _kept_running(place.root, port, settings, killed) as home:
        walkers = [threading.Thread(target=_walk, args=(home, many, crowd)) for many in _shared_out(people)]
        for one in walkers:
            one.start()
        while any(one.is_alive() for one in walkers):
            time.sleep(0.5)
            if sum(one.acknowledged for one in list(crowd)) > people * 4:
                killed.set()
        for one in walkers:
            one.join()
    seconds = time.perf_counter() - began
    counts = [_counted(hall, one) for one in crowd]
    lost = sum(max(0, one.acknowledged - stored) for one, (stored, _) in zip(crowd, counts, strict=True))
    waits = np.array([wait for one in crowd for wait in one.waits] or [0.0])
    return {
        "participants": len(crowd), "finished": sum(one.done for one in crowd), "killed": int(killed.is_set()),
        "pages acknowledged": sum(one.acknowledged for one in crowd), "pages stored": sum(stored for stored, _ in counts),
        "events": hall.store.count(study.id), "lost": lost,
        "twice": sum(twice for _, twice in counts), "troubles met": sum(one.troubles for one in crowd),
        "page p50 s": float(np.quantile(waits, 0.5)), "page p95 s": float(np.quantile(waits, 0.95)), "minutes": seconds / 60,
    }  # fmt: skip


def _shared_out(people: int) -> list[int]:
    return [len(part) for part in np.array_split(np.arange(people), AT_ONCE) if len(part)]


@contextmanager
def _kept_running(root: Path, port: int, settings: dict[str, str], killed: threading.Event) -> Iterator[str]:
    """The server, killed with -9 once when that is asked for, and started again on the same port."""
    over = threading.Event()

    def watch() -> None:
        with server_process(root, port, **settings) as (process, _):
            up.set()
            while not killed.wait(0.2) and not over.is_set():
                pass
            if not over.is_set():
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
        if not over.is_set():
            with server_process(root, port, **settings):
                over.wait()

    up = threading.Event()
    keeper = threading.Thread(target=watch)
    keeper.start()
    up.wait(120)
    yield f"http://127.0.0.1:{port}"
    over.set()
    keeper.join()


def _walk(home: str, many: int, crowd: list[Somebody]) -> None:
    """One browser with so many participants; each does a page in turn."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        own = [Somebody(_opened(browser)) for _ in range(many)]
        crowd.extend(own)
        while not all(one.done for one in own):
            for one in own:
                if not one.done:
                    _turn(one, home)
        browser.close()


def _opened(browser: Browser) -> Page:
    page = browser.new_context(viewport={"width": 800, "height": 900}).new_page()
    page.set_default_timeout(30_000)
    return page


def _turn(one: Somebody, home: str) -> None:
    """One page; whatever goes wrong, they open their link again and go on."""
    try:
        if not one.address:
            one.page.goto(home)
            one.address = begin(one.page)
            return
        answer(one.page)
        began = time.perf_counter()
        after = go_on(one.page, 30_000)
        one.waits.append(time.perf_counter() - began)
        one.acknowledged += 1
        one.done = after == "done"
    except (BrowserError, AssertionError):
        one.troubles += 1
        _come_back(one, home)


def _come_back(one: Somebody, home: str) -> None:
    try:
        one.page.goto(one.address or home)
        one.page.locator(f".ps-foot, [data-testid=stCode], {GO}").first.wait_for()
        one.done = bool(one.address) and where(one.page) == "done"
    except (BrowserError, AssertionError):
        time.sleep(1.0)


def _counted(hall: Hall, one: Somebody) -> tuple[int, int]:
    """How many of their pages are stored, and how many events are there twice."""
    sitting = hall.enter(one.address.rpartition("t=")[2])
    if sitting is None:
        return 0, 0
    events = hall.events(sitting)
    ratings = [event.payload for event in events if event.kind == "rated"]
    rated = {(one["at"], one["item"] if one["at"] == "read" else "") for one in ratings}
    keys = [event.key for event in events]
    return len(sitting.done) + len(rated), len(keys) - len(set(keys))


if __name__ == "__main__":
    main()
