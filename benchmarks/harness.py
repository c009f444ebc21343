"""What all benchmarks share: their options, where they ran, and how results are shown."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import resource
import subprocess  # nosec B404 # our own words, no shell
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from persona_core import __version__
from persona_core.progress import Progress


@dataclass(frozen=True, slots=True)
class Options:
    quick: bool
    json: Path | None
    seed: int


def options_of(name: str, says: str, argv: Sequence[str] | None = None) -> Options:
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=says)
    parser.add_argument("--quick", action="store_true", help="a small run that ends within a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args(argv)
    return Options(given.quick, given.json, given.seed)


def report(name: str, options: Options, rows: list[dict[str, Any]], packages: Sequence[str], notes: Sequence[str]) -> None:
    """Prints the rows as a table and writes them, with where they came from, as JSON if that was asked for."""
    print_table(rows)
    for note in notes:
        print(note)
    write_json(name, options, packages, {"rows": rows})


def write_json(name: str, options: Options, packages: Sequence[str], found: dict[str, Any]) -> None:
    """What was found, with where it came from, if that was asked for."""
    if options.json:
        whole = {"benchmark": name, "quick": options.quick, "seed": options.seed, **_surroundings(packages), **found}
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(whole, indent=2) + "\n", "utf-8")


def print_table(rows: list[dict[str, Any]]) -> None:
    head = list(rows[0])
    cells = [[_shown(row.get(name)) for name in head] for row in rows]
    widths = [max(len(name), *(len(row[at]) for row in cells)) for at, name in enumerate(head)]
    numeric = [all(not isinstance(row.get(name), str) for row in rows) for name in head]
    for line in (head, *cells):
        parts = [cell.rjust(w) if right else cell.ljust(w) for cell, w, right in zip(line, widths, numeric, strict=True)]
        print("  ".join(parts).rstrip())


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4f}" if abs(value) < 1 else f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def told(progress: Progress) -> None:
    """Says on standard error where a build stands; results go to standard output."""
    if progress.phase in ("started", "finished"):
        print(f"  {progress.title}: {progress.phase} {progress.note}".rstrip(), file=sys.stderr)


def _surroundings(packages: Sequence[str]) -> dict[str, Any]:
    return {
        "personascope": __version__,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "packages": {name: importlib.metadata.version(name) for name in packages},
    }


@dataclass(frozen=True, slots=True)
class Cost:
    seconds: float
    peak_mb: float
    result: Any


def alone(module: str, *arguments: str) -> Cost:
    """Runs `python -m MODULE ARGUMENTS` in a process of its own, which reports through `report_alone`."""
    done = subprocess.run([sys.executable, "-m", module, *arguments], capture_output=True, text=True, check=False)  # nosec B603 # our own words, no shell
    if done.returncode:
        raise RuntimeError(f"{module} {' '.join(arguments)} failed:\n{done.stderr}")
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def report_alone(work: Callable[[], Any]) -> None:
    """Does the work and prints what it cost; the other side of `alone`."""
    began = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mb": peak, "result": result}))
