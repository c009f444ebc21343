"""Fitted scorers on disk: arrays as safetensors, with one note that says whose they are and how they were fitted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from persona_core.errors import ArtefactBroken, WorkspaceMissing
from persona_core.files import write_beside

BUILD = "python -m persona_core build"

Array = npt.NDArray[Any]
Setting = int | float


@dataclass(frozen=True, slots=True)
class Kept:
    """What a file holds of one scorer."""

    arrays: Mapping[str, Array]
    settings: Mapping[str, Setting]

    def array(self, name: str, dtype: type[np.generic], *shape: int) -> Array:
        """Raises ValueError where the array is not of this form; -1 stands for any length."""
        array = self.arrays[name]
        fits = len(array.shape) == len(shape) and all(due in (-1, there) for due, there in zip(shape, array.shape, strict=True))
        if array.dtype != dtype or not fits:
            raise ValueError(f"{name} is {array.dtype} of shape {array.shape}")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"{name} has values that are not numbers")
        return array

    def codes(self, name: str, length: int, below: int) -> Array:
        """Raises ValueError where these are not so many item codes."""
        array = self.array(name, np.int32, length)
        if len(array) and not (array.min() >= 0 and array.max() < below):
            raise ValueError(f"{name} points to items that there are not")
        return array


def write_scorer(path: Path, scorer: str, kept: Kept) -> None:
    from safetensors.numpy import save

    arrays = {name: np.ascontiguousarray(array) for name, array in kept.arrays.items()}
    note = json.dumps({"scorer": scorer, **kept.settings}, sort_keys=True)  # one note: the order of several is left to chance
    write_beside(path, save(arrays, {"fitted": note}))


@contextmanager
def kept_scorer(path: Path, scorer: str) -> Iterator[Kept]:
    """What the file holds; whatever its reader finds wrong with it is told as one kind of error."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise WorkspaceMissing(f"There is no fitted scorer in {path}.", mend=BUILD)
    try:
        with safe_open(path, framework="numpy") as file:
            note = json.loads((file.metadata() or {})["fitted"])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
        found = note.pop("scorer")
        if found != scorer:
            raise ValueError(f"it holds the scorer {found}, not {scorer}")
        yield Kept(arrays, note)
    except (SafetensorError, OSError, KeyError, ValueError, TypeError, AttributeError) as error:
        why = f"{type(error).__name__}: {error}"
        raise ArtefactBroken(f"The fitted scorer in {path} cannot be used.", why=why, mend=BUILD) from error
