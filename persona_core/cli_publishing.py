"""The commands that take a built workspace to other machines: publish where it is built, fetch where it is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from persona_core.cli_progress import progress_option
from persona_core.errors import PersonaError
from persona_core.progress import Listener
from persona_core.workspace import Workspace

Command = Callable[[Callable[..., dict[str, Any]]], Callable[..., None]]


def add_to(main: click.Group, command: Command) -> None:
    """Adds `publish` and `fetch`; `command` gives each its --workspace, --json and worded errors."""
    main.add_command(_publish(command))
    main.add_command(_fetch(command))


def _publish(command: Command) -> click.Command:
    @click.command()
    @click.option(
        "--to", "url", required=True, metavar="URL", help="A folder, or any URL that fsspec reaches: s3://, gs://, sftp:// …"
    )
    @click.option("--keep", type=click.IntRange(1), help="Keep so many editions there and remove older ones.  [default: all]")
    @command
    @progress_option
    def publish(workspace: Workspace, as_json: bool, listener: Listener, url: str, keep: int | None) -> dict[str, Any]:
        """Send what is built to a place from which other machines fetch it; only what is new there travels."""
        from persona_core.publishing import Shelf
        from persona_core.publishing import publish as send
        from persona_core.steps import STEPS

        done = send(workspace, Shelf.at(url), [step.name for step in STEPS], keep, listener)
        if not as_json:
            click.echo(f"Edition {done.number} at {url}: {done.files} files, {done.bytes:,} bytes; "
                       f"{done.sent} files, {done.sent_bytes:,} bytes had to travel.")  # fmt: skip
            if done.removed:
                click.echo(f"{done.removed} files of older editions were removed there.")
        return {"edition": done.number, "files": done.files, "bytes": done.bytes, "sent": done.sent, "sent_bytes": done.sent_bytes,
                "removed": done.removed}  # fmt: skip

    return publish


def _fetch(command: Command) -> click.Command:
    @click.command()
    @click.option("--from", "url", metavar="URL", help="Where it was published.  [default: where it was fetched from before]")
    @click.option("--edition", type=click.IntRange(1), metavar="NUMBER", help="An older one.  [default: the newest]")
    @command
    @progress_option
    def fetch(workspace: Workspace, as_json: bool, listener: Listener, url: str | None, edition: int | None) -> dict[str, Any]:
        """Bring the newest edition into this workspace; an app that runs takes it up at its next page."""
        from persona_core.publishing import Shelf
        from persona_core.publishing import fetch as bring
        from persona_core.steps import STEPS

        before = workspace.fetched
        if url is None and before is None:
            raise PersonaError("Nothing was fetched into this workspace yet.", mend="say where it is published: --from URL")
        came = bring(workspace, Shelf.at(url or before.url), [step.name for step in STEPS], edition, listener)  # type: ignore[union-attr]
        if not as_json:
            click.echo(f"Edition {came.number} holds in {workspace.root}; {came.files} files, {came.bytes:,} bytes had to travel.")
            for number in came.not_whole:
                click.echo(f"Edition {number} is not whole and was passed over.", err=True)
            for name in came.left:
                click.echo(f"{name} was changed here and is left as it is.", err=True)
        return {"edition": came.number, "files": came.files, "bytes": came.bytes, "left": came.left, "not_whole": came.not_whole}

    return fetch
