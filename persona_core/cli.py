"""The command line: `python -m persona_core …`. Progress goes to standard error, results to standard output."""

from __future__ import annotations

import errno
import functools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click

from persona_core import __version__, cli_personas, cli_profiles, cli_publishing, cli_ranking, cli_scenarios, cli_study, cli_trends
from persona_core.cli_progress import progress_option
from persona_core.cli_runner import chosen_runner, runner_options
from persona_core.errors import BuildStopped, PersonaError, StepFailed, as_disk_error
from persona_core.mapping import Runner
from persona_core.progress import Listener
from persona_core.settings import default_workspace
from persona_core.workspace import Manifest, Workspace

STATE_SIGNS = {"done": "✓", "stale": "~", "missing": "·", "broken": "✗", "ok": "✓", "note": "·", "trouble": "✗"}


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="personascope")
def main() -> None:
    """Personascope: recommendations that a person can read, argue with and change.

    Start with `build --from demo`, then `streamlit run app.py`.
    """


def _command(function: Callable[..., dict[str, Any]]) -> Callable[..., None]:
    """Gives a command --workspace and --json, prints its result, and words errors for people."""

    @click.option(
        "--workspace",
        type=click.Path(file_okay=False, path_type=Path),
        default=None,
        metavar="DIR",
        help="The folder of the dataset and all that is built from it.  [default: data/workspaces/demo]",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object as the last line.")
    @functools.wraps(function)
    def run(workspace: Path | None, as_json: bool, **options: Any) -> None:
        place = Workspace.at(workspace or default_workspace())
        try:
            result = function(place, as_json=as_json, **options)
        except PersonaError as error:
            _fail(error, as_json)
        except OSError as error:
            if error.errno == errno.EPIPE:  # who reads what we say has had enough
                raise
            _fail(_of_the_system(error, place), as_json)
        if as_json:
            click.echo(json.dumps(result))
        if not result.get("healthy", True):
            raise SystemExit(1)

    return run


def _fail(error: PersonaError, as_json: bool) -> NoReturn:
    click.secho(f"\n{error.what}", err=True, fg="red", bold=True)
    if error.why:
        click.echo(error.why, err=True)
    if error.mend:
        click.echo(f"To mend it: {error.mend}", err=True)
    if as_json:
        click.echo(json.dumps(error.as_dict()))
    raise SystemExit(130 if isinstance(error, BuildStopped) else 1)


def _of_the_system(error: OSError, workspace: Workspace) -> PersonaError:
    return as_disk_error(error, workspace.root) or StepFailed(
        f"The system could not do it: {error}.", why="What was finished before is kept.", mend=workspace.command("doctor")
    )


def _source_options(function: Callable[..., Any]) -> Callable[..., Any]:
    options = [
        click.option("--from", "source", metavar="demo|PATH", help="The demo world, or a file or folder of reviews."),
        click.option("--reader", metavar="NAME", help="The form of the data, where it is not recognised by itself."),
        click.option("--items", type=click.Path(path_type=Path), metavar="FILE", help="A file about the items."),
        click.option("--users", type=click.Path(path_type=Path), metavar="FILE", help="A file with the users' names."),
        click.option("--scenario", metavar="NAME", help="The scenario of items that name none, such as books."),
        click.option(
            "--map",
            "columns",
            multiple=True,
            metavar="NAME=COLUMN",
            help="Which column holds what: user, item, rating, time, text, review, user_name; item.title, item.maker, … for "
            "the items' file. Repeat it.",
        ),
        click.option(
            "--rating-scale", type=(float, float), metavar="LOW HIGH", help="The ends of the rating scale; it becomes 1 to 5."
        ),
        click.option("--k-core", type=click.IntRange(1), default=1, help="Keep users and items with this many reviews."),
        click.option("--keep-unreviewed", is_flag=True, help="Keep items that nobody has reviewed."),
        click.option("--replace", is_flag=True, help="Let this workspace change to other data."),
    ]
    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(options), function)


@main.command()
@_command
@progress_option
@_source_options
def ingest(workspace: Workspace, as_json: bool, listener: Listener, **options: Any) -> dict[str, Any]:
    """Read reviews into the workspace, without building anything from them."""
    _choose_source(workspace, **options)
    return _build(workspace, "catalog", listener)


@main.command()
@click.option("--only", metavar="STEP", help="Bring just this step up to date.")
@_command
@progress_option
@runner_options
@_source_options
def build(
    workspace: Workspace, as_json: bool, only: str | None, listener: Listener, runner: str, address: str, **options: Any
) -> dict[str, Any]:  # fmt: skip
    """Bring everything up to date: read the data if need be, then build what is stale or missing.

    What is up to date is skipped. A build that was stopped or killed goes on where it was.
    """
    _choose_source(workspace, **options)
    with chosen_runner(workspace, runner, address) as who:
        return _build(workspace, only, listener, who)


def _choose_source(workspace: Workspace, *, source: str | None, replace: bool, **options: Any) -> None:
    from persona_core.catalog.choose import choose_source, require_source

    if source is None:
        given = [name for name, value in options.items() if value and value != 1]
        if given:
            raise PersonaError(
                f"--{given[0].replace('_', '-').replace('columns', 'map')} says how to read data, but no data is named.",
                mend="add --from PATH, or change [source] in the workspace.toml",
            )
        require_source(workspace)
    else:
        choose_source(workspace, source, replace=replace, **options)


def _build(workspace: Workspace, only: str | None, listener: Listener, runner: Runner | None = None) -> dict[str, Any]:
    from persona_core.steps import pipeline_of

    began = time.monotonic()
    pipeline = pipeline_of(workspace)
    manifests = pipeline.build(only, listener, runner)
    seconds = round(time.monotonic() - began, 2)
    _say_rejects(workspace, manifests)
    click.echo(f"Built in {seconds:.1f} s: {workspace.root}", err=True)
    steps = [{"step": made.step, "counts": made.counts, "seconds": made.seconds} for made in manifests]
    return {"workspace": str(workspace.root), "steps": steps, "seconds": seconds}


def _say_rejects(workspace: Workspace, manifests: list[Manifest]) -> None:
    from persona_core.catalog.store import REJECTED, reject_reasons

    for manifest in manifests:
        rejected = reject_reasons(manifest.counts)
        if manifest.step == "catalog" and rejected:
            reasons = ", ".join(f"{count:,} {reason}" for reason, count in rejected.items())
            place = workspace.artefact("catalog").file(REJECTED)
            click.echo(f"{manifest.counts['rejected']:,} rows could not be used: {reasons}.", err=True)
            click.echo(f"Each is listed in {place}", err=True)


@main.command()
@_command
def status(workspace: Workspace, as_json: bool) -> dict[str, Any]:
    """Show each step: done, stale, missing or broken, and why."""
    from persona_core.pipeline import in_words
    from persona_core.steps import pipeline_of

    found = pipeline_of(workspace).status()
    if not as_json:
        click.echo(f"{workspace.root}\n")
        for one in found:
            made = one.manifest
            says = one.why or (in_words(made.counts) if made else "")
            when = made.created.strftime("%Y-%m-%d %H:%M") if made else "-"
            click.echo(f"  {STATE_SIGNS[one.state]} {one.step.name:<12} {one.state:<8} {when:<17} {says}")
        if any(one.state != "done" for one in found):
            click.echo(f"\nTo bring it up to date: {workspace.command('build')}")
    return {"workspace": str(workspace.root), "steps": [one.as_dict() for one in found]}


@main.command()
@_command
def doctor(workspace: Workspace, as_json: bool) -> dict[str, Any]:
    """Check Python, packages, workspace, encoder, Chroma, Ollama and disk; say how to mend what is wrong."""
    from persona_core.doctor import examine

    findings = examine(workspace)
    if not as_json:
        for one in findings:
            click.echo(f"  {STATE_SIGNS[one.health]} {one.name:<16} {one.says}")
            if one.mend:
                click.echo(f"      → {one.mend}")
    healthy = not any(one.health == "trouble" for one in findings)
    return {"healthy": healthy, "checks": [one.as_dict() for one in findings]}


cli_personas.add_to(main, _command)
cli_ranking.add_to(main, _command)
cli_trends.add_to(main, _command)
cli_profiles.add_to(main, _command)
cli_scenarios.add_to(main, _command)
cli_study.add_to(main, _command)
cli_publishing.add_to(main, _command)
