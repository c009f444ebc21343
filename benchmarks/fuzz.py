"""Hostile examples at every door for as long as it is let: how many were taken, refused in words of ours, or let something break.

`--quick` takes a second a door, otherwise `--seconds`. `--guided DOOR` lets atheris choose the examples by the code that they reach
(`pip install atheris`; it goes on until it is stopped, or finds a crash).
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import logging
import os
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from benchmarks.harness import Options, report
from persona_core.settings import REPOSITORY
from tests.safety.doors import Target, met
from tests.safety.targets import TARGETS

AT_ONCE = 200
"""Examples with one seed; then comes another."""
LONGEST_SHOWN = 2_000
LENGTHS = ("-len_control=0", "-max_len=8192")
"""For atheris: Hypothesis makes little of a few bytes."""
LONG_S = 5.0
"""What takes longer than this for one example is told, as a crash is."""


@dataclass
class Found:
    """What came out at one door."""

    counts: Counter[str] = field(default_factory=Counter)
    crashes: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By where: the shortest example that led there, and how."""
    slowest: float = 0.0

    def note(self, where: str, example: Any, how: str) -> None:
        self.counts["crash"] += 1
        shown = repr(example)[:LONGEST_SHOWN]
        if where not in self.crashes or len(shown) < len(self.crashes[where][0]):
            self.crashes[where] = shown, how


def fuzzed(target: Target, seconds: float, first: int) -> Found:
    """Other examples until the time is over."""
    found, ends, number = Found(), time.monotonic() + seconds, first
    while time.monotonic() < ends:
        _some(target, found, number, ends)
        number += 1
    return found


def _some(target: Target, found: Found, number: int, ends: float) -> None:
    @seed(number)
    @settings(max_examples=AT_ONCE, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(target.examples())
    def one(example: Any) -> None:
        if time.monotonic() > ends:
            return
        _meet(target, example, found)

    one()


def _meet(target: Target, example: Any, found: Found) -> None:
    began = time.perf_counter()
    found.counts["examples"] += 1
    try:
        found.counts[met(target, example)] += 1
    except Exception as error:  # whatever it is, it is what was looked for
        found.note(_where(error), example, "".join(traceback.format_exception(error)[-6:]))
    took = time.perf_counter() - began
    found.slowest = max(found.slowest, took)
    if took > LONG_S:
        found.note(f"took {took:.0f} s", example, "")


def _where(error: BaseException) -> str:
    """The last line of ours that it came through."""
    frames = [one for one in traceback.extract_tb(error.__traceback__) if str(REPOSITORY) in one.filename]
    place = f"{Path(frames[-1].filename).relative_to(REPOSITORY)}:{frames[-1].lineno}" if frames else "nowhere of ours"
    return f"{type(error).__name__} at {place}"


def guided(target: Target, arguments: list[str]) -> None:
    """Lets atheris choose what Hypothesis makes of bytes; it never comes back from this."""
    if importlib.util.find_spec("atheris") is None:
        raise SystemExit("atheris is not installed here: pip install atheris")
    atheris = importlib.import_module("atheris")

    @settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(target.examples())
    def one(example: Any) -> None:
        met(target, example)

    for name, module in list(sys.modules.items()):
        if name.startswith("persona_core") and module is not None:
            _instrumented(atheris, module)
    atheris.Setup([sys.argv[0], *LENGTHS, *arguments], one.hypothesis.fuzz_one_input)  # type: ignore[attr-defined]
    atheris.Fuzz()


def _instrumented(atheris: Any, module: Any) -> None:
    made = [one for one in vars(module).values() if isinstance(one, type) and one.__module__ == module.__name__]
    for one in (*vars(module).values(), *(part for each in made for part in vars(each).values())):
        if callable(one) and getattr(one, "__module__", "") == module.__name__ and hasattr(one, "__code__"):
            one.__code__ = atheris.instrument_func(one).__code__


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a second a door")
    parser.add_argument("--seconds", type=float, default=60.0, help="a door")
    parser.add_argument("--only", default="", metavar="WORDS", help="doors whose name holds this")
    parser.add_argument("--guided", default="", metavar="DOOR", help="with atheris; what follows -- is its own")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    parser.add_argument("--seed", type=int, default=7)
    given_, theirs = parser.parse_known_args()
    logging.disable(logging.ERROR)
    os.fsync = lambda fd: None  # what outlives a power cut is not the question here, and the disk takes most of the time
    if given_.guided:
        guided(next(one for one in TARGETS if one.name == given_.guided), [one for one in theirs if one != "--"])
    rows, crashed = [], []
    for target in (one for one in TARGETS if given_.only in one.name):
        began = time.perf_counter()
        found = fuzzed(target, 1.0 if given_.quick else given_.seconds, 1_000 * given_.seed)
        rows.append(_row(target.name, found, time.perf_counter() - began))
        crashed += [(target.name, where, *told) for where, told in sorted(found.crashes.items())]
        print(f"  {target.name}: {found.counts['examples']:,} examples, {len(found.crashes)} places", file=sys.stderr)
    for name, where, example, how in crashed:
        print(f"\n{name}: {where}\n{example}\n{how}")
    notes = ["Nothing broke." if not crashed else f"{len(crashed)} places broke; each is shown above with an example."]
    report("fuzz", Options(given_.quick, given_.json, given_.seed), rows, ["hypothesis", "pyarrow", "orjson", "pydantic"], notes)
    raise SystemExit(bool(crashed))


def _row(name: str, found: Found, seconds: float) -> dict[str, Any]:
    counts = found.counts
    said = {"door": name, "examples": counts["examples"], "taken": counts["good"], "refused": counts["refused"]}
    told = {"broke": counts["crash"], "places": len(found.crashes), "slowest s": round(found.slowest, 2)}
    return {**said, **told, "examples/s": round(counts["examples"] / seconds)}


if __name__ == "__main__":
    main()
