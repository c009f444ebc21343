"""Data from elsewhere: files of reviews in every form that is read, and what is uploaded in the Workshop."""

from __future__ import annotations

import io
import tempfile
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from persona_core.catalog.choose import choose_source
from persona_core.catalog.ingest import ingest
from persona_core.workspace import Workspace
from tests.safety.doors import Target
from tests.support.odd import ODD_TEXTS, mutated, odd_lines
from tests.support.worlds import FORMS
from ui.workshop.uploads import look_at, suffix_of

Files = dict[str, bytes]


@cache
def _good(form: str) -> tuple[Files, dict[str, Any]]:
    """A good data set of the form: its files, and how it is named to the reader, as paths in its folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        options = FORMS[form](folder)
        files = {str(one.relative_to(folder)): one.read_bytes() for one in sorted(folder.rglob("*")) if one.is_file()}
        inside = {key: str(Path(value).relative_to(folder)) for key, value in options.items() if key in ("source", "items")}
        return files, options | inside


@st.composite
def _data_sets(draw: st.DrawFn, form: str) -> Files:
    files = dict(_good(form)[0])
    for name in draw(st.lists(st.sampled_from(sorted(files)), min_size=1, max_size=2, unique=True)):
        content = files[name]
        as_lines = form in ("demo", "yelp", "amazon-2023") and draw(st.booleans())
        files[name] = draw(odd_lines(content) if as_lines else mutated(content))
    return files


def _read(files: Files, folder: Path, form: str) -> None:
    for name, content in files.items():
        file = folder / "in" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    _built_from(_good(form)[1], folder)


def _built_from(options: dict[str, Any], folder: Path) -> None:
    given = {key: folder / "in" / value if key == "items" else value for key, value in options.items() if key != "source"}
    place = Workspace.at(folder / "workspace")
    choose_source(place, str(folder / "in" / options["source"]), **given)
    source = place.settings.source
    assert source is not None
    (folder / "out").mkdir()
    ingest(source, folder / "out", lambda *_: None)


GOOD: dict[str, tuple[Any, Any]] = {
    "who": (pa.string(), "u1"), "what": (pa.int64(), 7), "when": (pa.timestamp("ms"), 1_735_689_600_000), "stars": (pa.float64(), 4.0),
}  # fmt: skip


@st.composite
def _odd_parquet(draw: st.DrawFn) -> bytes:
    """A whole Parquet file whose columns hold anything that such files can hold."""
    columns: dict[str, Any] = {}
    for name in ("who", "what", "when", "stars", "words", "called"):
        fits = name in GOOD and draw(st.booleans())
        type_, value = GOOD[name] if fits else draw(st.sampled_from(_types()))
        columns[name] = pa.array([value, None, value], type_)
    _good("table as parquet")  # how it is read, made before anybody watches
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return draw(st.just(out.getvalue()) | mutated(out.getvalue()))


def _types() -> list[tuple[Any, Any]]:
    moments = [(pa.timestamp(unit), 2**52) for unit in ("s", "ms", "us", "ns")]
    return [
        (pa.string(), "u1"), (pa.string(), "2025-01-01"), (pa.string(), "9" * 5_000), (pa.binary(), b"\xff\x00"), (pa.int64(), 2**62),
        (pa.int64(), 1_735_689_600), (pa.float64(), float("inf")), (pa.float64(), 4.0), (pa.bool_(), True), (pa.date32(), 2**31 - 1),
        (pa.decimal128(30, 2), Decimal("1e20")), (pa.list_(pa.string()), ["a", "b"]), (pa.struct([("a", pa.int8())]), {"a": 1}),
        (pa.duration("s"), 5), (pa.time64("us"), 5), (pa.null(), None), (pa.dictionary(pa.int8(), pa.string()), "u1"), *moments,
    ]  # fmt: skip


def _look(example: tuple[str, bytes], folder: Path) -> None:
    """What the Workshop does with an upload, before anything is built from it."""
    name, content = example
    file = folder / f"reviews-0{suffix_of(name)}"
    file.write_bytes(content)
    looked = look_at(file, bounded=True)
    assert len(looked.columns) >= 0
    assert all(isinstance(cell, str) for row in looked.rows for cell in row)


@st.composite
def _uploads(draw: st.DrawFn) -> tuple[str, bytes]:
    form = draw(st.sampled_from(["table as csv", "table as tsv", "table as gzipped jsonl", "table as parquet", "amazon-2018 gzipped"]))
    files = _good(form)[0]
    name = draw(st.sampled_from(sorted(files)))
    content = draw(_odd_parquet()) if form == "table as parquet" and draw(st.booleans()) else draw(mutated(files[name]))
    return (draw(ODD_TEXTS) if not draw(st.integers(0, 9)) else f"../{name}"), content


DATA = (
    *(Target(f"reader: {form}", partial(_data_sets, form), partial(_read, form=form)) for form in FORMS),
    Target("reader: parquet of any types", _odd_parquet, lambda raw, folder: _read({"shop.parquet": raw}, folder, "table as parquet")),
    Target("upload looked at", _uploads, _look, 50),
)
