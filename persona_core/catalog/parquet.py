"""Opens Parquet files that strangers made: measured before they are unpacked, and every complaint of the library in our own words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from persona_core.errors import SourceError

ROWS_AT_ONCE = 1_000
LONGEST_FOOTER = 4 * 2**20
"""Bytes and names in what the file says of itself; a table of a thousand columns needs a tenth of it."""


@contextmanager
def parquet_errors(called: str) -> Iterator[None]:
    """A file that is cut off or made up makes the library say many things; they all mean this."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, OverflowError, MemoryError, RecursionError) as error:
        why = (str(error).splitlines() or [""])[0][:300]
        raise SourceError(
            f"{called} is not a readable Parquet file.", why=why, mend="fetch it again, or save it as CSV with UTF-8"
        ) from error


def opened_table(source: Path | IO[bytes], called: str, lengths: tuple[str, ...] = ()) -> pq.ParquetFile:
    """The file, of which only the footer was read; columns in `lengths` come as numbers into a list of their different texts."""
    limits = {"thrift_string_size_limit": LONGEST_FOOTER, "thrift_container_size_limit": LONGEST_FOOTER}
    with parquet_errors(called):
        return pq.ParquetFile(source, read_dictionary=list(lengths), **limits)


def measured(source: Path | IO[bytes], called: str, most_rows: int, most_bytes: int) -> tuple[int, int]:
    """Rows, and the bytes that they take unpacked, counted until one of the bounds is passed.

    What a file says of itself may be a lie, and a text that is kept once may stand in a million rows: so they are counted, by the
    lengths of the texts, without one of them being written out.
    """
    with parquet_errors(called):
        schema = opened_table(source, called).schema_arrow
        texts = tuple(one.name for one in schema if pa.types.is_string(one.type) or pa.types.is_binary(one.type))
        nested = any(pa.types.is_nested(one.type) for one in schema)
        table = opened_table(source, called, texts)
        rows = size = 0
        for batch in table.iter_batches(batch_size=ROWS_AT_ONCE // 50 if nested else ROWS_AT_ONCE):
            rows += batch.num_rows
            size += sum(_unpacked(column) for column in batch.columns)
            if rows > most_rows or size > most_bytes:
                break
        return rows, size


def _unpacked(column: pa.Array) -> int:
    if not isinstance(column, pa.DictionaryArray):
        return int(column.nbytes)
    lengths = pc.binary_length(column.dictionary)
    return int(pc.sum(lengths.take(column.indices)).as_py() or 0)


def rows_of(table: pq.ParquetFile, names: list[str], called: str, at_once: int = ROWS_AT_ONCE) -> Iterator[list[list[Any]]]:
    """The named columns, a batch at a time, as Python's own values."""
    batches = table.iter_batches(batch_size=at_once, columns=names)
    while True:
        with parquet_errors(called):
            batch = next(batches, None)
            if batch is None:
                return
            columns = [batch.column(name).to_pylist() for name in names]
        yield columns
