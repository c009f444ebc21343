"""The trend model beside the forecasters: numbers, order, whether it tells true reasons from false ones, and whether its own hold."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from persona_core.trends.backtest import Backtest
from persona_core.trends.files import MODEL_FOLDER
from persona_core.trends.model.training import Training, train
from persona_core.trends.model.working import HELD_OUT, numbers, prepared, verdict
from persona_core.trends.panel import Panel
from persona_core.trends.scoring import MEASURES
from persona_core.trends.windows import Table
from persona_core.workspace import Workspace

BESIDE = ("last value", "moving average", "boosting", "attention", "blend")


def judged_beside(workspace: Workspace, panel: Panel, weights: Path, found: Backtest, steps: int | None) -> dict[str, Any]:
    """Trains, or goes on from the checkpoint in the workspace's folder; then the newest windows, for all forecasters alike."""
    chosen = Training() if steps is None else Training(steps=steps)
    folder = workspace.root / MODEL_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    ready = prepared(workspace, weights, chosen)
    train(ready.network, ready.training, chosen, folder)
    trained = time.perf_counter() - began
    judged = verdict(ready, lambda what, done, total: None)
    rows = [_row(name, [found.of(name)[row] for row in _newest(found)], found) for name in BESIDE if name in found.names]
    own = []
    for examples, row in zip(ready.judging, _newest(found), strict=True):
        expected = np.zeros(found.came.shape[1])
        place = {one.id: code for code, one in enumerate(ready.items)}
        expected[[place[one.item] for one in examples]] = numbers(ready.network, examples)
        own.append(expected)
        assert {place[one.item] for one in examples} == set(np.flatnonzero(found.judged[row]).tolist())
    rows.append(_row("trend model", own, found))
    both = [(np.log1p(one) + np.log1p(found.of("boosting")[row])) / 2 for one, row in zip(own, _newest(found), strict=True)]
    rows.append(_row("trend model and boosting, halves", [np.expm1(one) for one in both], found))
    facts = {"cut-offs": HELD_OUT, "training seconds": round(trained, 1), "steps": chosen.steps, **judged}
    return {"facts": facts, "rows": sorted(rows, key=lambda row: row["MAE"])}


def _newest(found: Backtest) -> range:
    return range(len(found.ends) - HELD_OUT, len(found.ends))


def _row(name: str, expected: list[Table], found: Backtest) -> dict[str, Any]:
    row: dict[str, Any] = {"forecaster": name}
    for measure, of in MEASURES.items():
        values = [
            of(one[found.judged[at]], found.came[at][found.judged[at]]) for one, at in zip(expected, _newest(found), strict=True)
        ]
        row[measure] = float(np.mean(values))
    return row
