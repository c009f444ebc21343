"""The app as a stranger meets it: a real server on the loopback, a real Chromium, and no other network."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def server(workspace: Path, **environment: str) -> Iterator[str]:
    """The app's own command on a free port; yields its address."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"]
    settings = {"PERSONA_WORKSPACE": str(workspace), "PERSONA_OLLAMA_HOST": "http://127.0.0.1:9", **environment}
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )  # fmt: skip
    try:
        _wait_for(f"http://127.0.0.1:{port}/_stcore/health", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError("the server ended before it answered")
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("the server did not answer within a minute")


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
        page.on("request", lambda request: _note(request.url, address, strangers))
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
