"""`python -m benchmarks.faults`: fault by fault, what was acknowledged against what is there, and what the person saw.

Each is done to a small world that is built as a person builds it, by the command line; the command that a message names is run
word for word, and what is there then is held against what an undisturbed build left. `--only NAME` does one kind of faults.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import faults_app, faults_build, faults_clock, faults_model, faults_store
from benchmarks.faults_ground import Bench, Row, built_by, shown
from benchmarks.faults_line import Line
from benchmarks.harness import Options, print_table, write_json
from tests.support.worlds import write_tiny_world

KINDS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "build": faults_build.rows,
    "clock": faults_clock.rows,
    "model": faults_model.rows,
    "store": faults_store.rows,
    "app": faults_app.rows,
}
PACKAGES = ("chromadb", "ollama", "streamlit", "sqlalchemy", "playwright")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few of them, within a minute")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", choices=tuple(KINDS), action="append", help="this kind of faults; repeat it")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="faults") as scratch:
        rows: list[Row] = []
        try:
            rows.extend(found(Path(scratch), given.quick, given.seed, given.only or list(KINDS)))
        except KeyboardInterrupt:
            print("Stopped; so far:", file=sys.stderr)
    if not rows:
        sys.exit(1)
    print_table(shown(rows))
    lost, again = sum(row.lost for row in rows), sum(row.again or 0 for row in rows)
    silent, unmended = [row for row in rows if not row.commands], [row for row in rows if not row.mended]
    print(f"\n{len(rows)} faults. Acknowledged and lost: {lost}. Questions answered and asked again: {again}.")
    print(f"Messages without a command: {len(silent)}. Not mended by what they name: {len(unmended)}.")
    write_json("faults", Options(given.quick, given.json, given.seed), PACKAGES, {"rows": [row.as_dict() for row in rows]})
    sys.exit(1 if lost or again or silent or unmended else 0)


def found(home: Path, quick: bool, seed: int, kinds: list[str]) -> Iterator[Row]:
    began = time.monotonic()
    with Line(home / "typed") as line:
        (home / "places").mkdir()
        bench = Bench(home / "places", line, quick, seed, write_tiny_world(home / "tiny"))
        bench.whole[faults_build.PLAIN] = built_by(bench.person("undisturbed"))
        for kind in kinds:
            for row in KINDS[kind](bench):
                print(f"  {time.monotonic() - began:5.0f} s  {row.fault}: {'mended' if row.mended else row.trouble}", file=sys.stderr)
                yield row


if __name__ == "__main__":
    main()
