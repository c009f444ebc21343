"""Gradient boosting over all items at once: trees on the signals, the last windows and the season."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from persona_core.trends.features import examples, features
from persona_core.trends.forecasters import MovingAverage
from persona_core.trends.panel import Panel
from persona_core.trends.windows import Table

FEWEST = 200
"""With fewer examples than this trees learn nothing; the moving average speaks instead."""


@dataclass(frozen=True, slots=True)
class Boosting:
    name: str = "boosting"
    title: str = "Trees that learned from all items"
    seed: int = 7

    def expected(self, panel: Panel) -> Table:
        from sklearn.ensemble import HistGradientBoostingRegressor
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # comes with scikit-learn

        learned = examples(panel)
        if len(learned.rows) < FEWEST:
            return MovingAverage().expected(panel)
        with threadpool_limits(1):
            model = HistGradientBoostingRegressor(
                max_iter=120, learning_rate=0.06, max_leaf_nodes=15, min_samples_leaf=30, l2_regularization=1.0,
                random_state=self.seed, early_stopping=False,
            )  # fmt: skip
            told = ~np.isnan(learned.rows).all(0)  # the library fails on a column of nothing
            model.fit(learned.rows[:, told], learned.targets)
            found: Table = np.expm1(np.maximum(model.predict(features(panel)[:, told]), 0.0))
        return np.where(panel.windows.known, found, 0.0)  # nothing was learned of items that nobody had met
