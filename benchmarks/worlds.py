"""The worlds that a benchmark runs on: the demo world, or the real sets of a folder, each read if it is there."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness import told
from persona_core.catalog.choose import choose_source
from persona_core.pipeline import Pipeline
from persona_core.steps import STEPS
from persona_core.workspace import Workspace

Sets = Mapping[str, tuple[str, dict[str, Any]]]
STEAM_COLUMNS = (
    "user=user_id", "item=item_id", "rating=recommend", "time=date", "text=text", "item.item=item_id",
    "item.title=title", "item.maker=developer", "item.price=price",
)  # fmt: skip
WITH_TEXTS: Sets = {
    "steam": ("steam/reviews.jsonl.gz", {"columns": STEAM_COLUMNS, "items": "steam/items.jsonl.gz"}),
    "all-beauty": ("all-beauty/All_Beauty_5.json.gz", {}),
}
"""Sets with texts; without texts there are no personas."""
DATED: Sets = {"ml-100k": ("ml-100k/ml-100k.inter", {}), **WITH_TEXTS}


def parser_of(name: str, says: str | None, quick: str, sets: Iterable[str]) -> argparse.ArgumentParser:
    """With the options that all have which run on worlds."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=says)
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--data", type=Path, metavar="FOLDER", help=f"a folder with real sets: {', '.join(sets)}")
    parser.add_argument("--only", choices=("demo", *sets), help="only this set")
    parser.add_argument("--home", type=Path, metavar="FOLDER", help="where to keep what is built, for another run")
    return parser


def worlds(given: argparse.Namespace, home: Path, sets: Sets, steps: Sequence[str]) -> Iterator[tuple[str, Workspace]]:
    """Those that are asked for and there, each read and built as far as these steps: the demo world, or with --data real sets."""
    wanted: dict[str, tuple[str, dict[str, Any]]] = {} if given.data else {"demo": ("demo", {})}
    for name, (file, options) in sets.items() if given.data else ():
        if (given.data / file).exists():
            found = {key: given.data / value if isinstance(value, str) else value for key, value in options.items()}
            wanted[name] = (str(given.data / file), found)
        else:
            print(f"{name}: left out, {given.data / file} is not there", file=sys.stderr)
    for name, (source, options) in wanted.items():
        if given.only in (None, name):
            workspace = Workspace.at(home / name)
            choose_source(workspace, source, replace=True, **options)
            for step in steps:
                Pipeline(STEPS, workspace).build(step, listener=told)
            yield name, workspace
