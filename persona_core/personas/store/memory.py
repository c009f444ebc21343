"""The exact store: all vectors in one matrix in memory, kept as safetensors and Parquet."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from persona_core.errors import ArtefactBroken, WorkspaceMissing
from persona_core.files import make_durable
from persona_core.personas.store.checks import check_encoder, check_rows, unit_query
from persona_core.personas.store.protocol import BUILD, Encoder, Hit, Matrix, StoredPersona, Vector

VECTORS, PERSONAS = "persona_vectors.safetensors", "personas_stored.parquet"
SCHEMA = pa.schema([(name, pa.string()) for name in ("id", "item_id", "scenario", "stance", "name")])

MARGIN = np.float32(1e-5)
"""More than float32 sums can be off by: what lies closer than this to the best is looked at again in float64, so that
equal vectors have equal cosines wherever in the matrix they lie."""
SLICE = 16_384

Codes = npt.NDArray[np.int32]
Rows = npt.NDArray[np.int64]


class MemoryStore:
    """Rows lie sorted by item, then persona id; so an item's personas are neighbours."""

    def __init__(self, encoder: Encoder, table: pa.Table, matrix: Matrix, mend: str = BUILD) -> None:
        self._encoder, self._table, self._matrix, self._mend = encoder, table, matrix, mend
        self._items, self._item_names = _coded(table["item_id"])
        self._scenarios, self._scenario_names = _coded(table["scenario"])
        self._stances, self._stance_names = _coded(table["stance"])
        self._starts = _starts(self._items)
        if len(self._starts) != len(self._item_names):
            raise ValueError("the rows of a store are sorted by item")
        self._item_codes = {name: code for code, name in enumerate(self._item_names)}
        self._turns = np.empty(len(table), np.int32)  # the place of each persona id among all ids: ties are settled by it
        self._turns[pc.sort_indices(table["id"]).to_numpy()] = np.arange(len(table), dtype=np.int32)
        for array in (self._matrix, self._items, self._scenarios, self._stances, self._starts, self._turns):
            array.setflags(write=False)

    @classmethod
    def of(cls, personas: Sequence[StoredPersona], matrix: Matrix, model: str, *, mend: str = BUILD) -> Self:
        """A store of these personas; row i of the matrix is persona i's vector."""
        check_rows(personas, matrix)
        order = sorted(range(len(personas)), key=lambda row: (personas[row].item_id, personas[row].id))
        columns = [pa.array([getattr(personas[row], name) for row in order], pa.string()) for name in SCHEMA.names]
        table = pa.Table.from_arrays(columns, schema=SCHEMA)
        return cls(Encoder(model, matrix.shape[1]), table, np.ascontiguousarray(matrix[order]), mend)

    @classmethod
    def open(cls, folder: Path, expected: Encoder | None = None, *, mend: str = BUILD) -> Self:
        from safetensors import SafetensorError, safe_open

        if not (folder / VECTORS).is_file() or not (folder / PERSONAS).is_file():
            raise WorkspaceMissing(f"There is no persona index in {folder}.", mend=mend)
        try:
            with safe_open(folder / VECTORS, framework="numpy") as file:
                said = file.metadata() or {}
                encoder = Encoder(*json.loads(said["encoder"]))  # one note: the order of several is left to chance
                check_encoder(encoder, expected, str(folder), mend)
                matrix = file.get_tensor("vectors")
            table = pq.read_table(folder / PERSONAS, schema=SCHEMA).combine_chunks()
            if matrix.dtype != np.float32 or matrix.shape != (len(table), encoder.dimension):
                raise ValueError(f"{matrix.dtype} vectors {matrix.shape} stand beside {len(table)} personas")
            return cls(encoder, table, matrix, mend)
        except (SafetensorError, pa.ArrowException, OSError, KeyError, ValueError) as error:
            raise ArtefactBroken(
                f"The persona index in {folder} cannot be used.", why=f"{type(error).__name__}: {error}", mend=mend
            ) from error

    def content(self) -> tuple[list[StoredPersona], Matrix]:
        """What it was made of, in its own order."""
        return [StoredPersona(**row) for row in self._table.to_pylist()], self._matrix

    def save(self, folder: Path) -> None:
        """Leaves two files in `folder`, written beside and renamed, the personas last."""
        from safetensors.numpy import save_file

        folder.mkdir(parents=True, exist_ok=True)
        beside = folder / f".{VECTORS}.new"
        save_file({"vectors": self._matrix}, beside, metadata={"encoder": json.dumps([self.model, self.dimension])})
        _into_place(beside, folder / VECTORS)
        beside = folder / f".{PERSONAS}.new"
        pq.write_table(self._table, beside, compression="zstd")
        _into_place(beside, folder / PERSONAS)

    @property
    def model(self) -> str:
        return self._encoder.model

    @property
    def dimension(self) -> int:
        return self._encoder.dimension

    def count(self) -> int:
        return len(self._table)

    def nearest(
        self,
        vector: Vector,
        k: int,
        *,
        scenario: str | None = None,
        stances: Collection[str] | None = None,
        items: Collection[str] | None = None,
    ) -> list[Hit]:
        query = unit_query(vector, self.dimension, self._mend)
        return self._best(query, self._rows(scenario, stances, items), k)

    def score(self, vector: Vector, items: Sequence[str], *, stances: Collection[str] | None = None) -> dict[str, Hit]:
        query = unit_query(vector, self.dimension, self._mend)
        return {hit.item_id: hit for hit in self._best(query, self._rows(None, stances, items), len(items))}

    def close(self) -> None:
        """Nothing is held but memory, which goes with the store."""

    # Which rows ------------------------------------------------------------------------------------------------------

    def _rows(self, scenario: str | None, stances: Collection[str] | None, items: Collection[str] | None) -> Rows | None:
        """The rows that pass the filters, rising; None where all do."""
        rows = None if items is None else self._rows_of(items)
        if scenario is not None:
            rows = _kept(rows, self._scenarios, self._scenario_names, {scenario})
        if stances is not None:
            rows = _kept(rows, self._stances, self._stance_names, set(stances))
        return rows

    def _rows_of(self, items: Collection[str]) -> Rows:
        codes = sorted({self._item_codes[item] for item in items if item in self._item_codes})
        if not codes:
            return np.empty(0, np.int64)
        ends = np.append(self._starts[1:], len(self._table))
        return np.concatenate([np.arange(self._starts[code], ends[code]) for code in codes])

    # The best of them ------------------------------------------------------------------------------------------------

    def _best(self, query: Matrix, rows: Rows | None, k: int) -> list[Hit]:
        items = self._items if rows is None else self._items[rows]
        if k <= 0 or not len(items):
            return []
        close = self._close_to_best(self._sweep(query, rows), items, k)
        chosen = close if rows is None else rows[close]
        cosines = self._exact(query, chosen)
        order = np.lexsort((self._turns[chosen], -cosines))
        _, first = np.unique(self._items[chosen[order]], return_index=True)
        first.sort()
        return [self._hit(int(chosen[at]), float(cosines[at])) for at in order[first[:k]]]

    def _sweep(self, query: Matrix, rows: Rows | None) -> Matrix:
        """Cosines as fast as they come; a sweep over everything beats gathering more than some of the rows."""
        if rows is None:
            return np.asarray(self._matrix @ query)
        if len(rows) * 4 > len(self._matrix):
            return np.asarray((self._matrix @ query)[rows])
        return np.asarray(self._matrix[rows] @ query)

    @staticmethod
    def _close_to_best(rough: Matrix, items: Codes, k: int) -> Rows:
        """Places of those that may be the best of their item, of items that may be among the best k."""
        starts = _starts(items)
        best = np.maximum.reduceat(rough, starts)
        floor = np.partition(best, len(best) - k)[len(best) - k] if k < len(best) else np.float32(-2)
        lengths = np.diff(np.append(starts, len(rough)))
        return np.flatnonzero(rough >= np.repeat(np.maximum(best, floor), lengths) - MARGIN)

    def _exact(self, query: Matrix, rows: Rows) -> npt.NDArray[np.float64]:
        wide = query.astype(np.float64)
        parts = [
            np.einsum("ij,j->i", self._matrix[rows[at : at + SLICE]].astype(np.float64), wide) for at in range(0, len(rows), SLICE)
        ]
        return np.asarray(np.clip(np.concatenate(parts), -1.0, 1.0))

    def _hit(self, row: int, cosine: float) -> Hit:
        stance = self._stance_names[self._stances[row]]
        return Hit(self._table["id"][row].as_py(), self._item_names[self._items[row]], stance, cosine)


def _coded(column: pa.ChunkedArray) -> tuple[Codes, list[str]]:
    """A column as small numbers, and what each number stands for, in the order of first appearance."""
    packed: Any = column.combine_chunks().dictionary_encode()
    return np.array(packed.indices.to_numpy(zero_copy_only=False), np.int32), packed.dictionary.to_pylist()


def _starts(codes: Codes) -> Rows:
    """Where each run of one code begins."""
    return np.flatnonzero(np.append(True, codes[1:] != codes[:-1])) if len(codes) else np.empty(0, np.int64)


def _kept(rows: Rows | None, codes: Codes, names: list[str], wanted: set[str]) -> Rows:
    right = np.array([name in wanted for name in names], bool)
    if rows is None:
        return np.flatnonzero(right[codes])
    return rows[right[codes[rows]]] if len(rows) else rows


def _into_place(beside: Path, path: Path) -> None:
    make_durable(beside)
    beside.replace(path)
    make_durable(path.parent)
