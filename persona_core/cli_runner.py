"""The options `--runner` and `--address` of a build: who does the work for many things."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from persona_core.errors import PersonaError
from persona_core.mapping import Runner
from persona_core.pipeline import at_once
from persona_core.workspace import Workspace


def runner_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command `runner` and `address`, for `chosen_runner`."""
    options = [
        click.option(
            "--runner",
            type=click.Choice(["local", "ray"]),
            default="local",
            show_default=True,
            help="Who does the work for many things: this machine's threads and processes, or a Ray cluster.",
        ),
        click.option("--address", default="", metavar="HOST:PORT", help="The Ray cluster to join; without one, it is this machine."),
    ]
    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(options), function)


@contextmanager
def chosen_runner(workspace: Workspace, runner: str, address: str) -> Iterator[Runner | None]:
    """The runner, for as long as the build takes; None leaves it to the build."""
    if runner == "local":
        if address:
            raise PersonaError("--address names a Ray cluster, but the build does not run on Ray.", mend="add --runner ray")
        yield None
        return
    from persona_core.mapping.ray_runner import RayRunner

    with RayRunner(at_once(workspace.settings), address) as found:
        yield found
