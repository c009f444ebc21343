"""`python -m docs.pictures`: starts the app on the demo world and takes the README's pictures anew."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from persona_core.settings import DEMO_DATA
from tests.support.server import CHROMIUM, FLAGS, server
from tests.support.worlds import build_from

FOLDER = Path(__file__).parent
SIZE = {"width": 1240, "height": 980}
PAGES = {"start": ("", "Bring your own reviews")}
"""By picture: the page's path, and a heading that is there when the page is whole."""


def main() -> None:
    with TemporaryDirectory() as folder:
        place = build_from(DEMO_DATA, Path(folder))
        with server(place.root) as address:
            take(address)


def take(address: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        for name, (path, heading) in PAGES.items():
            for scheme in ("light", "dark"):
                page = browser.new_page(viewport=SIZE, color_scheme=scheme)  # type: ignore[arg-type]
                page.goto(f"{address}/{path}")
                page.get_by_role("heading", name=heading).wait_for(timeout=60_000)
                page.wait_for_timeout(1_500)
                page.screenshot(path=FOLDER / f"{name}-{scheme}.png")
                print(FOLDER / f"{name}-{scheme}.png")
        browser.close()


if __name__ == "__main__":
    main()
