"""The commands about user studies: a file to begin with, and whether a study file can be run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from persona_core.errors import PersonaError
from persona_core.files import write_beside
from persona_core.workspace import Workspace

Command = Callable[[Callable[..., dict[str, Any]]], Callable[..., None]]


def add_to(main: click.Group, command: Command) -> None:
    """Adds `study new` and `study check`; `command` gives each its --workspace, --json and worded errors."""

    @main.group()
    def study() -> None:
        """Experiments on explanations: their design."""

    @study.command()
    @click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
    @command
    def new(workspace: Workspace, as_json: bool, file: Path) -> dict[str, Any]:
        """Write a study to FILE that can be run as it is, to be changed."""
        if file.exists():
            raise PersonaError(f"{file} is there already.", mend="name another file, or remove it")
        write_beside(file, Path(__file__).parent.joinpath("study", "template.toml").read_bytes())
        if not as_json:
            click.echo(f"Written: {file}")
        return {"file": str(file)}

    @study.command()
    @click.argument("file", type=click.Path(path_type=Path))
    @command
    def check(workspace: Workspace, as_json: bool, file: Path) -> dict[str, Any]:
        """Say whether the study in FILE can be run, and what participants will meet."""
        from persona_core.study.design import read_study

        found = read_study(file)
        pages = Counter(step.kind for step in found.path)
        told = {"id": found.id, "title": found.title, "conditions": [dict(one) for one in found.conditions], "within": found.within,
                "pages": dict(pages), "quota": found.quota, "content": found.content}  # fmt: skip
        if not as_json:
            who = "everybody meets all of them" if found.within else "everybody meets one of them"
            click.echo(f"{found.title}\n{len(found.conditions)} conditions, {who}:")
            for one in found.conditions:
                click.echo("  " + ", ".join(f"{name}: {level}" for name, level in one.items()))
            click.echo(f"{sum(pages.values())} pages: " + ", ".join(f"{many} {kind}" for kind, many in pages.items()))
        return told
