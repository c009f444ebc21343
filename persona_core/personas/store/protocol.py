"""What every persona store promises: personas in, the best persona of each item out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[Any]
Matrix = npt.NDArray[np.float32]

BUILD = "python -m persona_core build"
"""The command that makes a store anew, where the caller knows no closer one."""


@dataclass(frozen=True, slots=True)
class StoredPersona:
    """What a store knows of a persona beside its vector; `id` is unique in the whole store."""

    id: str
    item_id: str
    scenario: str
    stance: str
    name: str


@dataclass(frozen=True, slots=True)
class Hit:
    """An item, by the one of its personas that fits best."""

    persona_id: str
    item_id: str
    stance: str
    cosine: float


@dataclass(frozen=True, slots=True)
class Encoder:
    """Which model made the vectors, and how many numbers each has: vectors of two encoders are never compared."""

    model: str
    dimension: int


@runtime_checkable
class PersonaStore(Protocol):
    """Finished and read-only: a new version is a new store. Any number of threads may ask at once."""

    @property
    def model(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    def count(self) -> int:
        """How many personas there are."""
        ...

    def nearest(
        self,
        vector: Vector,
        k: int,
        *,
        scenario: str | None = None,
        stances: Collection[str] | None = None,
        items: Collection[str] | None = None,
    ) -> list[Hit]:
        """The best persona of each item, k items (or all, if there are fewer), by falling cosine, then persona id.

        A filter that is None lets everything through; one that is empty, nothing.
        """
        ...

    def score(self, vector: Vector, items: Sequence[str], *, stances: Collection[str] | None = None) -> dict[str, Hit]:
        """The best persona of each named item, exactly; items without a (fitting) persona are left out."""
        ...

    def close(self) -> None:
        """Lets go of files and connections; nothing is asked of the store afterwards."""
        ...
