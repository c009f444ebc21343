"""How well the next window is foretold: every forecaster at the same cut-offs of the past, on the demo world and on dated real sets.

Without --data: the demo world. With it: a folder of real sets, each read if it is there. With --weights: the trend model as well,
trained on all but the newest windows (or gone on with, in --home) and judged on those beside the others.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import Options, print_table, write_json
from benchmarks.worlds import DATED, parser_of, worlds
from persona_core.catalog.store import Catalog
from persona_core.trends.attention import Attention
from persona_core.trends.backtest import Backtest, backtest, blended
from persona_core.trends.building import panel_of
from persona_core.trends.panel import Panel
from persona_core.trends.scoring import MEASURES, TOP, by_origin, covered
from persona_core.trends.steps import FORECASTERS, MEMBERS
from persona_core.trends.windows import Table

PACKAGES = ("torch", "numpy", "scikit-learn", "transformers", "peft")
ORIGINS, QUICK_ORIGINS = 12, 4
DRAWS = 1_000


def main() -> None:
    given = _arguments()
    tables: dict[str, Any] = {}
    steps = ("catalog", "aspects") if given.weights else ("catalog",)  # the trend model is told what reviewers praise
    with tempfile.TemporaryDirectory() as scratch:
        for name, workspace in worlds(given, given.home or Path(scratch), DATED, steps):
            began = time.perf_counter()
            panel = panel_of(Catalog.of(workspace.artefact("catalog")))
            learners = () if given.quick else (Attention(seed=given.seed),)
            found = backtest(panel, (*FORECASTERS, *learners), QUICK_ORIGINS if given.quick else ORIGINS, _said)
            found = blended(found, (*MEMBERS, *(one.name for one in learners)))
            tables[name] = {"facts": _facts(panel, found, began), "rows": rows_of(panel, found, given.seed)}
            _show(name, tables[name])
            if given.weights and name == "demo":
                from benchmarks.trends_model import judged_beside

                facts, newest, words = judged_beside(workspace, given.weights, found, given.steps, given.ablate)
                tables["demo, the trend model"] = {"facts": facts, "rows": rows_of(panel, newest, given.seed), "words": words}
                _show("demo, the trend model on the newest windows", tables["demo, the trend model"])
                print_table(words)
    write_json("trends", Options(given.quick, given.json, given.seed), PACKAGES, tables)


def rows_of(panel: Panel, found: Backtest, seed: int) -> list[dict[str, Any]]:
    """One row a forecaster, the best first: means over the cut-offs, the MAE with its interval against that of the last value."""
    rows = []
    for name in found.names:
        row: dict[str, Any] = {"forecaster": name}
        row |= {measure: _mean(by_origin(found, name, of)) for measure, of in MEASURES.items()}
        low, high = against(found, name, "last value", seed)
        row |= {"MAE / last value": _ratio(found, name, "last value"), "95%": f"{low:.2f} to {high:.2f}"}
        row |= {"MAE, new items": _mean(by_origin(found, name, MEASURES["MAE"], found.young)), "in interval": covered(found, name)}
        row |= {f"visits to first {TOP}": _mean(by_origin(found, name, caught))}
        rows.append(row)
    popular = {"forecaster": "popularity of all time", f"visits to first {TOP}": _mean(_by_popularity(panel, found))}
    return [*sorted(rows, key=lambda row: row["MAE"]), popular]


def caught(expected: Table, came: Table) -> float:
    """Of all visits of the window, the share to the items named first: recommending by forecast alone, the same to everybody."""
    named = np.argsort(-expected, kind="stable")[:TOP]
    return float(came[named].sum() / max(came.sum(), 1e-9))


def _by_popularity(panel: Panel, found: Backtest) -> Table:
    """The same by how many ever came."""
    kept = [panel.windows.many - back for back in range(len(found.ends), 0, -1)]
    ever = [panel.windows.counts[:, :many].sum(1) for many in kept]
    return np.array([caught(row[who], came[who]) for row, came, who in zip(ever, found.came, found.judged, strict=True)])


def against(found: Backtest, name: str, other: str, seed: int) -> tuple[float, float]:
    """Between which ratios to another's MAE a forecaster lies, drawing items anew: what happens to one of them is one story."""
    off, others = (_off(found, one) for one in (name, other))
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(off), (DRAWS, len(off)))
    ratios = off[drawn].sum(1) / np.maximum(others[drawn].sum(1), 1e-9)
    return float(np.quantile(ratios, 0.025)), float(np.quantile(ratios, 0.975))


def _ratio(found: Backtest, name: str, other: str) -> float:
    off, others = (float(_off(found, one).sum()) for one in (name, other))
    return off / max(others, 1e-9)


def _off(found: Backtest, name: str) -> Table:
    """How far off it was for each item, over the cut-offs at which that was judged."""
    off: Table = np.where(found.judged, np.abs(found.of(name) - found.came), 0.0).sum(0)
    return off


def _mean(values: Table) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None


def _facts(panel: Panel, found: Backtest, began: float) -> dict[str, Any]:
    windows = panel.windows
    return {
        "items": len(panel.groups), "window": windows.word, "windows": windows.many, "cut-offs": len(found.ends),
        "judged": int(found.judged.sum()), "new items among them": int(found.young.sum()),
        "mean of a window": round(float(found.came[found.judged].mean()), 2), "seconds": round(time.perf_counter() - began, 1),
    }  # fmt: skip


def _said(done: int, total: int) -> None:
    print(f"  cut-off {done} of {total}", file=sys.stderr)


def _show(name: str, table: dict[str, Any]) -> None:
    print(f"\n{name}: " + ", ".join(f"{key} {value}" for key, value in table["facts"].items()))
    print_table(table["rows"])


def _arguments() -> argparse.Namespace:
    parser = parser_of("trends", __doc__, "fewer cut-offs, without the network; within a minute", DATED)
    parser.add_argument("--weights", type=Path, metavar="FILE", help="a base model: the trend model is trained and judged as well")
    parser.add_argument("--steps", type=int, help="so many steps of its training")
    parser.add_argument("--ablate", action="store_true", help="train it without contrast, without signals and without text as well")
    return parser.parse_args()


if __name__ == "__main__":
    main()
