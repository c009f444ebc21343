"""The option `--progress` of commands that take long: a bar for people, or lines of JSON for a program that watches."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import click

from persona_core.progress import JsonListener, Listener, TerminalListener


def progress_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command `listener`, which its long work tells where it stands."""
    option = click.option(
        "--progress",
        "listener",
        type=click.Choice(["terminal", "json"]),
        default="terminal",
        show_default=True,
        callback=lambda _context, _option, form: _listener(form),
        help="How progress is told: as a bar, or as one JSON object a line.",
    )
    return option(function)


def _listener(form: str) -> Listener:
    if form == "terminal":
        return TerminalListener()
    # what a shell started in its background hands its deafness for interrupts on to its children
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return JsonListener()
