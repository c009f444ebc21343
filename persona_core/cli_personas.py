"""The commands about personas: showing one item's, and measuring how good they are."""

from __future__ import annotations

import contextlib
import textwrap
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click

from persona_core.errors import PersonaError
from persona_core.schema import Persona, Stance
from persona_core.workspace import Workspace

WIDTH = 100
EVALUATIONS = "evaluations"
"""The folder of a workspace where each measuring leaves its last result, for the Workshop to draw."""
SIGNS = {Stance.SUITS: ("suits", "green"), Stance.MIXED: ("mixed", "yellow"), Stance.DISAPPOINTS: ("disappoints", "red")}
Command = Callable[[Callable[..., dict[str, Any]]], Callable[..., None]]


def add_to(main: click.Group, command: Command) -> None:
    """Adds the groups `personas` and `evaluate`; `command` gives each its --workspace, --json and worded errors."""
    main.add_command(_personas(command))
    main.add_command(_evaluate(command))


# Showing ---------------------------------------------------------------------------------------------------------------


def _personas(command: Command) -> click.Group:
    @click.group()
    def personas() -> None:
        """Look at personas."""

    @personas.command()
    @click.argument("item")
    @command
    def show(workspace: Workspace, as_json: bool, item: str) -> dict[str, Any]:
        """Show one item's personas with their quotes. ITEM is its id, or words of its title."""
        found, title, maker = item_named(workspace, item)
        own = [one for one in _all_personas(workspace) if one.item_id == found]
        if not as_json:
            _say_all(title, maker, own)
        return {"item": found, "title": title, "personas": [one.model_dump(mode="json") for one in own]}

    return personas


def item_named(workspace: Workspace, wanted: str) -> tuple[str, str, str]:
    """The item's id, title and maker; several or none that fit is an error that lists the nearest."""
    from persona_core.catalog import Catalog

    rows = list(Catalog.of(workspace.artefact("catalog")).items()[["item_id", "title", "maker"]].itertuples(index=False))
    exact = [row for row in rows if row[0] == wanted]
    fitting = exact or [row for row in rows if all(word in row[1].lower() for word in wanted.lower().split())]
    if len(fitting) == 1:
        return str(fitting[0][0]), str(fitting[0][1]), str(fitting[0][2])
    some = ", ".join(f"{row[0]} ({row[1]})" for row in (fitting or rows)[:5])
    raise PersonaError(
        f"{len(fitting) or 'No'} items fit {wanted!r}.", why=f"There are, among others: {some}.", mend="name one by its id"
    )


def _all_personas(workspace: Workspace) -> list[Persona]:
    from persona_core.personas.files import PERSONAS, read_personas

    return read_personas(workspace.artefact("personas").file(PERSONAS))


def _say_all(title: str, maker: str, personas: list[Persona]) -> None:
    click.secho(f"{title}" + (f", by {maker}" if maker else ""), bold=True)
    if not personas:
        click.echo("Nobody has said enough about it to make a persona of.")
    for one in personas:
        sign, colour = SIGNS[one.stance]
        click.echo()
        click.secho(one.name, bold=True, nl=False)
        click.secho(f"  {sign}, {one.weight:.0%} of those who say something", fg=colour)
        for text in (one.description, one.rationale):
            click.echo(textwrap.fill(text, WIDTH, initial_indent="  ", subsequent_indent="  "))
        if one.traits:
            click.echo(f"  {' · '.join(one.traits)}")
        for quote in one.quotes:
            said = textwrap.fill(" ".join(quote.text.split()), WIDTH - 6)
            click.echo(textwrap.indent(f"“{said}”", "    ") + f"  [{quote.review_id}]")


# Measuring -------------------------------------------------------------------------------------------------------------


def _evaluate(command: Command) -> click.Group:
    @click.group()
    def evaluate() -> None:
        """Measure how good what was built is. Wants the demo world, whose truth is known."""

    @evaluate.command()
    @command
    def aspects(workspace: Workspace, as_json: bool) -> dict[str, Any]:
        """How well reviews were read: F1 by kind of aspect and by feeling."""
        from persona_core.evaluation.report import aspect_rows

        return _shown(aspect_rows(_demo(workspace)), as_json, workspace, "aspects")

    @evaluate.command()
    @command
    def personas(workspace: Workspace, as_json: bool) -> dict[str, Any]:
        """How good the personas are: motives covered, invented, grounded, distinct; beside personas written by hand."""
        from persona_core.evaluation.report import persona_rows

        return _shown(list(persona_rows(_demo(workspace))), as_json, workspace, "personas")

    return evaluate


def _demo(workspace: Workspace) -> Workspace:
    from persona_core.settings import DEMO_DATA

    source = workspace.settings.source
    if source is None or source.path != DEMO_DATA:
        raise PersonaError(
            f"{workspace.root} does not hold the demo world.",
            why="Only there is it known what each sentence is truly about.",
            mend="python -m persona_core build --from demo, then the same command without --workspace",
        )
    return workspace


def _shown(rows: list[dict[str, Any]], as_json: bool, workspace: Workspace, name: str) -> dict[str, Any]:
    """Prints the rows as columns, one measure a line: that fits a terminal and is easy to compare."""
    if not as_json:
        head = next(iter(rows[0]))
        heads = [str(row[head]) for row in rows]
        click.echo(" " * 34 + "".join(title.rjust(22) for title in heads))
        for measure in list(rows[0])[1:]:
            cells = [f"{row[measure]:.3f}" if isinstance(row[measure], float) else f"{row[measure]:,}" for row in rows]
            click.echo(measure.ljust(34) + "".join(cell.rjust(22) for cell in cells))
    result = {"evaluation": name, "workspace": str(workspace.root), "seed": workspace.settings.seed, "rows": rows}
    _keep(workspace, name, result)
    return result


def _keep(workspace: Workspace, name: str, result: dict[str, Any]) -> None:
    """Beside what was measured; a workspace that cannot be written can still be measured."""
    from persona_core.files import write_json

    with contextlib.suppress(OSError):
        write_json(workspace.root / EVALUATIONS / f"{name}.json", {**result, "measured": datetime.now(UTC).isoformat()})
