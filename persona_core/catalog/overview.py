"""What a catalogue holds, at a glance: the numbers and voices of the start page, small enough to read at once."""

from __future__ import annotations

from typing import Any

import orjson
import pandas as pd

from persona_core.catalog import store
from persona_core.files import write_json
from persona_core.pipeline import Counts, Step, StepContext
from persona_core.workspace import Workspace

FILE = "overview.json"
VOICES_A_SCENARIO = 3
VOICE_LENGTH = (70, 260)


def overview_of(workspace: Workspace) -> dict[str, Any]:
    """The finished overview of a workspace."""
    found: dict[str, Any] = orjson.loads(workspace.artefact("overview").file(FILE).read_bytes())
    return found


def describe(items: pd.DataFrame, users: pd.DataFrame, reviews: pd.DataFrame) -> dict[str, Any]:
    """Totals, scenarios, months and a few readable voices."""
    joined = reviews.merge(items[["item_id", "scenario", "title", "maker"]], on="item_id")
    scenarios_of_user = joined.groupby("user_id")["scenario"].nunique()
    return {
        "items": len(items),
        "users": len(users),
        "reviews": len(reviews),
        "texts": int((reviews["text"] != "").sum()),
        "users_in_two_or_more": int((scenarios_of_user >= 2).sum()),
        "first": reviews["time"].min().isoformat(),
        "last": reviews["time"].max().isoformat(),
        "scenarios": _scenarios(items, joined),
        "months": _months(joined),
        "voices": _voices(joined, users),
    }


def _scenarios(items: pd.DataFrame, joined: pd.DataFrame) -> list[dict[str, Any]]:
    sizes = items.groupby("scenario").size()
    return [
        {
            "name": name,
            "items": int(sizes[name]),
            "users": int(group["user_id"].nunique()),
            "reviews": len(group),
            "texts": int((group["text"] != "").sum()),
            "rating": None if group["rating"].isna().all() else round(float(group["rating"].mean()), 2),
        }
        for name, group in joined.groupby("scenario", sort=True)
    ]


def _months(joined: pd.DataFrame) -> list[dict[str, Any]]:
    month = joined["time"].dt.strftime("%Y-%m")
    counts = joined.groupby([month, "scenario"]).size()
    return [{"month": month, "scenario": scenario, "reviews": int(n)} for (month, scenario), n in counts.items()]


def _voices(joined: pd.DataFrame, users: pd.DataFrame) -> list[dict[str, Any]]:
    """The latest reviews of a quotable length, one an item, a praising and a critical one in turn."""
    length = joined["text"].str.len()
    quotable = joined[length.between(*VOICE_LENGTH) & joined["rating"].notna()].sort_values(["time", "review_id"])
    quotable = quotable.merge(users, on="user_id").drop_duplicates("item_id", keep="last")
    voices = []
    for _, group in quotable.groupby("scenario", sort=True):
        pleased, critical = group[group["rating"] >= 4], group[group["rating"] <= 3]
        chosen = pd.concat([pleased.tail(VOICES_A_SCENARIO - 1), critical.tail(1)])
        voices += [
            {key: row[key] for key in ("review_id", "scenario", "title", "maker", "name", "text")} | {"rating": float(row["rating"])}
            for row in chosen.to_dict("records")
        ]
    return voices


def _run(context: StepContext) -> Counts:
    catalog = store.Catalog.of(context.inputs["catalog"])
    found = describe(catalog.items(), catalog.users(), catalog.reviews())
    write_json(context.file(FILE), found)
    return {"scenarios": len(found["scenarios"]), "voices": len(found["voices"])}


OVERVIEW = Step(
    name="overview",
    title="Taking stock",
    reads=("catalog",),
    writes=(FILE,),
    run=_run,
    code=("persona_core.catalog.overview",),
)
