"""The trend model beside the forecasters: numbers, order, whether it tells true reasons from false ones, and whether its own hold."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from persona_core.trends.backtest import BLEND, Backtest
from persona_core.trends.files import MODEL_FOLDER
from persona_core.trends.model.examples import Part
from persona_core.trends.model.training import Training
from persona_core.trends.model.working import HELD_OUT, Prepared, faith, learn, numbers, prepared, verdict
from persona_core.trends.windows import Table
from persona_core.workspace import Workspace

BESIDE = ("last value", "last 3", "moving average", "boosting", "attention", BLEND)
WHOLE = "trend model"
ABLATIONS: dict[str, tuple[bool, frozenset[Part]]] = {
    "without contrast": (False, frozenset()),
    "without signals": (True, frozenset({"signals"})),
    "without text": (True, frozenset({"text"})),
}
"""Whether each learns to tell true reasons from false ones, and what its prompts are without."""
READ_BACK = 60
"""So many reasons are written and read back for each."""


def judged_beside(
    workspace: Workspace, weights: Path, found: Backtest, steps: int | None, ablate: bool
) -> tuple[dict[str, Any], Backtest, list[dict[str, Any]]]:
    """Trains, or goes on from the checkpoints in the workspace: the facts, the newest windows with it in, and how its words fare."""
    chosen = Training() if steps is None else Training(steps=steps)
    kinds: dict[str, tuple[bool, frozenset[Part]]] = {WHOLE: (True, frozenset()), **(ABLATIONS if ablate else {})}
    newest, words = _newest(found), []
    for name, (contrast, without) in kinds.items():
        recipe = chosen if contrast else replace(chosen, contrast=0.0)
        folder = workspace.root / (MODEL_FOLDER if name == WHOLE else f"{MODEL_FOLDER}_{name.replace(' ', '_')}")
        folder.mkdir(parents=True, exist_ok=True)
        began = time.perf_counter()
        ready = prepared(workspace, weights, recipe, without)
        learn(ready, recipe, folder, lambda what, done, total: None)
        trained = round(time.perf_counter() - began, 1)
        newest = newest.with_one(name, _expected(ready, newest))
        judged = verdict(ready, lambda what, done, total: None, READ_BACK)
        words.append({"model": name, **_of_words(judged), "training seconds": trained})
        if name == WHOLE:
            words.append({"model": "its words, the blend's numbers", **_with_numbers_of(ready, newest, BLEND)})
            both = (np.log1p(newest.of(WHOLE)) + np.log1p(newest.of("boosting"))) / 2
            newest = newest.with_one("trend model and boosting, halves", np.expm1(both))
    return {"cut-offs": HELD_OUT, "examples": judged["examples"], "steps": chosen.steps}, newest, words


def _newest(found: Backtest) -> Backtest:
    """What the others said of the windows that are kept from the trend model."""
    rows = slice(len(found.ends) - HELD_OUT, None)
    names = [name for name in BESIDE if name in found.names]
    places = [found.names.index(name) for name in names]
    return Backtest(
        tuple(names), found.ends[rows], found.expected[rows][:, places], found.came[rows], found.judged[rows], found.young[rows]
    )


def _expected(ready: Prepared, newest: Backtest) -> Table:
    place = {one.id: code for code, one in enumerate(ready.items)}
    expected = np.zeros(newest.came.shape)
    for row, examples in enumerate(ready.judging):
        which = [place[one.item] for one in examples]
        assert set(which) == set(np.flatnonzero(newest.judged[row]).tolist())  # nosec B101 # the benchmark's own
        expected[row, which] = numbers(ready.network, examples)
    return expected


def _of_words(judged: dict[str, Any]) -> dict[str, Any]:
    return {name: judged[name] for name in ("told apart", "statements", "statements right", "reasons", "unread")}


def _with_numbers_of(ready: Prepared, newest: Backtest, name: str) -> dict[str, Any]:
    """The variant in which a forecaster gives the number and the model only words it."""
    place = {one.id: code for code, one in enumerate(ready.items)}
    both = [(one, newest.of(name)[row, place[one.item]]) for row, examples in enumerate(ready.judging) for one in examples]
    some = both[:: max(1, len(both) // READ_BACK)]
    true, _ = faith(ready.network, [one for one, _ in some], np.array([number for _, number in some]))
    return {"statements": true.statements, "statements right": true.right / max(1, true.statements), "reasons": true.reasons,
            "unread": true.unread}  # fmt: skip
