"""The commands about user studies: from a file to begin with to the bundle that is handed over."""

from __future__ import annotations

import os
import secrets
import subprocess  # nosec B404 # our own words, no shell
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from persona_core.errors import PersonaError
from persona_core.files import write_beside
from persona_core.settings import REPOSITORY
from persona_core.workspace import Workspace

if TYPE_CHECKING:
    from persona_core.study.analysis import Analysis
    from persona_core.study.synthetic import Effect

Command = Callable[[Callable[..., dict[str, Any]]], Callable[..., None]]
SHORTEST_TOKEN = 16
FILE = click.argument("file", type=click.Path(path_type=Path))
REHEARSALS = click.option("--rehearsals", is_flag=True, help="Count simulated participants, too.")


def add_to(main: click.Group, command: Command) -> None:
    """Adds the `study` commands; `command` gives each its --workspace, --json and worded errors."""

    @main.group()
    def study() -> None:
        """Experiments on explanations: design, rehearsal, running, results."""

    study.command()(click.argument("file", type=click.Path(dir_okay=False, path_type=Path))(command(new)))
    study.command()(FILE(command(check)))
    study.command()(FILE(click.option("--effect", default=0.5, show_default=True, help="In standard deviations.")(command(plan))))
    study.command()(FILE(click.option("--port", default=8501, show_default=True)(command(run))))
    study.command()(FILE(click.option("--many", default=10, show_default=True)(command(invite))))
    options = [
        click.option("--people", default=60, show_default=True),
        click.option("--effect", "effects", multiple=True, metavar="OUTCOME:FACTOR=LEVEL:SIZE",
                     help="Under this level this outcome is so many standard deviations higher. May be repeated."),
        click.option("--careless", default=0.05, show_default=True, help="This share fails the attention checks."),
        click.option("--drops", default=0.05, show_default=True, help="This share stops on the way."),
        click.option("--seed", default=0, show_default=True),
    ]  # fmt: skip
    simulated: Any = command(simulate)
    for option in options:
        simulated = option(simulated)
    study.command()(FILE(simulated))
    study.command()(FILE(REHEARSALS(command(results))))
    out = click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="[default: ID.zip]")
    study.command()(FILE(REHEARSALS(out(command(export)))))
    study.command("import")(FILE(command(bring)))
    study.command()(FILE(command(forget)))


def new(workspace: Workspace, as_json: bool, file: Path) -> dict[str, Any]:
    """Write a study to FILE that can be run as it is, to be changed."""
    from persona_core.study.place import TEMPLATE

    if file.exists():
        raise PersonaError(f"{file} is there already.", mend="name another file, or remove it")
    write_beside(file, TEMPLATE.read_bytes())
    _say(as_json, f"Written: {file}")
    return {"file": str(file)}


def check(workspace: Workspace, as_json: bool, file: Path) -> dict[str, Any]:
    """Say whether the study in FILE can be run, and what participants will meet."""
    from persona_core.study.design import read_study

    found = read_study(file)
    pages = Counter(step.kind for step in found.path)
    told = {"id": found.id, "title": found.title, "conditions": [dict(one) for one in found.conditions], "within": found.within,
            "pages": dict(pages), "quota": found.quota, "content": found.content}  # fmt: skip
    who = "everybody meets all of them" if found.within else "everybody meets one of them"
    _say(as_json, f"{found.title}\n{len(found.conditions)} conditions, {who}:")
    for one in found.conditions:
        _say(as_json, "  " + ", ".join(f"{name}: {level}" for name, level in one.items()))
    _say(as_json, f"{sum(pages.values())} pages: " + ", ".join(f"{many} {kind}" for kind, many in pages.items()))
    for planned in found.hypotheses:
        _say(as_json, f"Planned: {planned.words}")
    return told


def plan(workspace: Workspace, as_json: bool, file: Path, effect: float) -> dict[str, Any]:
    """Say how many participants find a difference of this size, by simulating the study in FILE."""
    from persona_core.study.design import read_study
    from persona_core.study.power import ENOUGH, Asked, curve, needed

    found = read_study(file)
    asked = Asked.of(found)
    powers = curve(asked, effect, seed=found.seed)
    many = needed(powers)
    _say(as_json, f"A difference of {effect:g} standard deviations, {asked.tests} planned, is found:")
    for one in powers:
        _say(as_json, f"  with {one.people:4d} participants in {one.power:4.0%} of studies ({one.low:.0%} to {one.high:.0%})")
    _say(as_json, f"For {ENOUGH:.0%}: {many} participants." if many else f"For {ENOUGH:.0%}: more than {powers[-1].people}.")
    return {"effect": effect, "needed": many, "power": [{"people": one.people, "power": one.power} for one in powers]}


def run(workspace: Workspace, as_json: bool, file: Path, port: int) -> dict[str, Any]:
    """Serve the study in FILE to participants, with the Study desk beside it. Ends with Ctrl-C."""
    from persona_core.study.design import read_study
    from persona_core.study.showing import check_that_it_can_be_shown

    found = read_study(file)
    check_that_it_can_be_shown(found, _engine(workspace))
    token = workspace.settings.study.desk_token or secrets.token_urlsafe(18)
    if len(token) < SHORTEST_TOKEN:
        raise PersonaError(f"The desk's token has fewer than {SHORTEST_TOKEN} letters.", mend="set a longer PERSONA_STUDY_DESK_TOKEN")
    env = os.environ | {"PERSONA_WORKSPACE": str(workspace.root), "PERSONA_STUDY_FILE": str(file.resolve()),
                        "PERSONA_STUDY_DESK_TOKEN": token}  # fmt: skip
    home = f"http://127.0.0.1:{port}"
    _say(as_json, f"Participants: {home}\nStudy desk:   {home}/study_desk\nIts token:    {token}")
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"]
    ended = subprocess.run(command, cwd=REPOSITORY, env=env, check=False)  # nosec B603 # our own words, no shell
    return {"ended": ended.returncode}


def invite(workspace: Workspace, as_json: bool, file: Path, many: int) -> dict[str, Any]:
    """Make codes of which each lets one person into the study in FILE: they follow ?i= in the address."""
    from persona_core.study.design import read_study
    from persona_core.study.entry import invitations
    from persona_core.study.place import open_store

    codes = invitations(read_study(file), open_store(workspace), many)
    for code in codes:
        _say(as_json, f"/?i={code}")
    return {"codes": codes}


def simulate(
    workspace: Workspace, as_json: bool, file: Path, people: int, effects: tuple[str, ...], careless: float, drops: float, seed: int
) -> dict[str, Any]:
    """Send made-up participants through the study in FILE, with a known effect, and say what the analysis finds."""
    from persona_core.study.analysis import analysed
    from persona_core.study.design import read_study
    from persona_core.study.place import open_store
    from persona_core.study.showing import check_that_it_can_be_shown
    from persona_core.study.sitting import Hall
    from persona_core.study.synthetic import Crowd
    from persona_core.study.synthetic import simulate as walked
    from persona_core.study.tables import tables_of

    found, engine, store = read_study(file), _engine(workspace), open_store(workspace)
    check_that_it_can_be_shown(found, engine)
    crowd = Crowd(tuple(effect_in(one) for one in effects), careless, drops)
    with click.progressbar(length=people, label="Participants", file=sys.stderr) as bar:
        finished = walked(Hall(found, store), engine, people, crowd, seed, lambda _: bar.update(1))
    analysis = analysed(found, tables_of(found, store, rehearsals=True))
    _say(as_json, f"{finished} of {people} came to the end.")
    _tell(as_json, analysis)
    return {"finished": finished, "results": analysis.as_dict()}


def results(workspace: Workspace, as_json: bool, file: Path, rehearsals: bool) -> dict[str, Any]:
    """Say what the study in FILE has found so far."""
    from persona_core.study.analysis import analysed
    from persona_core.study.design import read_study
    from persona_core.study.place import open_store
    from persona_core.study.tables import tables_of

    found = read_study(file)
    analysis = analysed(found, tables_of(found, open_store(workspace), rehearsals=rehearsals))
    _tell(as_json, analysis)
    return analysis.as_dict()


def export(workspace: Workspace, as_json: bool, file: Path, out: Path | None, rehearsals: bool) -> dict[str, Any]:
    """Write all of the study in FILE as one bundle: tables, codebook, design, results, and a script that works them out anew."""
    from persona_core.study.bundle import bundle
    from persona_core.study.design import read_study
    from persona_core.study.place import open_store

    found = read_study(file)
    target = out or Path(f"{found.id}.zip")
    write_beside(target, bundle(found, file.read_text("utf-8"), open_store(workspace), workspace, rehearsals=rehearsals))
    _say(as_json, f"Written: {target}")
    return {"file": str(target)}


def bring(workspace: Workspace, as_json: bool, file: Path) -> dict[str, Any]:
    """Take over a bundle that was exported elsewhere."""
    from persona_core.study.bundle import take_over
    from persona_core.study.place import open_store, take_in
    from persona_core.study.unpacking import LARGEST

    try:
        content = file.read_bytes() if file.stat().st_size <= LARGEST else b""
    except OSError as error:
        raise PersonaError(f"{file} cannot be read.", why=str(error.strerror or error), mend="name a bundle") from error
    if not content:
        raise PersonaError(f"{file} is no bundle.", why=f"It is empty, or larger than {LARGEST:,} bytes.", mend="name a bundle")
    found, text, many = take_over(content, open_store(workspace))
    target = take_in(workspace, found.id, text)
    _say(as_json, f"{many} participants taken over; the study lies in {target}")
    return {"participants": many, "file": str(target)}


def forget(workspace: Workspace, as_json: bool, file: Path) -> dict[str, Any]:
    """Delete what participants of the study in FILE did and said longer ago than its retention_days."""
    from persona_core.study.design import read_study
    from persona_core.study.place import open_store

    found = read_study(file)
    if found.retention_days is None:
        raise PersonaError("The study says nothing of how long its data are kept.", mend="set retention_days in its file")
    many = open_store(workspace).forget(found.id, datetime.now(UTC) - timedelta(days=found.retention_days))
    _say(as_json, f"{many} participants were deleted; that they were there is kept.")
    return {"deleted": many}


# Shared ------------------------------------------------------------------------------------------------------------------


def effect_in(text: str) -> Effect:
    """From OUTCOME:FACTOR=LEVEL:SIZE."""
    from persona_core.study.synthetic import Effect

    try:
        outcome, where, size = text.split(":")
        factor, level = where.split("=")
        return Effect(outcome.strip(), factor.strip(), level.strip(), float(size))
    except ValueError as error:
        raise PersonaError(f"{text!r} is no effect.", mend="write it as trust:explanation=persona:0.5") from error


def _engine(workspace: Workspace) -> Any:
    from persona_core.engine import Engine

    return Engine.open(workspace)


def _say(as_json: bool, line: str) -> None:
    if not as_json:
        click.echo(line)


def _tell(as_json: bool, found: Analysis) -> None:
    people = found.people
    _say(as_json, f"{people['came']} came, {people['finished']} finished, {people['analysed']} are analysed.")
    for title, findings in (("Planned (Holm):", found.planned), ("Exploratory (Benjamini-Hochberg):", found.exploratory)):
        _say(as_json, title if findings else f"{title} nothing yet")
        for one in findings:
            said = one.contrast
            sign = "*" if one.holds else " "
            what = f"{said.outcome}, {said.factor} {said.level} - {said.against}"
            numbers = f"{said.difference:+.2f} ({said.low:+.2f} to {said.high:+.2f}), g {said.effect:+.2f}"
            _say(as_json, f" {sign} {what}: {numbers}, {said.test} p {said.p:.4f}, corrected {one.p_corrected:.4f}")
    for words in found.unanswered:
        _say(as_json, f"Not yet to be said, for want of people: {words}")
