"""A stranger's first minute: the app starts on nothing, builds the demo world before their eyes, and fits every screen."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from persona_core.workspace import Workspace
from tests.support.server import ROOT, server
from tests.support.worlds import write_tiny_world

pytestmark = pytest.mark.xdist_group("browser")
PATIENCE = 60_000


def test_from_nothing_to_the_demo_world(tmp_path: Path, page_at: Callable[..., Page]) -> None:
    with server(tmp_path / "workspace") as address:
        page = page_at(address)
        expect(page.get_by_role("heading", name="Personascope")).to_be_visible(timeout=PATIENCE)
        expect(page.get_by_role("heading", name="What they say")).to_be_visible(timeout=PATIENCE)
        page.reload()  # in the middle of the build, which goes on
        expect(page.get_by_role("heading", name="What they say")).to_be_visible(timeout=PATIENCE)
        expect(page.get_by_text("165", exact=True)).to_be_visible()
        expect(page.locator("[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg").first).to_be_visible()
        page.get_by_text("12 rows could not be used").click()
        expect(page.get_by_text("Each is listed with its file and line")).to_be_visible()
        assert page.locator("[data-testid=stException]").count() == 0


@pytest.fixture(scope="module")
def demo_address(built_demo: Workspace) -> Iterator[str]:
    with server(built_demo.root) as found:
        yield found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_cut_off(width: int, scheme: str, demo_address: str, page_at: Callable[..., Page]) -> None:
    page = page_at(demo_address, width=width, scheme=scheme)
    expect(page.get_by_role("heading", name="Bring your own reviews")).to_be_visible(timeout=PATIENCE)
    overflow = page.evaluate(
        "Array.from(document.querySelectorAll('[data-testid=stMain] *')).filter(e => e.checkVisibility()"
        " && e.getBoundingClientRect().right > window.innerWidth + 1 && !e.closest('pre, canvas, svg, [role=grid]')"
        " && !e.closest('[data-testid=stVegaLiteChart], [data-testid=stExpander]')).map(e => e.outerHTML.slice(0, 120))"
    )
    assert not overflow
    dark = page.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor")
    assert dark == ("rgb(23, 20, 17)" if scheme == "dark" else "rgb(251, 248, 242)")


def test_the_page_waits_for_another_builder_and_goes_on(tmp_path: Path, page_at: Callable[..., Page]) -> None:
    hold = (
        "import sys; from persona_core.workspace import Workspace\n"
        "with Workspace.at(sys.argv[1]).lock('a build elsewhere'):\n    print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", hold, str(tmp_path / "workspace")]
    holder = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    holder.stdout.readline()
    with server(tmp_path / "workspace") as address:
        page = page_at(address)
        expect(page.get_by_text("a build elsewhere")).to_be_visible(timeout=PATIENCE)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        expect(page.get_by_role("heading", name="What they say")).to_be_visible(timeout=PATIENCE)


def test_a_broken_workspace_is_explained_without_a_traceback(tmp_path: Path, page_at: Callable[..., Page]) -> None:
    write_tiny_world(tmp_path / "tiny")
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / "workspace.toml").write_text("sede = 3\n")
    with server(tmp_path / "workspace") as address:
        page = page_at(address)
        expect(page.get_by_text("sede")).to_be_visible(timeout=PATIENCE)
        assert "Traceback" not in page.inner_text("body")
