"""How well personas rank what people come to next, beside what one would use instead; strictly in time.

Without --data: the demo world. With it: a folder of real sets, each read if it is there.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.harness import Options, print_table, told, write_json
from persona_core.catalog.choose import choose_source
from persona_core.evaluation.contest import Plan, Split, contest
from persona_core.steps import pipeline_of
from persona_core.workspace import Workspace

PACKAGES = ("torch", "sentence-transformers", "numpy", "scipy", "scikit-learn")
STEAM_COLUMNS = (
    "user=user_id", "item=item_id", "rating=recommend", "time=date", "text=text", "item.item=item_id",
    "item.title=title", "item.maker=developer", "item.price=price",
)  # fmt: skip
SETS: dict[str, tuple[str, dict[str, Any]]] = {
    "steam": ("steam/reviews.jsonl.gz", {"columns": STEAM_COLUMNS, "items": "steam/items.jsonl.gz"}),
    "all-beauty": ("all-beauty/All_Beauty_5.json.gz", {}),
}
"""Sets with texts; without texts there are no personas."""
QUICK_SCENARIO = "kitchen"


def main() -> None:
    given = _arguments()
    tables: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name, workspace in _worlds(given, given.home or Path(scratch)):
            for split in _splits(given):
                plan = Plan(
                    split, (QUICK_SCENARIO,) if given.quick and name == "demo" else (), thorough=not given.quick, seed=given.seed
                )
                began = time.perf_counter()
                report = contest(workspace, plan, listener=told, say=lambda line: print(line, file=sys.stderr))
                report.facts["seconds"] = round(time.perf_counter() - began, 1)
                tables[f"{name}, {split}"] = asdict(report)
                _show(name, asdict(report))
    write_json("ranking", Options(given.quick, given.json, given.seed), PACKAGES, tables)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ranking", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one scenario of the demo world, no taking apart; within a minute")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="a folder with real sets: steam/, all-beauty/")
    parser.add_argument("--only", choices=("demo", *SETS), help="only this set")
    parser.add_argument("--split", choices=("point_in_time", "last_item_out"), help="only this split")
    parser.add_argument("--full", type=int, default=0, metavar="PAIRS", help="fine-tune the whole encoder too, on so many pairs")
    parser.add_argument("--home", type=Path, metavar="FOLDER", help="where to keep what is built, for another run")
    return parser.parse_args()


def _splits(given: argparse.Namespace) -> tuple[Split, ...]:
    if given.split:
        return (given.split,)
    return ("point_in_time",) if given.quick else ("point_in_time", "last_item_out")


def _worlds(given: argparse.Namespace, home: Path) -> Iterator[tuple[str, Workspace]]:
    """The sets that are asked for and there, each read and split."""
    wanted: list[tuple[str, str, dict[str, Any]]] = [] if given.data else [("demo", "demo", {})]
    for name, (path, options) in SETS.items() if given.data else ():
        if (given.data / path).exists():
            found = {key: given.data / value if isinstance(value, str) else value for key, value in options.items()}
            wanted.append((name, str(given.data / path), found))
    for name, path, options in wanted:
        if given.only in (None, name):
            workspace = Workspace.at(home / name)
            choose_source(workspace, path, **options)
            for step in ("catalog", "splits"):
                pipeline_of(workspace).build(step, listener=told)
            yield name, workspace


def _show(name: str, report: dict[str, Any]) -> None:
    facts = report.pop("facts")
    print(f"\n{name}: " + ", ".join(f"{key} {value}" for key, value in facts.items()))
    for title, rows in report.items():
        if rows:
            print(f"\n{title}")
            print_table(rows)


if __name__ == "__main__":
    main()
