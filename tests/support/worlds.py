"""Small data sets in every form that can be read, and workspaces built from them."""

from __future__ import annotations

import csv
import gzip
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd

from persona_core.catalog.choose import choose_source
from persona_core.catalog.steps import CATALOG, SPLIT
from persona_core.errors import WorkspaceBusy
from persona_core.pipeline import Pipeline
from persona_core.steps import pipeline_of
from persona_core.workspace import Workspace

START = datetime(2025, 1, 1, tzinfo=UTC)
SCENARIOS = ("books", "kitchen", "outdoors")


def build_from(source: Path, root: Path) -> Workspace:
    """A workspace with all steps built; waits while another process builds it."""
    place = Workspace.at(root)
    while True:
        try:
            choose_source(place, str(source))
            pipeline_of(place).build()
        except WorkspaceBusy:
            time.sleep(0.5)
        else:
            return place


def read_source(folder: Path, rows: list[dict[str, Any]], place: Workspace | None = None) -> Workspace:
    """A workspace with a catalogue of these reviews and its splits, and nothing more."""
    if not folder.exists():
        write_tiny_world(folder)
    write_lines(folder / "reviews.jsonl", rows)
    place = place or Workspace.at(folder.with_name(f"{folder.name}-workspace"))
    choose_source(place, str(folder))
    Pipeline((CATALOG, SPLIT), place).build()
    return place


def tiny_reviews(users: int = 8, items: int = 6, number: int = 40) -> list[dict[str, Any]]:
    rng = Random(1)
    return [
        {
            "review_id": f"r{n}",
            "user_id": f"u{n % users}",
            "item_id": f"i{rng.randrange(items)}",
            "rating": rng.randrange(1, 6),
            "time": (START + timedelta(days=n, hours=rng.randrange(24))).isoformat(),
            "text": f"Number {n}. It did what I bought it for, on the whole, and then the handle came off in my hand."
            if n % 2 == 0
            else "",
        }
        for n in range(number)
    ]


def write_tiny_world(folder: Path, number: int = 40) -> Path:
    folder.mkdir(parents=True)
    items = [
        {
            "item_id": f"i{n}",
            "scenario": SCENARIOS[n % 3],
            "title": f"Thing {n}",
            "maker": f"Maker {n % 2}",
            "description": "A thing.",
            "price": 10.0 + n,
            "attributes": {"colour": "green"},
        }
        for n in range(6)
    ]
    write_lines(folder / "items.jsonl", items)
    write_lines(folder / "users.jsonl", [{"user_id": f"u{n}", "name": f"User {n}"} for n in range(8)])
    write_lines(folder / "reviews.jsonl", tiny_reviews(number=number))
    return folder


def write_lines(path: Path, rows: list[Any]) -> Path:
    """JSON lines; a row that is text is written as it is. Gzipped if the name says so."""
    text = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def _seconds(row: dict[str, Any]) -> int:
    return int(datetime.fromisoformat(row["time"]).timestamp())


def amazon_2018(folder: Path, packed: bool = False) -> dict[str, Any]:
    rows = [
        {"reviewerID": r["user_id"], "asin": r["item_id"], "overall": float(r["rating"]), "unixReviewTime": _seconds(r),
         "reviewText": r["text"], "reviewerName": r["user_id"].upper(), "verified": True}
        for r in tiny_reviews()
    ]  # fmt: skip
    meta = [
        {
            "asin": "i0",
            "title": "Brush",
            "brand": "Maker",
            "price": "$1,204.50",
            "description": ["Soft."],
            "category": ["A", "B"],
        },
        {"asin": "i1", "title": "Soap", "price": ""},
        {"title": "no id"},
    ]
    end = ".json.gz" if packed else ".json"
    file = write_lines(folder / f"All_Beauty_5{end}", rows)
    return {"source": str(file), "items": write_lines(folder / f"meta_All_Beauty{end}", meta)}


def amazon_2023(folder: Path) -> dict[str, Any]:
    rows = [
        {"user_id": r["user_id"], "parent_asin": r["item_id"], "asin": "variant", "rating": float(r["rating"]),
         "timestamp": _seconds(r) * 1000 + 7, "text": r["text"], "title": "t", "verified_purchase": True}
        for r in tiny_reviews()
    ]  # fmt: skip
    meta = [
        {"parent_asin": "i0", "title": "Brush", "store": "Maker", "price": 12.5, "main_category": "All Beauty",
         "description": ["Soft."], "features": [], "details": {"Brand": "Maker"}, "categories": ["A"]}
    ]  # fmt: skip
    return {
        "source": str(write_lines(folder / "All_Beauty.jsonl", rows)),
        "items": write_lines(folder / "meta_All_Beauty.jsonl", meta),
    }


def yelp(folder: Path) -> dict[str, Any]:
    rows = [
        {"review_id": r["review_id"], "user_id": r["user_id"], "business_id": r["item_id"], "stars": r["rating"],
         "date": r["time"][:19].replace("T", " "), "text": r["text"], "useful": 0}
        for r in tiny_reviews()
    ]  # fmt: skip
    business = [
        {"business_id": "i0", "name": "Brush & Co", "city": "Reno", "state": "NV", "categories": "Cafes, Soup",
         "attributes": {"RestaurantsPriceRange2": "2"}}
    ]  # fmt: skip
    write_lines(folder / "yelp_academic_dataset_review.json", rows)
    write_lines(folder / "yelp_academic_dataset_business.json", business)
    write_lines(folder / "yelp_academic_dataset_user.json", [{"user_id": "u0", "name": "Uma"}])
    return {"source": str(folder)}


def recbole(folder: Path) -> dict[str, Any]:
    lines = ["user_id:token\titem_id:token\trating:float\ttimestamp:float"]
    lines += [f"{r['user_id']}\t{r['item_id']}\t{r['rating']}\t{_seconds(r)}" for r in tiny_reviews()]
    (folder / "ml.inter").write_text("\n".join(lines) + "\n")
    (folder / "ml.item").write_text(
        "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\ni0\tBrush\t1995\tDrama\n"
    )
    return {"source": str(folder)}


def movielens(folder: Path) -> dict[str, Any]:
    lines = ["userId,movieId,rating,timestamp"]
    lines += [f"{r['user_id']},{r['item_id']},{r['rating']},{_seconds(r)}" for r in tiny_reviews()]
    (folder / "ratings.csv").write_text("\n".join(lines) + "\n")
    (folder / "movies.csv").write_text('movieId,title,genres\ni0,"Brush, The (1995)",Drama|Comedy\n')
    return {"source": str(folder)}


MAPPING = ("user=who", "item=what", "rating=stars", "time=when", "text=words", "user_name=called")


def table(folder: Path, form: str) -> dict[str, Any]:
    rows = [
        {"who": r["user_id"], "what": r["item_id"], "stars": r["rating"], "when": r["time"], "words": r["text"],
         "called": r["user_id"].upper()}
        for r in tiny_reviews()
    ]  # fmt: skip
    file = folder / f"shop.{form}"
    if form == "parquet":
        pd.DataFrame(rows).to_parquet(file)
    elif form in ("csv", "tsv"):
        with file.open("w", newline="") as out:
            writer = csv.DictWriter(out, list(rows[0]), delimiter="\t" if form == "tsv" else ",")
            writer.writeheader()
            writer.writerows(rows)
    else:
        write_lines(file, rows)
    return {"source": str(file), "columns": MAPPING}


FORMS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "demo": lambda folder: {"source": str(write_tiny_world(folder / "world"))},
    "amazon-2018": amazon_2018,
    "amazon-2018 gzipped": partial(amazon_2018, packed=True),
    "amazon-2023": amazon_2023,
    "yelp": yelp,
    "recbole": recbole,
    "movielens": movielens,
    "table as csv": partial(table, form="csv"),
    "table as tsv": partial(table, form="tsv"),
    "table as jsonl": partial(table, form="jsonl"),
    "table as gzipped jsonl": partial(table, form="jsonl.gz"),
    "table as parquet": partial(table, form="parquet"),
}
"""The tiny world's reviews in every form that can be read; each says how it is named to the readers."""
