"""How good these forecasts are: every way of foretelling beside the others, by how far off it was on the past, in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from persona_core.trends.backtest import BLEND
from persona_core.trends.files import Trends
from ui.markup import Markup, el, joined, show
from ui.trends.seen import many

SIMPLEST = "last value"
COLUMNS = {
    "title": "How it foretells",
    "share": "Its share of the mix",
    "MAE": "People off, on average",
    "MAE of new items": "The same for new items",
    "covered": "Ranges that held",
    "RMSE of logs": "Off in proportion",
    "Spearman": "Right order (all)",
    "NDCG@20": "Right order (first 20)",
    "HR@20": "First 20 found",
}


def draw(trends: Trends) -> None:
    st.header("How good these forecasts are", anchor=False)
    ranked = best_first(trends.forecasters)
    with st.container(key="trends_tested", gap="small"):
        if not ranked or trends.goes_back < 1:
            st.caption(f"There are too few {trends.word}s yet to try them on the past, so nobody can say. Take the ranges with care.")
            return
        show(el("p", said(ranked, trends.word, trends.goes_back), cls="ps-told"))
        show(bars(ranked))
        with st.expander("All measures, and what they mean", icon=":material/straighten:"):
            _table(ranked)
            st.caption(_meaning(trends.word))


def best_first(forecasters: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those that were tried, the one that was least off first."""
    tried = [one for one in forecasters if isinstance(one.get("MAE"), int | float)]
    return sorted(tried, key=lambda one: (float(one["MAE"]), str(one["name"])))


def said(ranked: Sequence[Mapping[str, Any]], word: str, cut_offs: int) -> str:
    """The forecasts of this page beside the plainest way there is, in two or three sentences."""
    named = {str(one["name"]): one for one in ranked}
    mine, simplest = named.get(BLEND), named.get(SIMPLEST)
    if mine is None:
        return f"The best of them was {float(ranked[0]['MAE']):.1f} people off on average."
    told = [f"At each of the last {many(cut_offs, word)} we said what would come, knowing only what was known then.",
            f"On average that was {float(mine['MAE']):.1f} people off for an item."]  # fmt: skip
    if simplest is not None:
        told.append(f"Saying that the next {word} will be like the last is {float(simplest['MAE']):.1f} off.")
    if isinstance(mine.get("covered"), int | float):
        told.append(f"The likely ranges held what came in {float(mine['covered']) * 100:.0f} of 100 cases.")
    return " ".join(told)


def bars(ranked: Sequence[Mapping[str, Any]]) -> Markup:
    """One row for each: what it does, a bar as long as it was off, and by how many people. Ours is marked."""
    most = max(float(one["MAE"]) for one in ranked)
    rows = []
    for one in ranked:
        mine, off = one["name"] == BLEND, float(one["MAE"])
        title = joined(el("b", "◆ ", str(one["title"])), " (what this page shows)") if mine else joined(str(one["title"]))
        bar = el("span", style=f"width: {100 * off / max(most, 1e-9):.0f}%", cls="ps-off-mine" if mine else "ps-off-other")
        rows.append(el("tr", el("th", title, scope="row"), el("td", el("div", bar, cls="ps-off", aria_hidden="true")),
                       el("td", f"{off:.1f}", cls="ps-number")))  # fmt: skip
    head = el("tr", el("th", "How it foretells", scope="col"), el("td", ""), el("th", "People off", scope="col"))
    return el("table", el("thead", head), el("tbody", *rows), cls="ps-tested", aria_label="People off on average, the best first")


def _table(ranked: Sequence[Mapping[str, Any]]) -> None:
    frame = pd.DataFrame([{name: one.get(name) for name in COLUMNS} for one in ranked]).astype({"title": str})
    kinds: dict[str, Any] = {name: st.column_config.NumberColumn(title, format="%.2f") for name, title in COLUMNS.items()}
    kinds["title"] = st.column_config.TextColumn(COLUMNS["title"], width="large", pinned=True)
    for name in ("share", "covered", "HR@20"):
        kinds[name] = st.column_config.NumberColumn(COLUMNS[name], format="percent")
    st.dataframe(frame, hide_index=True, width="stretch", column_config=kinds, alt="Every measure of every forecaster.")


def _meaning(word: str) -> str:
    told = (
        f"Each was asked for the {word} to come at every cut-off, and told nothing of what came later.",
        "Off in proportion: a miss of 2 weighs more where 3 came than where 30 did.",
        "Right order: 1 is the very order in which items then came, 0 is none of it.",
        "First 20 found: of the 20 that drew most people, how many were named among the first 20.",
        "Ranges are meant to hold what comes in 80 of 100 cases.",
    )
    return " ".join(told)
