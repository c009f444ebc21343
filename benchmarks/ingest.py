"""How fast reviews are read and what memory that takes, beside a plain pandas read of the same file."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd

from benchmarks.harness import alone, options_of, report, report_alone
from persona_core.catalog.ingest import ingest
from persona_core.catalog.readers import detect
from persona_core.settings import SourceSettings

FULL, QUICK = 2_000_000, 100_000
PHRASE = (
    "the pan handle is loose but it boils fast and my sister took hers camping in the rain for a week then said never again "
    "love how light this feels in the bag chapter nine dragged a little though the ending made up for it"
)


def reviews(rows: int, seed: int) -> Iterator[dict[str, Any]]:
    """Reviews of about the length and shape of real ones; a hundredth of them cannot be used."""
    rng = Random(seed)  # nosec B311 # seeded on purpose
    sentences = [" ".join(rng.choices(PHRASE.split(), k=rng.randrange(6, 40))) for _ in range(5000)]
    for row in range(rows):
        yield {
            "overall": 9.0 if row % 100 == 99 else float(rng.randrange(1, 6)),
            "verified": True,
            "reviewerID": f"A{rng.randrange(rows // 8):012d}",
            "asin": f"B{rng.randrange(rows // 20):09d}",
            "reviewerName": f"Reader {rng.randrange(9999)}",
            "reviewText": f"{sentences[rng.randrange(5000)]}. {sentences[rng.randrange(5000)]}. {row}",
            "summary": "as it says",
            "unixReviewTime": 1_300_000_000 + rng.randrange(300_000_000),
        }


def write_files(folder: Path, rows: int, seed: int) -> list[tuple[str, Path, list[str]]]:
    """(form, file, flags of `ingest`) for each form that is measured."""
    plain, packed, table = folder / "amazon.json", folder / "amazon.json.gz", folder / "table.csv"
    newer, columnar = folder / "amazon2023.jsonl", folder / "table.parquet"
    with plain.open("w") as one, newer.open("w") as two, table.open("w", newline="") as three:
        writer = csv.writer(three)
        writer.writerow(["user", "item", "stars", "when", "words"])
        for row in reviews(rows, seed):
            one.write(json.dumps(row) + "\n")
            modern = {
                "user_id": row["reviewerID"], "parent_asin": row["asin"], "asin": row["asin"], "rating": row["overall"],
                "timestamp": row["unixReviewTime"] * 1000, "text": row["reviewText"], "title": "t", "images": [],
                "helpful_vote": 0, "verified_purchase": True,
            }  # fmt: skip
            two.write(json.dumps(modern) + "\n")
            writer.writerow([row["reviewerID"], row["asin"], row["overall"], row["unixReviewTime"], row["reviewText"]])
    with plain.open("rb") as source, gzip.open(packed, "wb", compresslevel=3) as target:
        shutil.copyfileobj(source, target)
    pd.read_csv(table).to_parquet(columnar)
    mapping = ["user=user", "item=item", "rating=stars", "time=when", "text=words"]
    return [
        ("amazon-2018", plain, []),
        ("amazon-2018 gzipped", packed, []),
        ("amazon-2023", newer, []),
        ("table, CSV", table, mapping),
        ("table, Parquet", columnar, mapping),
    ]


def ours(file: Path, mapping: list[str]) -> int:
    columns = dict(pair.split("=") for pair in mapping)
    with tempfile.TemporaryDirectory() as folder:
        source = SourceSettings(reader=detect(file, bool(columns)), path=file, columns=columns)
        counts = ingest(source, Path(folder), lambda *_: None)
    return int(counts["reviews"]) + int(counts["rejected"])


def plain_pandas(file: Path) -> int:
    if file.suffix == ".parquet":
        return len(pd.read_parquet(file))
    return len(pd.read_csv(file) if file.suffix == ".csv" else pd.read_json(file, lines=True))


def main() -> None:
    options = options_of("ingest", __doc__ or "")
    rows = QUICK if options.quick else FULL
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for form, file, mapping in write_files(Path(folder), rows, options.seed):
            mine = alone("benchmarks.ingest", "ours", str(file), *mapping)
            theirs = alone("benchmarks.ingest", "pandas", str(file))
            if mine.result != rows or theirs.result != rows:
                raise RuntimeError(f"{form}: {rows} rows were written, {mine.result} and {theirs.result} read")
            found.append(
                {
                    "form": form,
                    "rows": rows,
                    "MB": file.stat().st_size / 2**20,
                    "ours rows/s": round(rows / mine.seconds),
                    "ours peak MB": round(mine.peak_mb),
                    "pandas rows/s": round(rows / theirs.seconds),
                    "pandas peak MB": round(theirs.peak_mb),
                }
            )
    notes = [
        "ours: read, judged, duplicates and impossible rows refused and logged, Parquet written (items and users too).",
        "pandas: the plain read alone, everything in memory, nothing judged, nothing written.",
    ]
    report("ingest", options, found, ["pandas", "pyarrow", "orjson"], notes)


if __name__ == "__main__":
    if sys.argv[1:2] == ["ours"]:
        report_alone(lambda: ours(Path(sys.argv[2]), sys.argv[3:]))
    elif sys.argv[1:2] == ["pandas"]:
        report_alone(lambda: plain_pandas(Path(sys.argv[2])))
    else:
        main()
