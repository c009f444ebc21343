"""What all stores check alike: the vectors that come in, the encoder that made them, and the order of hits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from persona_core.errors import ArtefactBroken, PersonaError
from persona_core.personas.store.protocol import Encoder, Hit, Matrix, StoredPersona, Vector

LENGTH_TOLERANCE = 1e-3


def check_rows(personas: Sequence[StoredPersona], matrix: Matrix) -> None:
    """Refuses what no store may be built from; that is a fault of the program, not of anybody's data."""
    if matrix.ndim != 2 or matrix.dtype != np.float32 or len(personas) != len(matrix):
        raise ValueError(f"{len(personas)} personas need as many rows of float32, not {matrix.dtype} {matrix.shape}")
    if len({persona.id for persona in personas}) != len(personas):
        raise ValueError("two personas have the same id")
    lengths = np.linalg.norm(matrix, axis=1)
    if not bool(np.all(np.abs(lengths - 1) < LENGTH_TOLERANCE)):  # NaN fails this too
        raise ValueError("the vectors are not normalised: each must have length 1")


def check_encoder(found: Encoder, wanted: Encoder | None, place: str, mend: str) -> None:
    """Refuses a store whose vectors another encoder made."""
    if wanted is not None and found != wanted:
        raise ArtefactBroken(
            f"The persona index in {place} was made with another encoder.",
            why=f"It holds vectors of {found.model!r} ({found.dimension} numbers each); "
            f"asked for are those of {wanted.model!r} ({wanted.dimension}).",
            mend=mend,
        )


def unit_query(vector: Vector, dimension: int, mend: str) -> Matrix:
    """The asked vector as float32 of length 1; one of zeros stays so, and fits everything equally: not at all."""
    query = np.asarray(vector, dtype=np.float32).reshape(-1)
    if query.shape[0] != dimension:
        raise PersonaError(
            f"The persona index holds vectors of {dimension} numbers, but was asked with {query.shape[0]}.",
            why="The profile was encoded with another model than the personas.",
            mend=mend,
        )
    length = float(np.linalg.norm(query.astype(np.float64)))
    if not np.isfinite(length):
        raise ValueError("the asked vector holds NaN or infinity")
    return query if length == 0 else (query / np.float32(length)).astype(np.float32)


def ranked(hits: Iterable[Hit]) -> list[Hit]:
    return sorted(hits, key=lambda hit: (-hit.cosine, hit.persona_id))


def best_of_each_item(hits: Iterable[Hit]) -> list[Hit]:
    """One hit an item, in rank order."""
    best: dict[str, Hit] = {}
    for hit in ranked(hits):
        best.setdefault(hit.item_id, hit)
    return list(best.values())
