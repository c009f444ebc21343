"""From a built catalogue to what forecasters are given: the windows, what reviewers said in them, and the items' own texts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from persona_core.catalog.store import Catalog
from persona_core.ranking.interactions import Interactions
from persona_core.ranking.steps import interactions_in
from persona_core.schema import Item, Sentiment
from persona_core.text.encoder import BaseEncoder, Matrix
from persona_core.trends.panel import Panel
from persona_core.trends.windows import Windows, Word, windows_of, with_said

WIDTH = 384
MOST_READ = 20_000
"""In a larger catalogue no item's text is read: new items go by their scenario alone."""
LONGEST = 400


def panel_of(
    catalog: Catalog, aspects: pd.DataFrame | None = None, *, end: int | None = None, word: Word | None = None,
    told: Callable[[int], None] = lambda done: None,
) -> Panel:  # fmt: skip
    """Everything up to the cut-off; without one, up to the midnight after the last interaction."""
    items = catalog.all_items()
    interactions = interactions_in(catalog)
    windows = windows_of(interactions, end, word)
    if aspects is not None and len(aspects):
        windows = _with_aspects(windows, catalog, interactions, aspects)
    groups, scenarios = pd.factorize(np.array([one.scenario for one in items], dtype=object), sort=True)
    return Panel(windows, groups.astype(np.int32), tuple(map(str, scenarios)), _read(items, told))


SAID = ("review_id", "item_id", "sentiment")
"""What of the aspects is looked at."""


def _with_aspects(windows: Windows, catalog: Catalog, interactions: Interactions, aspects: pd.DataFrame) -> Windows:
    reviews = catalog.reviews(["review_id", "time"]).set_index("review_id")["time"]
    time = reviews.reindex(aspects["review_id"]).astype("datetime64[s, UTC]").astype("int64").to_numpy()
    code = pd.Index(interactions.items).get_indexer(pd.Index(aspects["item_id"]))
    praise = (aspects["sentiment"] == Sentiment.POSITIVE.value).to_numpy(bool)
    return with_said(windows, code.astype(np.int32), time, praise)


def _read(items: list[Item], told: Callable[[int], None]) -> Matrix:
    if len(items) > MOST_READ:
        return np.zeros((len(items), WIDTH), np.float32)
    texts = [f"{one.title}. {one.description}".strip(". ")[:LONGEST] for one in items]
    found = np.zeros((len(items), WIDTH), np.float32)
    some = [place for place, text in enumerate(texts) if text]
    found[some] = BaseEncoder().topics([texts[place] for place in some], told)
    return found
