"""The commands about other ways to see people: exploring, judging, pairing, and teaching a generator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from persona_core.cli_progress import progress_option
from persona_core.progress import Listener, Meter
from persona_core.workspace import Workspace

Command = Callable[[Callable[..., dict[str, Any]]], Callable[..., None]]
WEIGHTS = click.Path(exists=True, path_type=Path)


def add_to(main: click.Group, command: Command) -> None:
    """Adds the group `profiles`; `command` gives each of its commands its --workspace, --json and worded errors."""

    @main.group()
    def profiles() -> None:
        """Explore other profiles of everybody, judge them by what people came to next, and teach a generator."""

    profiles.add_command(_upto(command, "explore", "ways", "Write several profiles of everybody, as known at the cut of the split."))
    profiles.add_command(_judge(command))
    profiles.add_command(
        _upto(command, "pairs", "pairs", "Pair the better with the worse, beyond noise, for a generator to learn from.")
    )
    profiles.add_command(_align(command))


def _upto(command: Command, name: str, upto: str, said: str) -> click.Command:
    @click.command(name, help=said)
    @command
    @progress_option
    def run(workspace: Workspace, as_json: bool, listener: Listener) -> dict[str, Any]:
        return _made(workspace, as_json, listener, upto)

    return run


def _made(workspace: Workspace, as_json: bool, listener: Listener, upto: str) -> dict[str, Any]:
    from persona_core.profiles.ways.work import LATELY, TRAINING, ways_world

    made = ways_world(workspace, TRAINING, listener, upto).artefact(upto)
    if upto != "ways":  # and, for people to read, by all that came since
        ways_world(workspace, LATELY, listener, LATELY.name)
    if not as_json:
        for key, value in made.manifest.counts.items():
            click.echo(f"{key}: {value}")
        click.echo(f"written: {made.file(next(iter(made.manifest.files)))}")
    return {"counts": made.manifest.counts, "files": [str(made.file(one)) for one in made.manifest.files]}


def _judge(command: Command) -> click.Command:
    @click.command("judge")
    @click.option("--likelihood", type=WEIGHTS, default=None,
                  help="Also by how likely this small language model finds what people came to next.")  # fmt: skip
    @click.option("--ask", is_flag=True, help="Also by asking the models of the settings how people will like what they came to next.")
    @click.option(
        "--people", type=click.IntRange(1), default=30, show_default=True, help="Of so many, for the two judges that are slow."
    )
    @command
    @progress_option
    def judge(
        workspace: Workspace, as_json: bool, likelihood: Path | None, ask: bool, people: int, listener: Listener
    ) -> dict[str, Any]:
        """Judge each by how much higher it puts what its person came to next."""
        found = _made(workspace, as_json, listener, "worth")
        if likelihood is None and not ask:
            return found
        from persona_core.profiles.ways.second import compare_judges, in_words

        meter = Meter(listener, "judges", "Hearing the other judges", 1, 1)
        rows = compare_judges(workspace, likelihood, ask, people, meter.working)
        meter.tell("finished")
        if not as_json:
            for row in rows:
                click.echo(in_words(row))
        return found | {"agreement": rows}

    return judge


def _align(command: Command) -> click.Command:
    @click.command("align")
    @click.option("--weights", type=WEIGHTS, required=True, help="The base model: a Hugging Face folder, or a GGUF file.")
    @click.option("--beta", type=click.FloatRange(0, min_open=True), default=0.1, show_default=True,
                  help="How dear it is to move away from what imitation alone taught.")  # fmt: skip
    @click.option("--loss", type=click.Choice(["sigmoid", "robust", "sigmoid_norm"]), default="sigmoid", show_default=True,
                  help="`robust` suits noisy pairs, `sigmoid_norm` counters length.")  # fmt: skip
    @command
    @progress_option
    def align(workspace: Workspace, as_json: bool, weights: Path, beta: float, loss: Any, listener: Listener) -> dict[str, Any]:
        """Teach a generator to write the profiles that work: by imitation, then by preference. Goes on where it was."""
        from persona_core.profiles.ways.aligning import align as teach
        from persona_core.profiles.ways.teaching import MOVED, Recipe

        meter = Meter(listener, "profile_model", "Teaching a generator", 1, 1)
        recipe = Recipe(beta=beta, loss=loss, seed=workspace.settings.seed)
        _, found = teach(workspace, weights, recipe, lambda stage, done, total: meter.working(done, total, STAGES[stage]))
        meter.tell("finished")
        if not as_json:
            click.echo(f"learned from {found['pairs']} pairs, tried on {found['held']} of people unseen")
            if found[MOVED] is not None:
                click.echo(f"of those preference moved it towards the better one in {found[MOVED]:.0%}; half is chance")
            click.echo(f"written: {found['curves file']} and {found['modelfile']}")
        return found

    return align


STAGES = {"sft": "steps of imitation", "dpo": "steps of preference"}
