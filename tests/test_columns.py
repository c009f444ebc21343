"""Things held as columns are the things themselves to whoever looks at them."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pytest

from persona_core import columns
from persona_core.columns import Columns, Named, rows_by

ROWS = [{"name": f"n{number}", "size": number, "text": "é" * number} for number in range(10)]


def made(row: Mapping[str, Any]) -> tuple[str, int, str]:
    return row["name"], row["size"], row["text"]


WHOLE = [made(row) for row in ROWS]


@pytest.fixture
def things(monkeypatch: pytest.MonkeyPatch) -> Columns[tuple[str, int, str]]:
    monkeypatch.setattr(columns, "AT_ONCE", 3)
    table = pa.concat_tables([pa.Table.from_pylist(ROWS[:4]), pa.Table.from_pylist(ROWS[4:])])
    return Columns.of(table, made)


def test_they_are_a_sequence_like_any_other(things: Columns[tuple[str, int, str]]) -> None:
    assert list(things) == WHOLE
    assert [things[row] for row in (0, 7, -1)] == [WHOLE[row] for row in (0, 7, -1)]
    assert list(things[2:9:3]) == WHOLE[2:9:3]
    assert things.column("size") == list(range(10))
    with pytest.raises(IndexError):
        things[10]


def test_some_of_some_of_them(things: Columns[tuple[str, int, str]]) -> None:
    some = things.some([9, 1, 4, 1]).some([3, 0, 2])
    assert (len(some), list(some)) == (3, [WHOLE[row] for row in (1, 9, 4)])
    assert some.column("name") == ["n1", "n9", "n4"]
    assert some[1] == WHOLE[9]
    assert list(things.some(())) == []


def test_they_take_along_no_more_than_themselves(things: Columns[tuple[str, int, str]]) -> None:
    some = pickle.loads(pickle.dumps(things.some([8, 2])))
    assert list(some) == [WHOLE[8], WHOLE[2]]
    assert some.table.num_rows == 2


def test_by_name(things: Columns[tuple[str, int, str]]) -> None:
    named = Named(things, "name")
    assert named["n5"] == WHOLE[5]
    assert named.get("n10") is None
    assert dict(named) == {one[0]: one for one in WHOLE}
    assert rows_by("abca") == {"a": [0, 3], "b": [1], "c": [2]}
