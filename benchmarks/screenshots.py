"""`python -m benchmarks.screenshots`: pictures of every page on the demo world, wide and narrow, light and dark.

With `--quick` only the wide ones; with `--readme` those of the README are written to docs/; `--workspace DIR` takes a built one.
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page, expect, sync_playwright

from persona_core.engine import Engine
from persona_core.settings import DEMO_DATA
from persona_core.study.design import read_study
from persona_core.study.place import TEMPLATE
from persona_core.study.sitting import Hall
from persona_core.study.store import StudyStore
from persona_core.study.synthetic import Crowd, Effect, simulate
from persona_core.workspace import Workspace
from tests.support import participant
from tests.support.server import CHROMIUM, FLAGS, ROOT, server
from tests.support.worlds import build_from

OUT = Path(__file__).parent / "out" / "screenshots"
WIDTHS = (1440, 768, 380)
SCHEMES = ("light", "dark")
PATIENCE = 60_000
WHO = "u0012"
"""Somebody of the demo world with likes, dislikes and a past in all scenarios."""
WROTE = "u0006"
"""Somebody who wrote much."""
DESK_TOKEN, REHEARSED = "only for pictures of it", 60
EDITS = ("a quiet evening by the fire",)


@dataclass(frozen=True, slots=True)
class View:
    """One thing to take a picture of: where it is, what is there when it is whole, and what to do before."""

    name: str
    path: str
    whole: str
    before: Callable[[Page], None] = lambda _: None
    readme: bool = False
    study: bool = False
    """Of the server that serves a study."""


def _open_first(page: Page) -> None:
    page.get_by_text("Why, in full").first.click()
    expect(page.get_by_text("The score and its parts").first).to_be_visible(timeout=PATIENCE)


def _compare(page: Page) -> None:
    page.get_by_label("Compare with").first.click()
    page.wait_for_timeout(500)
    page.get_by_role("option").nth(3).click()
    expect(page.get_by_text("In common").first).to_be_visible(timeout=PATIENCE)


def _edit(page: Page) -> None:
    field = page.get_by_placeholder("Add a like, such as")
    field.fill(EDITS[0])
    field.press("Enter")
    expect(page.get_by_text("Of the first 10").first).to_be_visible(timeout=PATIENCE)


def _pick(page: Page, field: str) -> None:
    """An item of the demo world, from the list of that name."""
    place = page.get_by_role("combobox", name=field)
    place.click()
    place.press_sequentially("kitahari")
    page.wait_for_timeout(500)
    place.press("Enter")


def _ask(page: Page) -> None:
    _pick(page, "Why not")
    page.get_by_text("What would move it?").click()
    page.wait_for_timeout(3_000)


def _choose_item(page: Page) -> None:
    _pick(page, "Or choose an item")
    expect(page.get_by_text("Back to all personas")).to_be_visible(timeout=PATIENCE)


def _ways(page: Page) -> None:
    page.get_by_text("Other ways to see you").click()
    expect(page.get_by_role("button", name="Use this one").first).to_be_visible(timeout=PATIENCE)
    page.locator("button:enabled", has_text="Add phrases").first.click()
    page.wait_for_timeout(1_000)


def _teach(page: Page) -> None:
    _part(page, "Learning")
    page.get_by_text("Teach a generator to write").click()
    page.wait_for_timeout(1_500)


def _part(page: Page, name: str) -> None:
    page.get_by_text(name, exact=True).first.click()
    page.wait_for_timeout(2_500)


def _go_back(page: Page) -> None:
    page.get_by_role("combobox", name="As of").click()
    page.wait_for_timeout(500)
    page.get_by_role("option").nth(3).click()
    expect(page.get_by_text("As if it were").first).to_be_visible(timeout=PATIENCE)


def _tour(page: Page) -> None:
    page.get_by_role("button", name="Take the tour").click()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("Tour, 2 of")).to_be_visible(timeout=PATIENCE)


def _to_the_task(page: Page) -> None:
    """As a participant, up to the list with its reasons."""
    participant.begin(page)
    for _ in range(3):
        participant.answer(page)
        participant.go_on(page)


def _desk(page: Page, part: str) -> None:
    page.locator("input[type=password]").fill(DESK_TOKEN)
    page.get_by_role("button", name="Open").click()
    page.locator("[data-testid=stButtonGroup] button", has_text=part).first.click()
    page.wait_for_timeout(1_000)
    participant.idle(page)
    if part in ("Progress", "Results"):
        page.get_by_text("with rehearsals").click()
        page.wait_for_timeout(1_500)
        participant.idle(page)


def _study_server(stack: ExitStack, root: Path) -> str:
    """Serves the study that ships, through which made-up participants have gone."""
    folder = Path(stack.enter_context(TemporaryDirectory()))
    url = f"sqlite:///{folder}/study.sqlite"
    hall = Hall(read_study(TEMPLATE).unlimited, StudyStore(url))
    effects = (
        Effect("misjudged", "explanation", "persona_quotes", -0.7),
        Effect("transparency", "explanation", "persona_quotes", 0.8),
    )
    simulate(hall, Engine.open(Workspace.at(root)), REHEARSED, Crowd(effects, careless=0.05, drops=0.1))
    shutil.copy(TEMPLATE, folder / "reasons.toml")
    settings = {
        "PERSONA_STUDY_FILE": str(folder / "reasons.toml"),
        "PERSONA_STUDY_DATABASE": url,
        "PERSONA_STUDY_DESK_TOKEN": DESK_TOKEN,
    }
    return stack.enter_context(server(root, **settings))


VIEWS = (
    View("start", "", "Month by month"),
    View("for-you", f"for_you?who={WHO}", "Something is missing?", readme=True),
    View("for-you-open", f"for_you?who={WHO}", "Something is missing?", _open_first),
    View("for-you-two", f"for_you?who={WHO}", "Something is missing?", _compare),
    View("for-you-ask", f"for_you?who={WHO}", "Something is missing?", _ask),
    View("for-you-new", "for_you?who=new", "Something is missing?"),
    View("your-profile", f"your_profile?who={WHO}", "In a few sentences", _edit, readme=True),
    View("your-profile-ways", f"your_profile?who={WROTE}", "In a few sentences", _ways),
    View("personas", "personas", "The map of personas", readme=True),
    View("personas-item", "personas", "The map of personas", _choose_item),
    View("personas-search", "personas?q=rain", "The map of personas"),
    View("trends", "trends", "How good these forecasts are", readme=True),
    View("trends-back", "trends", "How good these forecasts are", _go_back),
    View("scenarios", f"scenarios?who={WROTE}", "How far that helps", readme=True),
    View("scenarios-new", f"scenarios?who={WHO}", "How far that helps"),
    View("workshop", "workshop", "What is built from what", readme=True),
    View("workshop-learning", "workshop", "What is built from what", lambda page: _part(page, "Learning")),
    View("workshop-teach", "workshop", "What is built from what", _teach),
    View("workshop-health", "workshop", "What is built from what", lambda page: _part(page, "Health")),
    View("workshop-own", "workshop", "What is built from what", lambda page: _part(page, "Your own data")),
    View("tour", "", "Month by month", _tour),
    View("study-door", "", "Begin", study=True),
    View("study-task", "", "Begin", _to_the_task, readme=True, study=True),
    View("desk-design", "study_desk", "Open", lambda page: _desk(page, "Design"), study=True),
    View("desk-plan", "study_desk", "Open", lambda page: _desk(page, "Plan"), study=True),
    View("desk-progress", "study_desk", "Open", lambda page: _desk(page, "Progress"), study=True),
    View("desk-results", "study_desk", "Open", lambda page: _desk(page, "Results"), readme=True, study=True),
)


def main() -> None:
    given = _options()
    began = time.monotonic()
    with ExitStack() as stack, sync_playwright() as playwright:
        place = given.workspace or build_from(DEMO_DATA, Path(stack.enter_context(TemporaryDirectory()))).root
        address = stack.enter_context(server(place))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        views = [one for one in VIEWS if not given.only or one.name in given.only]
        study = _study_server(stack, place) if any(one.study for one in views) else ""
        for view in views:
            for width in WIDTHS[:1] if given.quick or given.readme else WIDTHS:
                for scheme in SCHEMES:
                    if not given.readme or view.readme:
                        print(take(browser, study if view.study else address, view, width, scheme, given.readme), flush=True)
        browser.close()
    print(f"{time.monotonic() - began:.0f} s")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.screenshots", description="Pictures of every page.")
    parser.add_argument("--quick", action="store_true", help="only the wide ones")
    parser.add_argument("--readme", action="store_true", help="only those of the README, into docs/")
    parser.add_argument(
        "--workspace", type=lambda text: Workspace.at(text).root, metavar="DIR", help="a workspace that is built already"
    )
    parser.add_argument("only", nargs="*", help="names of views; all by default")
    return parser.parse_args()


def take(browser: Browser, address: str, view: View, width: int, scheme: str, readme: bool) -> Path:
    """One picture; for the README what a window shows, else the whole page."""
    height = 900 if width > 500 else 780
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(f"{address}/{view.path}")
    expect(page.get_by_text(view.whole, exact=True).last).to_be_attached(timeout=PATIENCE)
    view.before(page)
    page.wait_for_timeout(1_200)
    if readme:
        path = ROOT / "docs" / f"{view.name}-{scheme}.png"
    else:
        path = OUT / f"{view.name}-{width}-{scheme}.png"
        page.set_viewport_size({"width": width, "height": min(_height(page), 6_000)})
        page.wait_for_timeout(700)
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path)
    page.close()
    return path


def _height(page: Page) -> int:
    """How tall the window must be to hold the whole page."""
    script = "(document.querySelector('[data-testid=stMainBlockContainer]')?.scrollHeight || 0) + 80"
    return max(int(page.evaluate(script)), 900)


if __name__ == "__main__":
    main()
