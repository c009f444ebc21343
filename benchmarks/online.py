"""From the edit of a profile to ten explained items: how long each part of it takes, and what slower readers would take instead.

The demo world is measured as it was built, where it was (PERSONA_WORKSPACE names another place); larger catalogues are made up.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import Options, alone, options_of, print_table, report_alone, write_json
from benchmarks.online_models import CANDIDATES, encoders, reranks
from benchmarks.online_world import AN_ITEM, Clock, Edits, TimedBook, TimedHabit, demo_engine, made_engine, made_profiles, ordering
from persona_core.engine import Engine, Ranked
from persona_core.ranking import EASE, ItemKNN
from persona_core.schema import Profile

DEMO = 0
"""Stands for the demo world where a number of items is asked for."""
FULL, QUICK = (DEMO, 1_000, 10_000, 100_000), (DEMO, 10_000)
READ, QUICK_READ, LLM_READ, QUICK_LLM_READ = 30, 3, 5, 1
SHOWN, THREADS = 10, 8
PARTS = ("encoding", "habit", "ordering", "showing")
PACKAGES = ("numpy", "scipy", "torch", "transformers", "pydantic")
Edited = Callable[[], tuple[Profile, Profile]]


@dataclass(frozen=True, slots=True)
class Times:
    """How many edits are ranked, how many of them are explained, and of how many people's profiles."""

    ranked: int
    explained: int
    people: int


FULLY, QUICKLY = Times(100, 30, 20), Times(12, 2, 1)

# In a process of its own, for one size -------------------------------------------------------------------------------


def measured(n_items: int, seed: int, quick: bool, folder: Path) -> list[dict[str, Any]]:
    """One row for an edit with words never seen, one for an edit of known ones; none where there is no such world."""
    clock, times = Clock(), QUICKLY if quick else FULLY
    book = TimedBook(clock)
    book.vectors(["so that the encoder is there"])
    before = resident_mb()
    engine = demo_engine(clock) if n_items == DEMO else made_engine(n_items, seed, book, clock, folder)
    if engine is None:
        return []
    edits = Edits(_profiles(engine, times.people, seed) if n_items == DEMO else made_profiles(times.people, n_items, seed))
    for profile in edits.profiles:  # nobody edits a profile that was not shown before
        explain(engine, shown(engine, profile, clock))
    size = {"engine MB": round(resident_mb() - before), "arrays MB": round(matrices_mb(engine))}
    rows = []
    for name, edited in (("a new phrase", edits.new_phrase), ("known words", edits.known_words)):
        with ordering(clock):
            row = one_at_a_time(engine, edited, clock, times)
        row = {**row, **together(engine, edited, clock, times), **size}
        rows.append({"world": "made up" if n_items else "demo", "items": len(engine.items), "edit": name, **row})
    return rows


def _profiles(engine: Engine, people: int, seed: int) -> list[Profile]:
    """Built profiles with likes, drawn."""
    found = [profile for user in engine.profiles.users() if (profile := engine.profile(user)).likes]
    return [found[place] for place in np.random.default_rng(seed).permutation(len(found))[:people].tolist()]


def shown(engine: Engine, profile: Profile, clock: Clock) -> Ranked:
    """The answer, and the first ten with their parts, best matches and warnings."""
    ranked = engine.rank(profile)
    with clock.part("showing"):
        for item in first(ranked):
            engine.recommendation(ranked, item)
    return ranked


def explain(engine: Engine, ranked: Ranked) -> None:
    """What speaks for and against each of the first ten, with its quotes."""
    for item in first(ranked):
        engine.explain(ranked, engine.items[item].id)


def first(ranked: Ranked) -> list[int]:
    found: list[int] = ranked.order[:SHOWN].tolist()
    return found


def one_at_a_time(engine: Engine, edited: Edited, clock: Clock, times: Times) -> dict[str, Any]:
    spent: dict[str, list[float]] = {"ranked": [], "explained": [], "again": []}
    parts, new = [], []
    for number in range(times.ranked):
        before, after = edited()
        old = set(first(engine.rank(before)))
        clock.take()
        began = time.perf_counter()
        ranked = shown(engine, after, clock)
        spent["ranked"].append(_since(began))
        parts.append(clock.take())
        if number < times.explained:
            new.append(len(set(first(ranked)) - old))
            explain(engine, ranked)
            spent["explained"].append(_since(began))
            began = time.perf_counter()
            explain(engine, ranked)
            spent["again"].append(_since(began))
    means = {name: 1000 * float(np.mean([part.get(name, 0.0) for part in parts])) for name in PARTS}
    rest = float(np.mean(spent["ranked"])) - sum(means.values())
    return {
        **_percentiles("ranked", spent["ranked"]),
        **{**means, "matching": rest},
        **_percentiles("explained", spent["explained"]),
        "again p50 ms": float(np.median(spent["again"])),
        "new items": float(np.mean(new)),
    }


def together(engine: Engine, edited: Edited, clock: Clock, times: Times) -> dict[str, Any]:
    """The same from several threads at once: only ranked, and with explanations."""

    def ranked(profile: Profile) -> float:
        began = time.perf_counter()
        shown(engine, profile, clock)
        return _since(began)

    def explained(profile: Profile) -> None:
        explain(engine, shown(engine, profile, clock))

    with ThreadPoolExecutor(THREADS) as threads:
        profiles = [edited()[1] for _ in range(2 * times.ranked)]
        began = time.perf_counter()
        each = list(threads.map(ranked, profiles))
        ranked_s = len(each) / (time.perf_counter() - began)
        profiles = [edited()[1] for _ in range(times.explained)]
        began = time.perf_counter()
        explained_s = len(list(threads.map(explained, profiles))) / (time.perf_counter() - began)
    return {"ranked/s": ranked_s, "then p95 ms": float(np.percentile(each, 95)), "explained/s": explained_s}


def _since(began: float) -> float:
    return 1000 * (time.perf_counter() - began)


def _percentiles(name: str, spent: list[float]) -> dict[str, float]:
    return {f"{name} p{share} ms": float(np.percentile(spent, share)) for share in (50, 95)}


def resident_mb() -> float:
    """What this process has in memory now; Linux only, elsewhere not a number."""
    gc.collect()
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return float("nan")
    return pages * 4096 / 2**20


def matrices_mb(engine: Engine) -> float:
    """What the arrays of the engine and of its habit scorer take."""
    habit = engine.habit.habit if isinstance(engine.habit, TimedHabit) else engine.habit
    near = habit.near if isinstance(habit, ItemKNN) else None
    arrays = [one for one in vars(engine).values() if isinstance(one, np.ndarray)]
    arrays += [near.data, near.indices, near.indptr] if near is not None else [habit.weights] if isinstance(habit, EASE) else []
    return sum(array.nbytes for array in arrays) / 2**20


# Together ------------------------------------------------------------------------------------------------------------


def edits_table(options: Options) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for n_items in QUICK if options.quick else FULL:
        with tempfile.TemporaryDirectory() as folder:
            words = ("made", str(n_items), str(options.seed), "quick" if options.quick else "full", folder)
            rows += alone("benchmarks.online", *words).result
        print(f"{n_items:,} items: measured" if n_items else "the demo world: measured", file=sys.stderr)
    return rows


def main() -> None:
    options = options_of("online", __doc__ or "")
    read, llm_read = (QUICK_READ, QUICK_LLM_READ) if options.quick else (READ, LLM_READ)
    makes: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "From an edit to ten explained items": lambda: edits_table(options),
        f"Reading {CANDIDATES} candidates instead": lambda: reranks(read, llm_read),
        "One short text, encoded": lambda: encoders(10 * read),
    }
    found = []
    for title, make in makes.items():  # each is shown when it is there: the first takes minutes
        found.append(make())
        print(f"\n{title}")
        print_table(found[-1])
    tables = dict(zip(("edits", "rerank", "encoder"), found, strict=True))
    for note in _notes(options):
        print(note)
    write_json("online", options, PACKAGES, {**tables, "threads": _threads()})


def _threads() -> str:
    return os.environ.get("OMP_NUM_THREADS", "as torch chooses")


def _notes(options: Options) -> list[str]:
    times = QUICKLY if options.quick else FULLY
    return [
        f"\n{times.ranked} edits a row, one at a time, of profiles shown before ({times.people}). The demo world is as it was built;",
        f"made up: {AN_ITEM} personas an item, thirty past items a person, made-up directions, and beyond 10,000 items whose",
        "neighbours are whose is drawn. A new phrase is encoded for the first time; known words: a like stronger, or one less.",
        "Ranked: to ten items with parts, best matches and warnings; the parts of that are means, in ms, and add up to the mean;",
        "matching: the taste, its products with all personas, the parts of all scores. Explained: to ten explanations as well,",
        f"of {times.explained} edits; so many of the ten are new to the person, and their quotes may never have been encoded;",
        f"again: the explanations alone, a second time. Per second: from up to {THREADS} threads. Engine MB: growth of the process,",
        f"items, personas and known texts included, the encoder not. {os.cpu_count()} cores, OMP_NUM_THREADS: {_threads()}.",
        "The cross-encoder's network is MiniLM's with its own weights, not trained to rerank: only its cost is measured. The",
        "language model is asked once for an order of all twenty, one thread, a grammar holds it to the form; it is far too small.",
        "Left out: ONNX. onnxruntime is there (Chroma brings it), but torch exports only with the packages onnx and onnxscript.",
    ]


if __name__ == "__main__":
    if sys.argv[1:2] == ["made"]:
        report_alone(lambda: measured(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "quick", Path(sys.argv[5])))
    else:
        main()
