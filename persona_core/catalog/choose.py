"""Decides, from what a person asked for, which data a workspace holds, and remembers it in workspace.toml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from persona_core.catalog.readers import detect, reader_for
from persona_core.errors import PersonaError, SettingsError, SourceError
from persona_core.settings import DEMO_DATA, SourceSettings, save_source
from persona_core.workspace import Workspace


def choose_source(
    workspace: Workspace, wanted: str, *, reader: str | None = None, columns: tuple[str, ...] = (), replace: bool = False,
    **options: Any,
) -> SourceSettings:  # fmt: skip
    """Makes `wanted` ("demo" or a path) the source of the workspace, after checking that it can be read."""
    workspace.check_built_here()
    path = DEMO_DATA if wanted == "demo" else Path(wanted).expanduser().resolve()
    mapping = _mapping(columns)
    given = {key: value.resolve() if isinstance(value, Path) else value for key, value in options.items() if value}
    try:
        source = SourceSettings(reader=reader or detect(path, bool(mapping)), path=path, columns=mapping, **given)
    except ValidationError as error:
        raise SettingsError(
            f"--{str(error.errors()[0]['loc'][0]).replace('_', '-')}: {error.errors()[0]['msg']}.",
            mend="python -m persona_core build --help",
        ) from error
    reader_for(source)
    before = workspace.settings.source
    if before is not None and before.path != source.path and not replace:
        raise PersonaError(
            f"{workspace.root} already holds other data.",
            why=f"It was made from {before.path}; you asked for {source.path}.",
            mend="name another folder with --workspace DIR, or add --replace to change this one",
        )
    if source != before:
        with workspace.lock("choosing the data"):
            save_source(workspace.root, source)
    return source


def require_source(workspace: Workspace) -> None:
    from persona_core.catalog.steps import source_of

    source_of(workspace)


def _mapping(columns: tuple[str, ...]) -> dict[str, str]:
    pairs = [column.partition("=") for column in columns]
    for name, sign, column in pairs:
        if not (name and sign and column):
            raise SourceError(
                f"--map {name}{sign}{column} is not understood.",
                mend="write it as --map NAME=COLUMN, such as --map user=user_id",
            )
    return {name: column for name, _, column in pairs}
