"""How well personas rank what people come to next, beside what one would use instead; strictly in time.

Without --data: the demo world. With it: a folder of real sets, each read if it is there.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.harness import Options, print_table, told, write_json
from benchmarks.worlds import WITH_TEXTS, parser_of, worlds
from persona_core.evaluation.contest import Plan, Split, contest

PACKAGES = ("torch", "sentence-transformers", "numpy", "scipy", "scikit-learn")
QUICK_SCENARIO = "kitchen"


def main() -> None:
    given = _arguments()
    tables: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name, workspace in worlds(given, given.home or Path(scratch), WITH_TEXTS, ("catalog", "splits")):
            for split in _splits(given):
                scenarios = (QUICK_SCENARIO,) if given.quick and name == "demo" else ()
                plan = Plan(split, scenarios, thorough=not given.quick, full_pairs=given.full, seed=given.seed)
                began = time.perf_counter()
                report = contest(workspace, plan, listener=told, say=lambda line: print(line, file=sys.stderr))
                report.facts["seconds"] = round(time.perf_counter() - began, 1)
                tables[f"{name}, {split}"] = asdict(report)
                _show(name, asdict(report))
    write_json("ranking", Options(given.quick, given.json, given.seed), PACKAGES, tables)


def _arguments() -> argparse.Namespace:
    parser = parser_of("ranking", __doc__, "one scenario of the demo world, no taking apart; within a minute", WITH_TEXTS)
    parser.add_argument("--split", choices=("point_in_time", "last_item_out"), help="only this split")
    parser.add_argument("--full", type=int, default=0, metavar="PAIRS", help="fine-tune the whole encoder too, on so many pairs")
    return parser.parse_args()


def _splits(given: argparse.Namespace) -> tuple[Split, ...]:
    if given.split:
        return (given.split,)
    return ("point_in_time",) if given.quick else ("point_in_time", "last_item_out")


def _show(name: str, report: dict[str, Any]) -> None:
    facts = report.pop("facts")
    print(f"\n{name}: " + ", ".join(f"{key} {value}" for key, value in facts.items()))
    for title, rows in report.items():
        if rows:
            print(f"\n{title}")
            print_table(rows)


if __name__ == "__main__":
    main()
