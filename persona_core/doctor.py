"""Looks at everything the project stands on and names, for each trouble, the command that mends it.

It imports what it looks at late: it must still speak when a package is missing.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from persona_core.errors import ArtefactBroken, PersonaError, WorkspaceMissing, write_access
from persona_core.settings import DEMO_DATA, REPOSITORY, Settings
from persona_core.workspace import Workspace, python_version

if TYPE_CHECKING:
    from persona_core.llm.server import ServerState

Health = Literal["ok", "note", "trouble"]
"""A note is something one may want to know or do; everything works without it."""

LEAST_DISK = 2 * 2**30


@dataclass(frozen=True, slots=True)
class Finding:
    name: str
    health: Health
    says: str
    mend: str = ""

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def examine(workspace: Workspace) -> list[Finding]:
    """All findings, in the order in which a person would mend them. Never raises."""
    settings, trouble = _settings(workspace)
    looks: tuple[Callable[[], Iterator[Finding]], ...] = (
        _python,
        _packages,
        lambda: iter([trouble] if trouble else [Finding("settings", "ok", "understood")]),
        _demo_data,
        _encoder,
        lambda: _disk(workspace),
        lambda: _built(workspace) if trouble is None else iter(()),
        lambda: _chroma(workspace, settings),
        lambda: _ollama(settings),
        lambda: _studies(settings),
    )
    return [finding for one in looks for finding in _safely(one)]


def _safely(one: Callable[[], Iterator[Finding]]) -> list[Finding]:
    try:
        return list(one())
    except ModuleNotFoundError as error:
        return [Finding("packages", "trouble", f"{error.name} cannot be imported", "pip install -r requirements.txt")]
    except Exception as error:  # a doctor that falls ill helps nobody
        return [Finding("doctor", "trouble", f"could not look: {type(error).__name__}: {error}")]


def _settings(workspace: Workspace) -> tuple[Settings, Finding | None]:
    try:
        return workspace.settings, None
    except PersonaError as error:
        return Settings(), Finding("settings", "trouble", f"{error.what} {error.why}", error.mend)


def _python() -> Iterator[Finding]:
    found = python_version()
    if sys.version_info[:2] == (3, 11):
        yield Finding("python", "ok", found)
    elif sys.version_info > (3, 11):
        yield Finding("python", "note", f"{found}; it is tried with 3.11", "python3.11 -m venv .venv")
    else:
        yield Finding("python", "trouble", f"{found} is too old; 3.11 is needed", "python3.11 -m venv .venv")


def _packages() -> Iterator[Finding]:
    wanted = dict(line.split("==") for line in (REPOSITORY / "requirements.txt").read_text("utf-8").split() if "==" in line)
    faults = []
    for name, version in wanted.items():
        try:
            found = importlib.metadata.version(name).split("+")[0]
        except importlib.metadata.PackageNotFoundError:
            faults.append(f"{name} is missing")
            continue
        if found != version:
            faults.append(f"{name} is {found}, wanted is {version}")
    if faults:
        yield Finding("packages", "trouble", "; ".join(faults), "pip install -r requirements.txt")
    else:
        yield Finding("packages", "ok", f"all {len(wanted)} as pinned")


def _demo_data() -> Iterator[Finding]:
    missing = [name for name in ("items.jsonl", "users.jsonl", "reviews.jsonl") if not (DEMO_DATA / name).is_file()]
    if missing:
        yield Finding("demo world", "trouble", f"{', '.join(missing)} missing in {DEMO_DATA}", "python -m demo_world")
    else:
        yield Finding("demo world", "ok", "its files are there")


def _encoder() -> Iterator[Finding]:
    from persona_core.text.weights import check_weights

    try:
        check_weights()
    except PersonaError as error:
        yield Finding("encoder weights", "trouble", f"{error.what} {error.why}".strip(), error.mend)
    else:
        yield Finding("encoder weights", "ok", "MiniLM, checksum as published")


def _disk(workspace: Workspace) -> Iterator[Finding]:
    place = next(folder for folder in (workspace.root, *workspace.root.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    says = f"{free / 2**30:.1f} GiB free where {workspace.root} lies"
    if free < LEAST_DISK:
        yield Finding("disk", "trouble", says, "free some space, or choose another place with --workspace DIR")
    else:
        yield Finding("disk", "ok", says)
    if not os.access(place, os.W_OK):
        says = f"{workspace.root} cannot be written: what is built can be looked at, nothing can be built"
        yield Finding("disk", "note", says, write_access(workspace.root))


def _built(workspace: Workspace) -> Iterator[Finding]:
    from persona_core.steps import pipeline_of

    status = pipeline_of(workspace).status()
    if all(one.state == "missing" for one in status):
        command = "build" if workspace.settings.source else "build --from demo"
        yield Finding("workspace", "note", f"nothing is built yet in {workspace.root}", workspace.command(command))
        return
    broken = [one for one in status if one.state == "broken"]
    late = [one for one in status if one.state in ("stale", "missing")]
    for one in broken:
        mend = workspace.command(f"build --only {one.step.name}" if workspace.fetched is None else "fetch")
        yield Finding("workspace", "trouble", f"{one.step.name}: {one.why}", mend)
    if late:
        names = ", ".join(f"{one.step.name} ({one.state})" for one in late)
        yield Finding("workspace", "note", f"not up to date: {names}", workspace.command("fetch" if workspace.fetched else "build"))
    if not broken and not late:
        came = workspace.fetched
        how = "built" if came is None else f"fetched (edition {came.edition} of {came.url}, {came.when:%Y-%m-%d %H:%M} UTC)"
        yield Finding("workspace", "ok", f"{len(status)} steps {how} and whole in {workspace.root}")


def _chroma(workspace: Workspace, settings: Settings) -> Iterator[Finding]:
    import chromadb

    from persona_core.personas.index import missing_on_server
    from persona_core.personas.store.chroma_client import how_to_start

    url = settings.chroma.url
    if not url:
        yield Finding("chroma", "ok", f"version {chromadb.__version__}, embedded in the workspace")
        return
    import httpx

    try:
        httpx.get(f"{url.rstrip('/')}/api/v2/heartbeat", timeout=3.0).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        mend = f"{how_to_start(url)}, or unset PERSONA_CHROMA_URL"
        yield Finding("chroma", "trouble", f"no server answers at {url}: {error}", mend)
        return
    yield Finding("chroma", "ok", f"a server answers at {url}")
    try:
        lost = missing_on_server(workspace, workspace.artefact("index"))
    except (WorkspaceMissing, ArtefactBroken):
        return
    if lost:
        yield Finding("chroma", "trouble", lost, workspace.command("build --only index"))


def _ollama(settings: Settings) -> Iterator[Finding]:
    from persona_core.llm.server import look

    if settings.ollama.use == "never":
        yield Finding("ollama", "ok", "not to be used, as PERSONA_OLLAMA_USE says; everything works without it")
        return
    wanted = settings.ollama.model
    states = look(settings.ollama)
    says = "; ".join(_ollama_host(state, wanted) for state in states)
    without = [state.host for state in states if state.reachable and not state.has(wanted)]
    down = [state.host for state in states if not state.reachable]
    if len(down) == len(states):
        says = f"{says}; everything works without it, by extraction and rule"
        yield Finding("ollama", "note", says, f"ollama serve, then: ollama pull {wanted}")
    elif without:
        where = f"OLLAMA_HOST={without[0]} " if len(states) > 1 else ""
        yield Finding("ollama", "note", says, f"{where}ollama pull {wanted}")
    elif len({state.digest_of(wanted) for state in states if state.reachable}) > 1:
        yield Finding("ollama", "note", f"{says}; the weights differ, so only some share the work", f"ollama pull {wanted} on each")
    elif down:
        yield Finding("ollama", "note", says, f"ollama serve at {down[0]}; the others do the work until then")
    else:
        yield Finding("ollama", "ok", says)


def _ollama_host(state: ServerState, wanted: str) -> str:
    if not state.reachable:
        return f"not reachable at {state.host}"
    models = ", ".join(state.models) or "no models"
    return f"reachable at {state.host} with {models}" + ("" if state.has(wanted) else f", but not {wanted}")


def _studies(settings: Settings) -> Iterator[Finding]:
    """A server that the settings name; a file in the workspace is there with its disk."""
    if not settings.study.database:
        return
    from sqlalchemy import create_engine
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import SQLAlchemyError

    try:
        said = make_url(settings.study.database).render_as_string(hide_password=True)
        hurry = {"connect_timeout": 5} if said.startswith("postgresql") else {}
        engine = create_engine(settings.study.database, connect_args=hurry)
        with engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
        engine.dispose()
    except (SQLAlchemyError, ImportError) as error:
        why = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        yield Finding("studies", "trouble", f"their database cannot be used: {why}", "start it, or correct PERSONA_STUDY_DATABASE")
    else:
        yield Finding("studies", "ok", f"{said} answers")
