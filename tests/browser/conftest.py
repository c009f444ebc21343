"""The app as a stranger meets it: a real server on the loopback, a real Chromium, and no other network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.server import CHROMIUM, FLAGS


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def page_at(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page of a size and colour scheme; fails the test if it asked anybody but the server."""
    opened: list[Page] = []
    strangers: list[str] = []

    def page_at(address: str, width: int = 1280, height: int = 900, scheme: str = "light") -> Page:
        page = chromium.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
        host = "{0.scheme}://{0.netloc}".format(urlsplit(address))
        page.on("request", lambda request: _note(request.url, host, strangers))
        opened.append(page)
        page.goto(address)
        return page

    yield page_at
    for page in opened:
        page.close()
    assert not strangers, f"the page asked {strangers}"


def _note(url: str, address: str, strangers: list[str]) -> None:
    own = (address, address.replace("http", "ws"), "data:", "blob:")
    if not url.startswith(own):
        strangers.append(url)
