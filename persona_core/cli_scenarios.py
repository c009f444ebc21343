"""The commands about scenarios: what they have in common, what one person carries over, and a model that learns from both."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

import click

from persona_core.cli_progress import progress_option
from persona_core.errors import PersonaError
from persona_core.progress import Listener
from persona_core.workspace import Workspace

WIDTH = 100
Command = Callable[[Callable[..., dict[str, Any]]], Callable[..., None]]


def add_to(main: click.Group, command: Command) -> None:
    """Adds `scenarios` and `train-scenarios`; `command` gives each its --workspace, --json and worded errors."""
    main.add_command(_train(command))

    @main.command()
    @click.option("--person", metavar="USER", default=None, help="What this person, by their id, carries from one to another.")
    @click.option("--ask", is_flag=True, help="In the words of the model that the settings name.")
    @click.option("--judge", is_flag=True, help="Test how well people are served in a scenario that is new to them.")
    @command
    def scenarios(workspace: Workspace, as_json: bool, person: str | None, ask: bool, judge: bool) -> dict[str, Any]:
        """Say what scenarios have in common and why, counted from who comes and what for."""
        from persona_core.scenarios.work import Knowing

        if judge:
            return _judged(workspace, as_json)
        knowing = Knowing.of(workspace)
        if ask:
            found = _asked(workspace, knowing, person)
        elif person is not None:
            found = knowing.person(person).model_dump(mode="json")
        else:
            every, pairs = ([one.model_dump(mode="json") for one in some] for some in (knowing.every, knowing.pairs))
            found = {"scenarios": every, "pairs": pairs, "text": "\n".join(one["text"] for one in (*every, *pairs))}
        if not as_json:
            for line in (found["text"] or "Too little is known of this person.").splitlines():
                click.echo(textwrap.fill(line, WIDTH))
        return found


def _train(command: Command) -> click.Command:
    @click.command("train-scenarios")
    @click.option("--backbone", type=click.Choice(["Shared-Bottom", "MMoE", "PLE", "STAR"]), default="PLE", show_default=True)
    @click.option("--embed", metavar="MODEL", default="", help="A model of the Ollama servers that turns what is known into vectors.")
    @click.option("--epochs", type=click.IntRange(1), default=30, show_default=True, help="At most.")
    @command
    @progress_option
    def train(
        workspace: Workspace, as_json: bool, backbone: str, embed: str, epochs: int, listener: Listener
    ) -> dict[str, Any]:  # fmt: skip
        """Teach a model of several scenarios, plain and with knowledge; goes on where it was."""
        from persona_core.scenarios.teaching import Teaching, teach

        found = teach(workspace, Teaching(backbone, epochs, embed), listener)
        if not as_json:
            for level, measured in found["card"]["judged on later samples"].items():
                click.echo(f"{level}: " + ", ".join(f"{name} {value:.4f}" for name, value in measured.items()))
            click.echo(f"kept in {found['folder']}")
        return found

    return train


def _judged(workspace: Workspace, as_json: bool) -> dict[str, Any]:
    from persona_core.evaluation.newcomers import K, judge_and_keep

    found = judge_and_keep(workspace)
    if not as_json:
        click.echo(
            f"{found['cases']:,} choices of {found['people']:,} people in a scenario that was hidden from what is known of them:"
        )
        for row in sorted(found["rows"], key=lambda row: -row[f"NDCG@{K}"]):
            click.echo(f"  {row[f'NDCG@{K}']:.4f}  in the first {K}: {row[f'HR@{K}']:.1%}  {row['ranker']}")
    return found


def _asked(workspace: Workspace, knowing: Any, person: str | None) -> dict[str, Any]:
    from persona_core.llm.choice import opened_model, reachable_model

    model = opened_model(workspace, "scenarios", reachable_model(workspace.settings.ollama))
    if model is None:
        named = workspace.settings.ollama.model
        raise PersonaError(f"The model {named} cannot be reached.", mend="ollama serve; or ask without --ask, by rule")
    if person is not None:
        told = knowing.person_by(model, person)
        return {"user_id": person, "by": model.name, **told._asdict()}
    every = knowing.scenarios_by(model)
    text = "\n".join(f"{name.capitalize()}: {told.text}" for name, told in every.items() if told.text)
    return {"by": model.name, "scenarios": {name: told._asdict() for name, told in every.items()}, "text": text}
