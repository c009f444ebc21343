"""The trends' step of the build: every item's next window foretold, with how well that went at the cut-offs before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from persona_core.catalog.store import Catalog
from persona_core.files import file_digest_as_known
from persona_core.personas.aspects import ASPECTS, read_aspects
from persona_core.pipeline import Counts, Step, StepContext
from persona_core.settings import DEMO_DATA
from persona_core.trends.backtest import BLEND, Backtest, backtest, blended, weights_of
from persona_core.trends.boosting import Boosting
from persona_core.trends.building import SAID, panel_of
from persona_core.trends.files import ABOUT, MODEL_FOLDER, NUMBERS, TOLD, Told, fingerprint, risen_over, write_trends
from persona_core.trends.forecasters import Borrowing, Forecaster, MeanOfLast, MovingAverage, SeasonalNaive, Smoothing
from persona_core.trends.panel import Panel
from persona_core.trends.scoring import MEASURES, by_origin, covered
from persona_core.trends.windows import Table
from persona_core.workspace import Workspace

SHIPPED = DEMO_DATA / "trends.json"
"""What the trend model said of the demo world; shown only with the very counts it was asked about."""
ORIGINS = 8
FORECASTERS: tuple[Forecaster, ...] = (
    MeanOfLast(1), MeanOfLast(3), MeanOfLast(6), MeanOfLast(12), MovingAverage(), Smoothing(), SeasonalNaive(),
    Borrowing(MovingAverage()), Boosting(),
)  # fmt: skip
"""Those that a build can afford; attention.py and the trend model are trained apart."""
MEMBERS = ("moving average + neighbours", "smoothing", "seasonal naive", "boosting")


def _foretell(context: StepContext) -> Counts:
    catalog = Catalog.of(context.inputs["catalog"])
    panel = panel_of(catalog, read_aspects(context.inputs["aspects"].file(ASPECTS), SAID))
    past, shares = looked_back(panel, lambda done, total: context.progress(done, total, "cut-offs"))
    today = foretold(panel, shares)
    items = [one.id for one in catalog.all_items()]
    model, told = told_of(panel, items, _files(context.workspace))
    write_trends(context.folder, items, panel, past, today, scored(past, shares), told, model)
    return {
        "items": len(items),
        "windows": panel.windows.many,
        "window": panel.windows.word,
        "cut-offs": len(past.ends),
        "told": len(told),
    }


def looked_back(panel: Panel, told: Callable[[int, int], None] = lambda done, total: None) -> tuple[Backtest, dict[str, float]]:
    """What everybody would have said at the last cut-offs, the blend too, and its shares from now on."""
    past = blended(backtest(panel, FORECASTERS, ORIGINS, told), MEMBERS)
    return past, dict(zip(MEMBERS, weights_of(past, MEMBERS).tolist(), strict=True))


def rise_at(panel: Panel) -> Table:
    """How far each item is foretold to rise or fade after the panel's own cut-off."""
    return risen_over(foretold(panel, looked_back(panel)[1]), panel.windows)


def foretold(panel: Panel, shares: Mapping[str, float]) -> Table:
    """What the blend expects after the panel's own cut-off."""
    named = {one.name: one for one in FORECASTERS}
    logs = sum(share * np.log1p(named[name].expected(panel)) for name, share in shares.items() if share > 0)
    return np.asarray(np.expm1(logs))


def scored(past: Backtest, shares: Mapping[str, float]) -> list[dict[str, Any]]:
    """Each forecaster with how good it was over the cut-offs; for people to compare."""
    titles = {one.name: one.title for one in FORECASTERS} | {BLEND: "A mix of these, weighed by how well each did"}
    found = []
    for name in past.names:
        measured = {measure: _mean(by_origin(past, name, of)) for measure, of in MEASURES.items()}
        new = _mean(by_origin(past, name, MEASURES["MAE"], past.young))
        found.append({"name": name, "title": titles[name], "share": round(float(shares.get(name, 0.0)), 3), **measured,
                      "MAE of new items": new, "covered": _number(covered(past, name))})  # fmt: skip
    return found


def _mean(values: Table) -> float | None:
    known = values[np.isfinite(values)]
    return _number(float(known.mean())) if len(known) else None


def _number(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None


def told_of(panel: Panel, items: Sequence[str], files: Sequence[Path]) -> tuple[str, dict[str, Told]]:
    """What a trend model said of these very counts: its name and its words; nothing where it was asked about others, or never."""
    for file in files:
        try:
            said = orjson.loads(file.read_bytes())
            if said["counts"] == fingerprint(panel.windows, items):
                return str(said["model"]), {
                    item: Told(float(one["expected"]), str(one["reason"])) for item, one in said["items"].items()
                }
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # not there, or not what a training wrote: the rule speaks alone
    return "", {}


def _files(workspace: Workspace) -> list[Path]:
    """Where something may have been said: by the workspace's own training, or by the one whose words ship with the demo world."""
    return [workspace.root / MODEL_FOLDER / TOLD, SHIPPED]


def _sources(workspace: Workspace) -> dict[str, str]:
    return {f"told {place}": file_digest_as_known(file) for place, file in enumerate(_files(workspace)) if file.exists()}


TREND_STEP = Step(
    name="trends",
    title="Foretelling what rises and what fades",
    reads=("catalog", "aspects"),
    writes=(NUMBERS, ABOUT, TOLD),
    run=_foretell,
    code=("persona_core.trends",),
    sources=_sources,
)
