"""`python -m benchmarks.deployment`: what a deployment of the demo world costs: disk and memory of every service, and what travels.

The services are those of deploy/compose.yaml, each by its own command, on the loopback without Docker; no model is asked.
"""

from __future__ import annotations

import importlib.metadata
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.app_others import Person
from benchmarks.harness import options_of, report
from persona_core.settings import REPOSITORY
from tests.support.deployment import Deployment, database
from tests.support.ollama_stand_in import OllamaStandIn

PEOPLE = ("u0012", "u0034", "u0056", "u0078", "u0101", "u0123", "u0145", "u0167", "u0189", "u0201")
PAGES = ("", "for_you", "your_profile", "personas", "trends", "scenarios")
SETTLED_S = 20.0
"""So long after the last page texts are encoded ahead."""


def main() -> None:
    options = options_of("deployment", "Disk and memory of every service of a deployment of the demo world.")
    people = PEOPLE[:2] if options.quick else PEOPLE
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        here = Deployment(folder, stack.enter_context(OllamaStandIn(models=())))
        stack.enter_context(database(here))
        stack.enter_context(here.up("chroma"))
        began = time.monotonic()
        _well(here, "build")
        built = time.monotonic() - began
        stack.enter_context(here.up("app"))
        rest = {name: _memory(process.pid) for name, process in here.running.items()}
        _visits(here.address("app"), people)
        busy = {name: _memory(process.pid) for name, process in here.running.items()}
        disk = {name: _size(here.home[name]) for name in ("workspace", "chroma", "postgres")}
        rows = [_row(name, disk, rest, busy) for name in ("app", "chroma", "postgres")]
        first, again = _published(here), _published(here)
    notes: tuple[str, ...] = (
        f"{len(people)} people at once, each on {len(PAGES)} pages. The app's disk is the workspace.",
        f"The first build took {built:.0f} s. Publishing sends {first:.1f} MB, and {again:.1f} MB when nothing is new.",
    )
    many, size = _packages()
    notes += (f"The {many} packages that requirements.txt and deploy/requirements.txt bring take {size:,.0f} MB here.",)
    report("deployment", options, rows, ("streamlit", "chromadb", "torch"), notes)


def _well(here: Deployment, name: str) -> None:
    done = here.once(name)
    if done.returncode:
        raise RuntimeError(done.stderr)


def _row(name: str, disk: dict[str, float], rest: dict[str, float], busy: dict[str, float]) -> dict[str, Any]:
    return {
        "service": name,
        "disk MB": disk["workspace" if name == "app" else name],
        "started MB": rest[name],
        "in use MB": busy[name],
    }


def _visits(address: str, people: tuple[str, ...]) -> None:
    """All come and stay, and look at every page."""
    there = [Person(address, who) for who in people]
    for page in PAGES:
        for person in there:
            person.open(page)
    time.sleep(SETTLED_S)
    for person in there:
        person.close()


def _published(here: Deployment) -> float:
    """How much more lies there afterwards, in MB."""
    before = _size(here.home["artefacts"])
    _well(here, "publish")
    return _size(here.home["artefacts"]) - before


def _packages() -> tuple[int, float]:
    """How many are installed for what the two files name, and how large they are in MB."""
    sizes: dict[str, int] = {}

    def add(wanted: Requirement) -> None:
        found = importlib.metadata.distribution(wanted.name)
        name = canonicalize_name(wanted.name)
        if name in sizes and not wanted.extras:
            return
        sizes[name] = sum(file.size or 0 for file in found.files or ())
        for line in found.requires or ():
            needed = Requirement(line)
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in wanted.extras or {""}):
                add(needed)

    for file in ("requirements.txt", "deploy/requirements.txt"):
        for line in (REPOSITORY / file).read_text("utf-8").splitlines():
            if line and not line.startswith("#"):
                add(Requirement(line))
    return len(sizes), sum(sizes.values()) / 1e6


def _size(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def _memory(pid: int) -> float:
    """In MB, of a process and all that it began: what they share with each other counts once, what others share with them in full."""
    children = _begun(pid)
    return sum(_said(one, "Pss:") for one in (pid, *children)) if children else _said(pid, "Rss:")


def _begun(pid: int) -> list[int]:
    own = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return own + [one for child in own for one in _begun(child)]


def _said(pid: int, what: str) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) / 1e3


if __name__ == "__main__":
    main()
