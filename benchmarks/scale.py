"""What a catalogue of 50,000 items and 2 million reviews costs: each step's time, memory and disk, their growth, and two workers."""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import Options, options_of, print_table, write_json
from benchmarks.scale_asking import asking
from benchmarks.scale_world import PoolEncoder, write_pool, write_shop
from persona_core.catalog.choose import choose_source
from persona_core.mapping import LocalRunner
from persona_core.steps import STEPS, pipeline_of
from persona_core.text.encoder import BaseEncoder, Readings
from persona_core.workspace import Workspace

FULL, QUICK = (5_000, 10_000, 20_000, 50_000), (20, 40)
TOLERANCE = 0.1
"""By how much a fitted exponent may lie above that of n log n before it is called worse: times on a shared machine differ so much."""
LEAST_S = 1.0
"""A step that takes less at the largest size is not fitted: that would be the fit of starting up."""


def step_alone(root: Path, step: str, pool: Path) -> dict[str, Any]:
    """Builds one step in a copy of this process and says what it cost."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_step, args=(root, step, pool, sender))
    process.start()
    sender.close()
    try:
        found: dict[str, Any] = receiver.recv()
    except EOFError:
        process.join()
        raise RuntimeError(f"{step} ended with {process.exitcode}; -9 is mostly a lack of memory") from None
    process.join()
    return found


def _step(root: Path, step: str, pool: Path, sender: Any) -> None:
    encoder = PoolEncoder(pool)
    BaseEncoder.read = lambda self, texts, tell=None: Readings(*encoder.forward(list(texts)))  # type: ignore[method-assign]
    place = Workspace.at(root)
    began, before = time.perf_counter(), time.process_time()
    (made,) = pipeline_of(place).build(only=step, runner=LocalRunner(1, 1))
    seconds, cpu = time.perf_counter() - began, time.process_time() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    folders = [place.artefact(step).folder, *([root / "chroma"] if step == "index" else [])]
    disk = sum(file.stat().st_size for folder in folders for file in folder.rglob("*") if file.is_file()) / 2**20
    sender.send(
        {"CPU s": cpu, "seconds": seconds, "peak MB": peak, "disk MB": disk, "texts to encode": encoder.texts, "counts": made.counts}
    )


def measured(folder: Path, items: int, pool: Path, seed: int, steps: Collection[str]) -> list[dict[str, Any]]:
    """Every step of one size."""
    shop, root = folder / "shop", folder / "workspace"
    reviews = write_shop(shop, items, seed)
    choose_source(Workspace.at(root), str(shop))
    rows = []
    for step in (one for one in STEPS if one.name in steps):
        cost = step_alone(root, step.name, pool)
        rows.append({"items": items, "reviews": reviews, "step": step.name, **cost})
        print(
            f"  {items:,} items, {step.name}: {cost['CPU s']:.1f} s of {cost['seconds']:.1f}, {cost['peak MB']:.0f} MB",
            file=sys.stderr,
            flush=True,
        )
    shutil.rmtree(folder)
    return rows


# Growth ------------------------------------------------------------------------------------------------------------------


def exponent(sizes: list[int], values: list[float]) -> float:
    """x of the nearest c·n^x, through the logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(np.maximum(values, 1e-9)), 1)[0])


def of_n_log_n(sizes: list[int]) -> float:
    """The exponent that n log n itself would be fitted with."""
    return exponent(sizes, [size * math.log(size) for size in sizes])


def growth(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By step: how time and memory grow, and whether that is at most n log n."""
    sizes = sorted({row["items"] for row in rows})
    most = of_n_log_n(sizes) + TOLERANCE
    found = []
    for step in (one for one in STEPS if one.name in {row["step"] for row in rows}):
        own = sorted((row for row in rows if row["step"] == step.name), key=lambda row: int(row["items"]))
        seconds = [row["CPU s"] for row in own]
        fitted = exponent(sizes, seconds) if len(sizes) > 1 and seconds[-1] >= LEAST_S else None
        extra = own[-1]["peak MB"] - own[0]["peak MB"]
        found.append(
            {
                "step": step.name, **{f"{size:,}": row["CPU s"] for size, row in zip(sizes, own, strict=True)},
                "grows as n^": fitted, "n log n": "-" if fitted is None else "holds" if fitted <= most else "is exceeded",
                "peak MB": own[-1]["peak MB"],
                "bytes a review": max(0.0, extra) * 2**20 / max(1, own[-1]["reviews"] - own[0]["reviews"]),
                "disk MB": own[-1]["disk MB"], "texts to encode": own[-1]["texts to encode"],
            }
        )  # fmt: skip
    return found


# All -----------------------------------------------------------------------------------------------------------------------


@contextmanager
def own_settings() -> Iterator[None]:
    """No model is asked, whatever the environment says."""
    before = os.environ.get("PERSONA_OLLAMA_USE")
    os.environ["PERSONA_OLLAMA_USE"] = "never"
    yield
    os.environ.pop("PERSONA_OLLAMA_USE") if before is None else os.environ.update(PERSONA_OLLAMA_USE=before)


def asked_for() -> tuple[Options, tuple[int, ...], set[str]]:
    """The options that all benchmarks have, the sizes, and the steps: fewer, where all of the largest would take too long."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--items", type=int, nargs="+", metavar="N", help="the sizes of the catalogue")
    parser.add_argument("--steps", nargs="+", choices=[step.name for step in STEPS], help="these alone, with all that they read")
    own, others = parser.parse_known_args()
    options = options_of("scale", f"{__doc__} Also: {parser.format_usage()}", others)
    steps = with_what_they_read(own.steps) if own.steps else {step.name for step in STEPS}
    return options, tuple(sorted(own.items or (QUICK if options.quick else FULL))), steps


def with_what_they_read(names: Iterable[str]) -> set[str]:
    steps = {step.name: step for step in STEPS}
    return {name for one in names for name in (one, *with_what_they_read(steps[one].reads))}


def main() -> None:
    options, sizes, steps = asked_for()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name, own_settings():
        pool = Path(name) / "pool.npz"
        fresh = multiprocessing.get_context("spawn")  # torch stays out of this process, which is copied for every step
        with fresh.Pool(1) as helper:
            rate = helper.apply(write_pool, (pool, options.quick))
        for items in sizes:
            rows += measured(Path(name) / f"{items}", items, pool, options.seed, steps)
            if options.json:
                options.json.with_suffix(".part").write_text(json.dumps(rows, indent=1))
    grown = growth(rows)
    print_table(grown)
    print("\nCPU seconds of one process by the number of items: neighbours on a shared machine lengthen other clocks.")
    print(f"Encoding is left out of them: the encoder itself reads {rate:.0f} texts a CPU second here.\n")
    asked = asking(options.quick)
    print_table(asked)
    write_json("scale", options, ["numpy", "pandas", "pyarrow"], {
        "rows": rows, "growth": grown, "texts a CPU second": rate, "asking": asked,
    })  # fmt: skip


if __name__ == "__main__":
    main()
