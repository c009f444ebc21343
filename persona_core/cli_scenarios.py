"""The command about scenarios: what they have in common, and what one person carries from one to another."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

import click

from persona_core.errors import PersonaError
from persona_core.workspace import Workspace

WIDTH = 100
Command = Callable[[Callable[..., dict[str, Any]]], Callable[..., None]]


def add_to(main: click.Group, command: Command) -> None:
    """Adds `scenarios`; `command` gives it its --workspace, --json and worded errors."""

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
