"""What the doors of the persona store cost, exact in memory and Chroma's index on disk, and how much the latter misses."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import Cost, alone, options_of, report, report_alone
from persona_core.personas.store import MemoryStore, StoredPersona, build_embedded, open_store

FULL, QUICK = (10_000, 100_000, 400_000), (10_000,)
AN_ITEM, DIMENSION, INNER, CLUSTERS = 4, 384, 48, 500
QUESTIONS, WANTED = 50, 100
DOORS = ("memory", "chroma")


def vectors(rows: int, seed: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Clusters, items around them, personas around those, in far fewer directions than dimensions, as texts lie."""
    rng = np.random.default_rng(seed)
    world, centres = _world(seed)
    items = centres[rng.integers(0, CLUSTERS, rows // AN_ITEM)]
    items += 0.6 * rng.standard_normal(items.shape, np.float32)
    inner = np.repeat(items, AN_ITEM, axis=0)
    inner += 0.6 * rng.standard_normal(inner.shape, np.float32)
    return _outward(inner, world, rng)


def questions(seed: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Profiles from the same world that are nobody's personas."""
    rng = np.random.default_rng(seed + 1)
    world, centres = _world(seed)
    inner = centres[rng.integers(0, CLUSTERS, QUESTIONS)] + 0.85 * rng.standard_normal((QUESTIONS, INNER), np.float32)
    return _outward(inner, world, rng)


def _world(seed: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    rng = np.random.default_rng([seed, 2])
    world = rng.standard_normal((INNER, DIMENSION), np.float32) / np.float32(INNER**0.5)
    return world, rng.standard_normal((CLUSTERS, INNER), np.float32)


def _outward(inner: Any, world: Any, rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.float32]]:
    found = inner @ world
    for at in range(0, len(found), 10_000):
        part = found[at : at + 10_000]
        part += 0.2 * rng.standard_normal(part.shape, np.float32)
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return np.asarray(found, np.float32)


def personas(rows: int) -> list[StoredPersona]:
    return [
        StoredPersona(f"{_item(row // AN_ITEM)}:{row % AN_ITEM}", _item(row // AN_ITEM), f"scenario {row // AN_ITEM % 3}",
                      ("fan", "critic")[row % 2], f"the persona {row}")
        for row in range(rows)
    ]  # fmt: skip


def _item(number: int) -> str:
    return f"item-{number:07d}"


# In a process of its own ---------------------------------------------------------------------------------------------


def build(door: str, rows: int, seed: int, folder: Path) -> dict[str, float]:
    stored, matrix = personas(rows), vectors(rows, seed)
    began = time.perf_counter()
    if door == "memory":
        MemoryStore.of(stored, matrix, "benchmark").save(folder)
    else:
        build_embedded(folder, stored, matrix, "benchmark")
    return {"seconds": time.perf_counter() - began}


def ask(door: str, rows: int, seed: int, folder: Path) -> dict[str, Any]:
    asked = questions(seed)
    rng = np.random.default_rng(seed + 3)
    given = [[_item(int(n)) for n in rng.choice(rows // AN_ITEM, WANTED, replace=False)] for _ in asked]
    began = time.perf_counter()
    store = open_store("memory" if door == "memory" else "chroma", folder)
    store.nearest(asked[0], WANTED)
    opened = time.perf_counter() - began
    found: list[list[str]] = []
    top = _milliseconds(lambda at: found.append([hit.item_id for hit in store.nearest(asked[at], WANTED)]))
    within = _milliseconds(lambda at: store.nearest(asked[at], WANTED, scenario="scenario 1", stances=["fan"]))
    score = _milliseconds(lambda at: store.score(asked[at], given[at]))
    store.close()
    return {"opened": opened, "top": top, "within": within, "score": score, "found": found}


def _milliseconds(work: Callable[[int], Any]) -> tuple[float, float]:
    """Median and 95th percentile over all questions."""
    spent = []
    for at in range(QUESTIONS):
        began = time.perf_counter()
        work(at)
        spent.append((time.perf_counter() - began) * 1000)
    return float(np.percentile(spent, 50)), float(np.percentile(spent, 95))


# Together ------------------------------------------------------------------------------------------------------------


def row_of(door: str, rows: int, built: Cost, asked: Cost, folder: Path, exact: Sequence[Sequence[str]]) -> dict[str, Any]:
    found = asked.result
    shared = [len(set(mine) & set(theirs)) / len(theirs) for mine, theirs in zip(found["found"], exact, strict=True)]
    disk = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return {
        "door": door,
        "personas": rows,
        "build s": built.result["seconds"],
        "build peak MB": round(built.peak_mb),
        "disk MB": round(disk / 2**20),
        "open s": found["opened"],
        "ask peak MB": round(asked.peak_mb),
        "top p50 ms": found["top"][0],
        "top p95 ms": found["top"][1],
        "filtered p50 ms": found["within"][0],
        "filtered p95 ms": found["within"][1],
        "score p50 ms": found["score"][0],
        "score p95 ms": found["score"][1],
        "recall@100": float(np.mean(shared)),
    }


def main() -> None:
    options = options_of("store", __doc__ or "")
    table: list[dict[str, Any]] = []
    for rows in QUICK if options.quick else FULL:
        exact: list[list[str]] = []
        for door in DOORS:
            with tempfile.TemporaryDirectory() as home:
                folder = Path(home) / "index"
                words = (door, str(rows), str(options.seed), str(folder))
                built, asked = alone("benchmarks.store", "build", *words), alone("benchmarks.store", "ask", *words)
                exact = exact or asked.result["found"]
                table.append(row_of(door, rows, built, asked, folder, exact))
                print(f"{door}, {rows:,} personas: measured", file=sys.stderr)
    notes = [
        f"{AN_ITEM} personas an item, {DIMENSION} numbers each; top: the {WANTED} best items of all; filtered: "
        "fans in one of three scenarios;",
        f"score: {WANTED} named items. {QUESTIONS} questions, one at a time. Recall: share of the exact best {WANTED} items.",
        "Peak memory is the whole process's; a build's holds the made-up vectors too. Opening includes imports, first answer.",
    ]
    report("store", options, table, ["numpy", "chromadb", "safetensors", "pyarrow"], notes)


if __name__ == "__main__":
    if sys.argv[1:2] == ["build"]:
        report_alone(lambda: build(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5])))
    elif sys.argv[1:2] == ["ask"]:
        report_alone(lambda: ask(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5])))
    else:
        main()
