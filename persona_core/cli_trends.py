"""The commands about trends: an item's forecast with its reason, and the training of the trend model."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from persona_core.cli_progress import progress_option
from persona_core.errors import PersonaError
from persona_core.progress import Listener, Meter
from persona_core.workspace import Workspace

WIDTH = 100
Command = Callable[[Callable[..., dict[str, Any]]], Callable[..., None]]


def add_to(main: click.Group, command: Command) -> None:
    """Adds `trends` and `train-trends`; `command` gives each its --workspace, --json and worded errors."""
    main.add_command(_trends(command))
    main.add_command(_train(command))


def _trends(command: Command) -> click.Command:
    @click.command()
    @click.argument("item")
    @click.option("--back", type=click.IntRange(0), default=0, show_default=True, help="As known so many windows earlier.")
    @command
    def trends(workspace: Workspace, as_json: bool, item: str, back: int) -> dict[str, Any]:
        """Show what is foretold of an item, how sure that is, and why. ITEM is an id."""
        from persona_core.trends.files import Trends

        found = Trends.of(workspace.artefact("trends"))
        if item not in found.code:
            raise PersonaError(f"There is no item {item!r} here.", mend="name one by its id")
        if back > found.goes_back:
            raise PersonaError(f"Forecasts go back {found.goes_back} windows here, not {back}.", mend=f"use --back {found.goes_back}")
        forecast = found.forecast(item, back)
        came = float(found.came(back)[found.code[item]]) if back else None
        if not as_json:
            click.echo(textwrap.fill(_in_words(forecast, found.word, came), WIDTH))
            for signal in forecast.signals:
                click.echo(f"  {signal.name:<16}{signal.value:>9.2f}  {signal.sentence}")
            if not back and item in found.told:
                click.echo(textwrap.fill(f"In the words of {found.model}: {found.told[item].reason}", WIDTH))
        return {"forecast": forecast.model_dump(mode="json"), "came": came}

    return trends


def _in_words(forecast: Any, word: str, came: float | None) -> str:
    begins, bounds = f"{forecast.window_start:%d %B %Y}", f"{forecast.low:.0f} to {forecast.high:.0f}"
    what = f"{forecast.expected:.1f} expected in the {word} from {begins} ({bounds})"
    return f"{what}{'' if came is None else f'; {came:.0f} came'}. {forecast.reason}"


def _train(command: Command) -> click.Command:
    @click.command("train-trends")
    @click.option("--weights", type=click.Path(exists=True, path_type=Path), required=True,
                  help="The base model: a Hugging Face folder, or a GGUF file.")  # fmt: skip
    @click.option("--steps", type=click.IntRange(1), default=None, help="So many steps of training; more take longer.")
    @command
    @progress_option
    def train(workspace: Workspace, as_json: bool, weights: Path, steps: int | None, listener: Listener) -> dict[str, Any]:
        """Train a language model to foretell and to give reasons; goes on where it was. The next build shows what it said."""
        from persona_core.trends.model.training import Training
        from persona_core.trends.model.working import work

        meter = Meter(listener, "trend_model", "Training the trend model", 1, 1)
        chosen = Training() if steps is None else Training(steps=steps)
        found = work(workspace, weights, chosen, lambda what, done, total: meter.working(done, total, what))
        meter.tell("finished")
        if not as_json:
            for name, value in found["judged"].items():
                click.echo(f"{name}: {value}")
            click.echo(f"written: {found['told']} and {found['modelfile']}; now run {workspace.command('build')}")
        return found

    return train
