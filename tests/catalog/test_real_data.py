"""The real data sets are read whole, where they are at hand: `PERSONASCOPE_DATA` names the folder that holds them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from persona_core.catalog.choose import choose_source
from persona_core.steps import pipeline_of
from persona_core.workspace import Workspace

SETS: dict[str, tuple[str, dict[str, Any], dict[str, int]]] = {
    "ml-100k": ("ml-100k", {}, {"reviews": 100_000, "users": 943, "items": 1_682, "rejected": 0}),
    "all-beauty": ("all-beauty/All_Beauty_5.json.gz", {}, {"users": 991, "items": 85}),
    "steam": (
        "steam/reviews.jsonl.gz",
        {
            "columns": ("user=user_id", "item=item_id", "rating=recommend", "time=date", "text=text", "item.item=item_id",
                        "item.title=title", "item.maker=developer", "item.price=price"),
            "items": "steam/items.jsonl.gz",
        },
        {"rejected: no date": 11, "users": 16_695, "items": 2_293},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SETS)
def test_reads_a_real_set(name: str, workspace: Workspace) -> None:
    folder = Path(os.environ.get("PERSONASCOPE_DATA", "../shared/data"))
    path, options, expected = SETS[name]
    if not (folder / path).exists():
        pytest.skip(f"{folder / path} is not here; set PERSONASCOPE_DATA to the folder that has it")
    options = {key: folder / value if isinstance(value, str) else value for key, value in options.items()}
    choose_source(workspace, str(folder / path), **options)
    for step in ("catalog", "splits", "overview"):
        pipeline_of(workspace).build(step)
    counts = workspace.artefact("catalog").manifest.counts
    assert {key: counts.get(key) for key in expected} == expected
