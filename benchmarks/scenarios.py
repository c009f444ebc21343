"""What knowledge of people and scenarios adds to models of several scenarios, and whether it is the knowledge that does it.

Each backbone plain, with a person's knowledge, with the scenario's, with both; and with things in their place that know nothing:
random vectors, vectors learned for each id, other people's knowledge, and the same knowledge merely put beside the inputs.
Differences are to the plain backbone of the same seed. Without --data: the demo world.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.harness import Options, print_table, write_json
from benchmarks.scenario_sets import REAL, real_sets
from benchmarks.worlds import parser_of, worlds
from persona_core.scenarios.backbones import BACKBONES, FLOOR, Make, Single
from persona_core.scenarios.inputs import Batch, Inputs
from persona_core.scenarios.meta import Knowledge, MultiScenario
from persona_core.scenarios.schooling import Schooling, schooling_of
from persona_core.scenarios.training import Recipe, chances, fit, measures
from persona_core.text.encoder import Matrix

PACKAGES = ("torch", "numpy", "scipy", "scikit-learn")
SEEDS, QUICK_SEEDS = 5, 2
QUICK_EPOCHS = 4
PLAIN, BOTH = "plain", "both"
LEVELS = {PLAIN: (False, False), "a person's": (True, False), "the scenario's": (False, True), BOTH: (True, True)}
CONTROLS = ("random vectors", "learned vectors", "other people's", "put beside the inputs")


def main() -> None:
    parser = parser_of("scenarios", __doc__, "one backbone, two seeds, a few epochs", REAL)
    parser.add_argument("--backbone", action="append", choices=tuple(BACKBONES), help="only this one; may be repeated")
    given = parser.parse_args()
    tables: dict[str, Any] = {}
    for name, one in _sets(given):
        began = time.perf_counter()
        rows = measured(one, given)
        facts = {**one.lessons.facts, "cold": int(one.cold.sum()), "seconds": round(time.perf_counter() - began, 1)}
        tables[name] = {"facts": facts, "rows": rows, "cost": cost(one)}
        print(f"\n{name}: {facts}")
        print_table(rows)
        print_table(tables[name]["cost"])
    write_json("scenarios", Options(given.quick, given.json, given.seed), PACKAGES, tables)


def _sets(given: argparse.Namespace) -> Iterator[tuple[str, Schooling]]:
    if given.data:
        yield from real_sets(given.data, given.only)
        return
    with tempfile.TemporaryDirectory() as scratch:
        for name, source in worlds(given, given.home or Path(scratch), {}, ("catalog", "splits")):
            yield name, schooling_of(source, given.seed)


def measured(one: Schooling, given: argparse.Namespace) -> list[dict[str, Any]]:
    names = given.backbone or (["MMoE"] if given.quick else list(BACKBONES))
    backbones: dict[str, Make] = {name: BACKBONES[name] for name in names}
    seeds = [given.seed + number for number in range(QUICK_SEEDS if given.quick else SEEDS)]
    rows = [_row(FLOOR, PLAIN, [_measures(one, Single, PLAIN, seed, given.quick, apart=True) for seed in seeds], None)]
    for name, make in backbones.items():
        plain = None
        for kind in (*LEVELS, *CONTROLS):
            found = [_measures(one, make, kind, seed, given.quick) for seed in seeds]
            plain = plain or found
            rows.append(_row(name, kind, found, plain))
            told = ", ".join(f"{key} {rows[-1][key]}" for key in ("AUC", "AUC of a person", "AUC, more", "AUC of a person, more"))
            print(f"  {name}, {kind}: {told}", file=sys.stderr, flush=True)
    return rows


def built(one: Schooling, make: Make, kind: str, seed: int, apart: bool = False) -> MultiScenario:
    users, scenarios, known, learned = one.users, one.scenarios, one.known, False
    rng = np.random.default_rng(seed)
    of_person, of_scenario = LEVELS.get(kind, (True, True))
    if kind == "random vectors":
        users, scenarios = (_random(rows, rng) for rows in (users, scenarios))
    elif kind == "learned vectors":
        learned = True
    elif kind == "other people's":
        users, scenarios = users[rng.permutation(len(users))], np.roll(scenarios, 1, axis=0)
    elif kind == "put beside the inputs":
        of_person = of_scenario = False
        known = replace(known, user_knowledge=users, scenario_knowledge=scenarios)
    inputs = Inputs(known, apart=apart)
    return MultiScenario(
        inputs, make(inputs.width, known.scenarios), Knowledge(users, learned=learned) if of_person else None,
        Knowledge(scenarios, learned=learned) if of_scenario else None,
    )  # fmt: skip


def _random(rows: Matrix, rng: np.random.Generator) -> Matrix:
    return np.asarray(rng.normal(0.0, max(float(rows.std()), 1e-3), rows.shape), np.float32)


def _measures(one: Schooling, make: Make, kind: str, seed: int, quick: bool, apart: bool = False) -> dict[str, float]:
    recipe = Recipe(seed=seed, epochs=QUICK_EPOCHS) if quick else Recipe(seed=seed)
    test = one.lessons.test
    model = fit(lambda: built(one, make, kind, seed, apart), one.lessons.train, one.lessons.valid, recipe).model
    said = chances(model, test)
    found = measures(test, said)
    for at, name in enumerate(one.lessons.scenario_names):
        rows = test.scenarios == at
        found[f"AUC, {name}"] = measures(test.take(rows), said[rows])["AUC"]
    found["AUC, cold"] = measures(test.take(one.cold), said[one.cold])["AUC"] if one.cold.any() else float("nan")
    return found


def _row(name: str, kind: str, found: list[dict[str, float]], plain: list[dict[str, float]] | None) -> dict[str, Any]:
    row: dict[str, Any] = {"backbone": name, "knowledge": kind}
    row |= {measure: float(np.mean([each[measure] for each in found])) for measure in found[0]}
    if plain is not None and plain is not found:
        for measure in ("AUC", "AUC of a person"):
            more = np.array([each[measure] - other[measure] for each, other in zip(found, plain, strict=True)])
            reach = stats.t.ppf(0.975, len(more) - 1) * more.std(ddof=1) / len(more) ** 0.5
            row[f"{measure}, more"] = f"{more.mean():+.4f} ({more.mean() - reach:+.4f} to {more.mean() + reach:+.4f})"
    else:
        row |= {"AUC, more": "", "AUC of a person, more": ""}
    return row


def cost(one: Schooling, times: int = 60) -> list[dict[str, Any]]:
    """What answering a thousand samples takes beside the plain backbone, with what knowledge makes kept ready: medians, by turns."""
    import torch

    batch = Batch.of(one.lessons.test.take(slice(0, 1_000)))
    rows = []
    for name, make in BACKBONES.items():
        models = {kind: built(one, make, kind, 7).eval() for kind in (PLAIN, BOTH)}
        cores = {kind: model.cores() for kind, model in models.items()}
        took: dict[str, list[float]] = {kind: [] for kind in models}
        with torch.no_grad():
            for _ in range(times):
                for kind, model in models.items():
                    began = time.perf_counter()
                    model(batch, cores[kind])
                    took[kind].append(time.perf_counter() - began)
        plain, both = (float(np.median(took[kind])) * 1_000 for kind in (PLAIN, BOTH))
        rows.append({"backbone": name, "plain, ms": plain, "both, ms": both, "more": f"{both / plain - 1:+.0%}"})
    return rows


if __name__ == "__main__":
    main()
