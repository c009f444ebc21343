"""Rows of a table, or lines, that are made into things only when they are asked for: millions of things would take gigabytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, Self, TypeVar, overload

import pyarrow as pa

Made = TypeVar("Made")
AT_ONCE = 4096
"""So many are made at a time where all are gone through."""


def rows_by(names: Iterable[str]) -> dict[str, list[int]]:
    """At which positions each name stands."""
    found: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        found.setdefault(name, []).append(row)
    return found


class Columns(Sequence[Made], Generic[Made]):
    """Things by row. `make` is a function of a module: it may have to be pickled."""

    def __init__(self, table: pa.Table, make: Callable[[Mapping[str, Any]], Made], rows: Sequence[int] | None = None) -> None:
        self.table = table
        self._make = make
        self._rows = rows
        """Which of the table's these are; None for all."""

    @classmethod
    def of(cls, table: pa.Table, make: Callable[[Mapping[str, Any]], Made]) -> Self:
        """Each column as one piece, so that a row is found at once; a text column's may be larger than 2 GB."""
        wide = [pa.field(one.name, pa.large_string() if one.type == pa.string() else one.type) for one in table.schema]
        return cls(table.cast(pa.schema(wide)).combine_chunks(), make)

    def some(self, rows: Sequence[int]) -> Self:
        """Those at these positions."""
        return type(self)(self.table, self._make, rows if self._rows is None else [self._rows[row] for row in rows])

    def column(self, name: str) -> list[Any]:
        """What all of them have under this name, without making them."""
        found: list[Any] = self._part(range(len(self))).column(name).to_pylist()
        return found

    def __len__(self) -> int:
        return self.table.num_rows if self._rows is None else len(self._rows)

    def __iter__(self) -> Iterator[Made]:
        for start in range(0, len(self), AT_ONCE):
            yield from map(self._make, self._part(range(start, min(start + AT_ONCE, len(self)))).to_pylist())

    @overload
    def __getitem__(self, row: int) -> Made: ...
    @overload
    def __getitem__(self, row: slice) -> Self: ...
    def __getitem__(self, row: int | slice) -> Made | Self:
        places = range(len(self))[row]
        return self.some(places) if isinstance(places, range) else self._make(self._part(range(places, places + 1)).to_pylist()[0])

    def _part(self, places: range) -> pa.Table:
        if self._rows is None:
            return self.table.slice(places.start, len(places))
        return self.table.take(pa.array(self._rows[places.start : places.stop], pa.int64()))

    def __reduce__(self) -> tuple[type[Self], tuple[pa.Table, Callable[[Mapping[str, Any]], Made]]]:
        """On their way to others they take along no more than themselves."""
        own = self.table if self._rows is None else self._part(range(len(self)))
        return type(self), (own, self._make)


class Named(Mapping[str, Made], Generic[Made]):
    """The same by a name that each has."""

    def __init__(self, things: Columns[Made], name: str) -> None:
        self._things = things
        self._rows = {name: row for row, name in enumerate(things.column(name))}

    def __getitem__(self, name: str) -> Made:
        return self._things[self._rows[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


class Lines(Sequence[Made], Generic[Made]):
    """Things as the lines of a file."""

    def __init__(self, lines: Sequence[bytes], make: Callable[[bytes], Made]) -> None:
        self._lines = lines
        self._make = make

    def __len__(self) -> int:
        return len(self._lines)

    @overload
    def __getitem__(self, row: int) -> Made: ...
    @overload
    def __getitem__(self, row: slice) -> Self: ...
    def __getitem__(self, row: int | slice) -> Made | Self:
        return type(self)(self._lines[row], self._make) if isinstance(row, slice) else self._make(self._lines[row])
