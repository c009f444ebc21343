"""What a catalogue counts, drops and refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from persona_core.catalog import Catalog
from persona_core.catalog.choose import choose_source
from persona_core.catalog.store import reject_reasons
from persona_core.errors import PersonaError, SettingsError, SourceError
from persona_core.pipeline import in_words
from persona_core.steps import pipeline_of
from persona_core.workspace import Workspace
from tests.support import worlds

BAD_ROWS = ['{"user_id": "u1", "item', "[1, 2]", json.dumps({"review_id": "r0", "user_id": "u9", "item_id": "i0", "rating": 3,
                                                               "time": "2025-03-01", "text": "again"})]  # fmt: skip


def ingested(place: Workspace, source: Path, **options: Any) -> Catalog:
    choose_source(place, str(source), **options)
    pipeline_of(place).build("catalog")
    return Catalog.of(place.artefact("catalog"))


def counts_of(place: Workspace) -> dict[str, Any]:
    return place.artefact("catalog").manifest.counts


def test_counts_what_is_kept_and_what_is_refused(tiny_world: Path, workspace: Workspace) -> None:
    with (tiny_world / "reviews.jsonl").open("a") as file:
        file.write("\n".join(BAD_ROWS) + "\n")
    catalog = ingested(workspace, tiny_world)
    counts = counts_of(workspace)
    assert (counts["items"], counts["users"], counts["reviews"], counts["with text"]) == (6, 8, 40, 20)
    assert reject_reasons(counts) == {"bad JSON": 1, "duplicate review id": 1, "not an object": 1}
    rejected = [json.loads(line) for line in catalog.rejected_file.read_text().splitlines()]
    assert [(row["file"], row["line"]) for row in rejected] == [("reviews.jsonl", n) for n in (41, 42, 43)]
    assert "rejected: bad JSON" not in in_words(counts)


def test_all_rows_refused_is_an_error_that_counts_the_reasons(tmp_path: Path, workspace: Workspace) -> None:
    options = worlds.table(tmp_path, "csv")
    options["columns"] = ("user=who", "item=what", "rating=when", "time=stars")
    with pytest.raises(SourceError, match="No usable review") as caught:
        ingested(workspace, Path(options.pop("source")), **options)
    assert "40 impossible date" in caught.value.why
    assert "--map" in caught.value.mend


def test_items_nobody_reviewed_are_left_out_unless_wanted(tiny_world: Path, workspace: Workspace, tmp_path: Path) -> None:
    with (tiny_world / "items.jsonl").open("a") as file:
        file.write(json.dumps({"item_id": "dusty", "scenario": "books", "title": "Dusty"}) + "\n")
    assert ingested(workspace, tiny_world).item("dusty") is None
    assert ingested(Workspace.at(tmp_path / "other"), tiny_world, keep_unreviewed=True).item("dusty") is not None


def test_an_item_without_a_title_goes_by_its_id(tiny_world: Path, workspace: Workspace) -> None:
    lines = (tiny_world / "items.jsonl").read_text().splitlines()
    (tiny_world / "items.jsonl").write_text("\n".join(lines[1:]) + "\n")
    item = ingested(workspace, tiny_world).item("i0")
    assert item is not None
    assert item.title == "i0"
    assert counts_of(workspace)["items without a title"] == 1


def test_price_bands_are_thirds_of_the_scenario(tmp_path: Path, workspace: Workspace) -> None:
    folder = worlds.write_tiny_world(tmp_path / "world")
    items = [{"item_id": f"i{n}", "scenario": "books", "title": "T", "price": n + 1.0} for n in range(6)]
    worlds.write_lines(folder / "items.jsonl", items)
    bands = ingested(workspace, folder).items().sort_values("price")["price_band"].tolist()
    assert bands == ["budget", "budget", "middle", "middle", "premium", "premium"]


def test_the_core_keeps_only_the_well_connected(tmp_path: Path, workspace: Workspace) -> None:
    reviews = ingested(workspace, worlds.write_tiny_world(tmp_path / "world", number=36), k_core=3).reviews()
    pairs = reviews.drop_duplicates(["user_id", "item_id"])
    assert pairs.groupby("user_id").size().min() >= 3
    assert pairs.groupby("item_id").size().min() >= 3
    assert counts_of(workspace)["outside the core"] + len(reviews) == 36
    assert counts_of(workspace)["outside the core"] == 4


def test_an_empty_core_says_so(tiny_world: Path, workspace: Workspace) -> None:
    with pytest.raises(SourceError, match="50-core"):
        ingested(workspace, tiny_world, k_core=50)


def test_reviews_of_one_item_are_whole_and_typed(tiny_world: Path, workspace: Workspace) -> None:
    catalog = ingested(workspace, tiny_world)
    found = catalog.reviews_of("i1")
    assert found
    assert {review.item_id for review in found} == {"i1"}
    assert len(found) == (catalog.reviews(["item_id"])["item_id"] == "i1").sum()


def test_other_data_does_not_slip_into_a_workspace(tiny_world: Path, tmp_path: Path, workspace: Workspace) -> None:
    ingested(workspace, tiny_world)
    other = worlds.write_tiny_world(tmp_path / "other", number=30)
    with pytest.raises(PersonaError, match="already holds other data") as caught:
        ingested(workspace, other)
    assert "--replace" in caught.value.mend
    assert len(ingested(workspace, other, replace=True).reviews()) == 30


@pytest.mark.parametrize("column", ["user", "=who", "user="])
def test_a_mapping_that_is_none_is_refused(column: str, tmp_path: Path, workspace: Workspace) -> None:
    options = worlds.table(tmp_path, "csv")
    with pytest.raises(SourceError, match="not understood"):
        choose_source(workspace, options["source"], columns=(column,))


def test_a_scale_the_wrong_way_round_is_refused(tiny_world: Path, workspace: Workspace) -> None:
    with pytest.raises(SettingsError, match="rating-scale"):
        choose_source(workspace, str(tiny_world), rating_scale=(5.0, 1.0))


def test_many_batches_are_one_catalogue(tiny_world: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("persona_core.catalog.cleaning.BATCH", 7)
    catalog = ingested(workspace, tiny_world)
    assert pq.ParquetFile(catalog.reviews_file).num_row_groups == 6
    assert catalog.reviews()["review_id"].tolist() == [f"r{n}" for n in range(40)]
