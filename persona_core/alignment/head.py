"""The light alignment encoder: small linear maps over frozen vectors, one for words, one for the past, one for personas.

They are linear, so what each phrase and each past item adds to a match can be read off exactly.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np

from persona_core.errors import ArtefactBroken
from persona_core.text.encoder import DIMENSION, IDENTITY, Matrix

FILE = "head.safetensors"
MAPS = ("words", "past", "personas")


@dataclass(frozen=True, slots=True)
class LowRank:
    """x becomes x + x · down · up."""

    down: Matrix
    up: Matrix

    @classmethod
    def nothing(cls, rank: int = 1) -> Self:
        return cls(np.zeros((DIMENSION, rank), np.float32), np.zeros((rank, DIMENSION), np.float32))

    def __call__(self, rows: Matrix) -> Matrix:
        mapped: Matrix = np.asarray(rows + (rows @ self.down) @ self.up, np.float32)
        return mapped


@dataclass(frozen=True, slots=True)
class Head:
    words: LowRank
    past: LowRank
    personas: LowRank
    middle_of_words: Matrix
    """The mean of all needs' phrases: directions of words are taken from there."""
    middle_of_personas: Matrix
    penalty: float
    """How much a close disappointing persona takes from a match."""

    @classmethod
    def frozen(cls, middle_of_words: Matrix, middle_of_personas: Matrix, penalty: float = 0.2) -> Self:
        """The base encoder as it is, nothing learned: the floor that training must beat."""
        words, past, personas = (LowRank.nothing() for _ in MAPS)
        return cls(words, past, personas, middle_of_words, middle_of_personas, penalty)

    def of_personas(self, vectors: Matrix) -> Matrix:
        """Persona vectors as profiles meet them: rows of length 1."""
        return unit(self.personas(unit(vectors - self.middle_of_personas)))

    def save(self, path: Path) -> None:
        from safetensors.numpy import save_file

        tensors = {
            f"{name}.{part}": np.ascontiguousarray(getattr(getattr(self, name), part)) for name in MAPS for part in ("down", "up")
        }
        tensors |= {"middle_of_words": self.middle_of_words, "middle_of_personas": self.middle_of_personas}
        save_file(tensors, str(path), {"head": json.dumps({"encoder": IDENTITY, "penalty": self.penalty})})

    @classmethod
    def load(cls, path: Path) -> Self:
        from safetensors import safe_open

        try:
            with safe_open(str(path), framework="numpy") as file:
                notes = json.loads((file.metadata() or {})["head"])
                parts = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
            if notes["encoder"] != IDENTITY:
                raise ValueError(f"it was trained over {notes['encoder']}, not {IDENTITY}")
            words, past, personas = (LowRank(parts[f"{name}.down"], parts[f"{name}.up"]) for name in MAPS)
            head = cls(words, past, personas, parts["middle_of_words"], parts["middle_of_personas"], float(notes["penalty"]))
            head.check_shapes()
        except Exception as error:
            raise ArtefactBroken(
                "The alignment head cannot be used.", why=f"{path}: {error}", mend="python -m persona_core train"
            ) from error
        return head

    def check_shapes(self) -> None:
        for name in MAPS:
            one: LowRank = getattr(self, name)
            if one.down.shape != (DIMENSION, one.up.shape[0]) or one.up.shape[1] != DIMENSION:
                raise ValueError(f"the map of {name} has shapes {one.down.shape} and {one.up.shape}")
        if {self.middle_of_words.shape, self.middle_of_personas.shape} != {(DIMENSION,)}:
            raise ValueError("a middle has the wrong length")


def unit(rows: Matrix) -> Matrix:
    """Each row at length 1; a row of zeros stays one."""
    found: Matrix = rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9)
    return found


def same(one: Head, other: Head) -> bool:
    """Whether two heads hold the same numbers, bit for bit."""
    tensors = [(getattr(one, field.name), getattr(other, field.name)) for field in fields(Head)]
    return all(
        np.array_equal(a.down, b.down) and np.array_equal(a.up, b.up) if isinstance(a, LowRank) else np.array_equal(a, b)
        for a, b in tensors
    )
