"""Vectors on disk of which there are more than memory should hold: written as they come, read by row.

An ordinary safetensors file with the one tensor `vectors`, at half width: three digits are enough for what sentences are about.
"""

from __future__ import annotations

import json
import os
import weakref
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np

from persona_core.errors import ArtefactBroken
from persona_core.text.encoder import DIMENSION, IDENTITY, Matrix

HALF: np.dtype[Any] = np.dtype("<f2")
TYPES: dict[str, np.dtype[Any]] = {"F16": HALF, "F32": np.dtype("<f4")}
NAME = "vectors"
HEADER = 256
"""Bytes that are left for saying what the file holds, which is known when all of it is written."""
LONGEST_HEADER = 100_000
BUILD = "python -m persona_core build --only aspects"
BLOCK = 16_384


class Rows(Protocol):
    """Vectors by row, in memory or on disk."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Any, /) -> Any: ...

    def mean(self, axis: int, /) -> Any: ...


def blocks_of(rows: Rows) -> Iterator[slice]:
    """The rows in order, so many at a time."""
    for start in range(0, len(rows), BLOCK):
        yield slice(start, min(start + BLOCK, len(rows)))


def _header(file: int) -> tuple[int, np.dtype[Any], int]:
    """Where the vectors begin, of which type they are and how many. Raises where the file does not hold just them."""
    length = int.from_bytes(os.pread(file, 8, 0), "little")
    if length > LONGEST_HEADER:
        raise ValueError(f"what the file says of itself takes {length:,} bytes")
    holds = json.loads(os.pread(file, length, 8))[NAME]
    kind, (rows, width) = TYPES[holds["dtype"]], holds["shape"]
    takes, has = rows * DIMENSION * kind.itemsize, os.fstat(file).st_size - 8 - length
    if type(rows) is not int or width != DIMENSION or holds["data_offsets"] != [0, takes] or has != takes:
        raise ValueError(f"{has:,} bytes are left for {rows} vectors of {width} numbers")
    return 8 + length, kind, rows


class StoredWriter:
    """Writes vectors to a new file."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._file.write(bytes(HEADER))
        self._rows = 0

    def write(self, matrix: Matrix) -> None:
        self._file.write(np.ascontiguousarray(matrix, HALF).tobytes())
        self._rows += len(matrix)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        size = self._rows * DIMENSION * HALF.itemsize
        holds = {"dtype": "F16", "shape": [self._rows, DIMENSION], "data_offsets": [0, size]}
        said = json.dumps({"__metadata__": {"encoder": IDENTITY}, NAME: holds}).encode()
        with self._file:
            self._file.seek(0)
            self._file.write((HEADER - 8).to_bytes(8, "little") + said.ljust(HEADER - 8))


class Stored:
    """The vectors of such a file, at full width; none of them stays in memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_RDONLY)  # stays readable where a newer version takes the file's place
        weakref.finalize(self, os.close, self._file)
        try:
            self._begins, self._type, rows = _header(self._file)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ArtefactBroken(
                f"{path} holds no vectors that can be used.", why=f"{type(error).__name__}: {error}", mend=BUILD
            ) from error
        self.shape = rows, DIMENSION

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any, /) -> Matrix:
        """Those at these positions, not flags: a list, an array or a slice."""
        at = np.arange(len(self))[rows] if isinstance(rows, slice) else np.asarray(rows, np.int64).reshape(-1)
        found = np.empty((len(at), self.shape[1]), self._type)
        order = np.argsort(at, kind="stable")
        begins = np.flatnonzero(np.diff(at[order], prepend=-2) != 1)
        for places in np.split(order, begins[1:]) if len(at) else ():
            found[places] = self._read(int(at[places[0]]), len(places))
        return found.astype(np.float32)

    def _read(self, row: int, many: int) -> Matrix:
        width = self.shape[1] * self._type.itemsize
        if not 0 <= row <= len(self) - many:
            raise IndexError(f"no rows {row} to {row + many - 1} among {len(self)}")
        content = bytearray()
        while len(content) < many * width:
            part = os.pread(self._file, many * width - len(content), self._begins + row * width + len(content))
            if not part:
                raise OSError(f"{self.path} ends early")
            content += part
        found: Matrix = np.frombuffer(content, self._type).reshape(many, self.shape[1])
        return found

    @cached_property
    def _middle(self) -> Matrix:
        total = np.zeros(self.shape[1])
        for block in blocks_of(self):
            total += self[block].sum(0, dtype=np.float64)
        middle: Matrix = (total / max(1, len(self))).astype(np.float32)
        return middle

    def mean(self, axis: int, /) -> Matrix:
        """The middle of all; of none, zeros."""
        if axis != 0:
            raise ValueError("only the middle of all rows is known")
        return self._middle

    def __reduce__(self) -> tuple[type[Self], tuple[Path]]:
        return type(self), (self.path,)
