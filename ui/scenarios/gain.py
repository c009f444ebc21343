"""How well newcomers to a scenario are served, tested on what people truly chose, in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from persona_core.evaluation.newcomers import ALONE, WITH, WITHOUT, judged
from persona_core.workspace import Workspace
from ui.markup import Markup, el, show

TITLES = {
    WITH: "All parts of the score, with what carries over",
    WITHOUT: "The same without it",
    ALONE: "What carries over, alone",
    "taste": "Their profile from elsewhere, met by personas",
    "EASE": "What people with their past came to",
    "the same needs as elsewhere": "The very same needs as elsewhere",
    "popularity": "What most people came to",
    "random": "Chance",
}
"""What is shown, of all that was tested, in words."""
FOUND = "HR@10"


def draw(workspace: Workspace) -> None:
    st.header("How far that helps", anchor=False)
    with st.container(key="scenario_gain", gap="small"):
        found = judged(workspace)
        if not found:
            st.caption("Nobody has tried it on this data yet. This command does, in a minute or two for a small catalogue:")
            st.code(workspace.command("scenarios --judge"), language=None, wrap_lines=True)
            return
        rows = sorted((row for row in found["rows"] if row["ranker"] in TITLES), key=lambda row: -row[FOUND])
        show(el("p", said(found), cls="ps-told"), bars(rows))
        st.caption(
            "How often the thing they chose next was among the first ten of its scenario. How wishes carry over was learned from "
            "other people, and from the time before only."
        )


def said(found: Mapping[str, Any]) -> str:
    """The test and its outcome in a few sentences."""
    rows = {row["ranker"]: row for row in found["rows"]}
    told = [
        f"We took {found['people']:,} people and hid all that they had done in a scenario; then we looked for what they chose "
        f"there next, {found['cases']:,} times.",
        f"With what they carry over, it was among the first ten {_of_100(rows[WITH][FOUND])}; "
        f"without, {_of_100(rows[WITHOUT][FOUND])}; by popularity alone, {_of_100(rows['popularity'][FOUND])}.",
    ]
    if found["more"] is not None:
        gain, low, high = (f"{one:+.0%}".replace("-", "−") for one in found["more"])
        sure = "more than chance would do" if found["p"] < 0.05 else "which chance could do as well"
        told.append(f"Counting the place in the list, too, that is {gain} ({low} to {high}), {sure}.")
    return " ".join(told)


def _of_100(share: float) -> str:
    return f"in {share * 100:.0f} of 100 cases"


def bars(rows: Sequence[Mapping[str, Any]]) -> Markup:
    """One row for each way, the best first; ours is marked."""
    most, made = max(row[FOUND] for row in rows), []
    for row in rows:
        mine = row["ranker"] == WITH
        title = el("b", "◆ ", TITLES[row["ranker"]]) if mine else TITLES[row["ranker"]]
        bar = el("span", style=f"width: {100 * row[FOUND] / max(most, 1e-9):.0f}%", cls="ps-off-mine" if mine else "ps-off-other")
        made.append(el("tr", el("th", title, scope="row"), el("td", el("div", bar, cls="ps-off", aria_hidden="true")),
                       el("td", f"{row[FOUND] * 100:.0f}", cls="ps-number")))  # fmt: skip
    head = el("tr", el("th", "How it ranks", scope="col"), el("td", ""), el("th", "Of 100", scope="col"))
    return el("table", el("thead", head), el("tbody", *made), cls="ps-tested", aria_label="Found among the first ten, of 100 choices")
