"""The commands about other ways to see people: exploring, judging, pairing, and teaching a generator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from persona_core.cli_progress import progress_option
from persona_core.progress import Listener
from persona_core.workspace import Workspace

Command = Callable[[Callable[..., dict[str, Any]]], Callable[..., None]]


def add_to(main: click.Group, command: Command) -> None:
    """Adds the group `profiles`; `command` gives each of its commands its --workspace, --json and worded errors."""

    @main.group()
    def profiles() -> None:
        """Explore other profiles of everybody, judge them by what people came to next, and teach a generator."""

    for name, upto, said in (
        ("explore", "ways", "Write several profiles of everybody, as known at the cut of the split."),
        ("judge", "worth", "Judge each by how much higher it puts what its person came to next."),
        ("pairs", "pairs", "Pair the better with the worse, beyond noise, for a generator to learn from."),
    ):
        profiles.add_command(_upto(command, name, upto, said))


def _upto(command: Command, name: str, upto: str, said: str) -> click.Command:
    @click.command(name, help=said)
    @command
    @progress_option
    def run(workspace: Workspace, as_json: bool, listener: Listener) -> dict[str, Any]:
        from persona_core.profiles.ways.work import LATELY, TRAINING, ways_world

        made = ways_world(workspace, TRAINING, listener, upto).artefact(upto)
        if name != "explore":  # and, for people to read, by all that came since
            ways_world(workspace, LATELY, listener, LATELY.name)
        if not as_json:
            for key, value in made.manifest.counts.items():
                click.echo(f"{key}: {value}")
            click.echo(f"written: {made.file(next(iter(made.manifest.files)))}")
        return {"counts": made.manifest.counts, "files": [str(made.file(one)) for one in made.manifest.files]}

    return run
