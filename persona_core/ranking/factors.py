"""A score from factors: people and items as points, near where they go together, found by alternating least squares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from persona_core.ranking.files import Kept, kept_scorer, write_scorer
from persona_core.ranking.histories import laid_out
from persona_core.ranking.interactions import Interactions
from persona_core.ranking.scorer import History, Scores, make_read_only
from persona_core.ranking.threads import one_thread

ROOM = 1 << 22
"""How many numbers are gathered at a time: 16 MB of them."""

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class ALS:
    """Weighted factors of who came to what (Hu, Koren and Volinsky, ICDM 2008).

    What was met should score 1, all else 0; what was met counts 1 + alpha times as much. Only the items' factors are kept:
    the factors of any history, of a person in training or not, are the one least-squares answer to them.
    """

    name: ClassVar[str] = "factors"
    items: Side
    alpha: float

    def __post_init__(self) -> None:
        if not self.alpha > 0:
            raise ValueError(f"alpha is above 0, not {self.alpha}")

    @classmethod
    def fit(
        cls,
        interactions: Interactions,
        *,
        rank: int = 64,
        regularisation: float = 30.0,
        alpha: float = 3.0,
        iterations: int = 10,
        seed: int = 0,
    ) -> Self:
        """Same interactions and seed, same factors.

        Args:
            rank: how many factors; fewer where people are few.
            regularisation: what keeps factors small; more where histories are short.
            alpha: how much more what was met counts than what was not.
            iterations: how often all people's and all items' factors are found anew.
            seed: of the items' first factors.
        """
        if rank < 1 or iterations < 1:
            raise ValueError(f"rank and iterations are at least 1, not {rank} and {iterations}")
        first = first_vectors(len(interactions.items), rank, seed)
        _, items = alternated(interactions.matrix(), first, regularisation, alpha, iterations)
        return cls(Side.of(items, regularisation), alpha)

    def folded_in(self, histories: Sequence[History]) -> Vectors:
        """The factors of each history."""
        return self.items.answers(laid_out(histories, len(self.items.vectors)), self.alpha)

    def scores(self, histories: Sequence[History], moments: Sequence[int] | None = None) -> Scores:
        # A product for each case: one for all of them would round a case differently among others than alone.
        scores: Scores = np.matmul(self.folded_in(histories)[:, None, :], self.items.vectors.T)[:, 0, :]
        return scores

    def save(self, path: Path) -> None:
        settings = {"regularisation": self.items.regularisation, "alpha": self.alpha}
        write_scorer(path, self.name, Kept({"items": self.items.vectors}, settings))

    @classmethod
    def load(cls, path: Path) -> Self:
        with kept_scorer(path, cls.name) as kept:
            items = Side.of(kept.array("items", np.float32, -1, -1), kept.settings["regularisation"])
            return cls(items, kept.settings["alpha"])


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """The factors of one side, items or people, and what is the same for every row of the other side that they answer."""

    vectors: Vectors
    regularisation: float
    common: Vectors
    """Vectors' V'V + regularisation: what all that was not met asks of a row's factors."""
    spread: Vectors
    """Each vector by the inverse of that."""

    def __post_init__(self) -> None:
        make_read_only(self.vectors, self.common, self.spread)

    @classmethod
    def of(cls, vectors: Vectors, regularisation: float) -> Self:
        if not regularisation > 0:
            raise ValueError(f"regularisation is above 0, not {regularisation}")
        wide = vectors.astype(np.float64)
        common = wide.T @ wide + regularisation * np.eye(vectors.shape[1])
        spread = np.linalg.solve(common, wide.T).T
        return cls(vectors, regularisation, common.astype(np.float32), np.ascontiguousarray(spread, np.float32))

    def answers(self, rows: csr_matrix, alpha: float) -> Vectors:
        """The least-squares factors of each row, which says what of this side was met; zeros for an empty row."""
        found = np.zeros((rows.shape[0], self.vectors.shape[1]), np.float32)
        for places, met in _of_equal_length(rows, self.vectors.shape[1]):
            short = met.shape[1] <= self.vectors.shape[1]
            found[places] = self._by_what_was_met(met, alpha) if short else self._by_factors(met, alpha)
        return found

    def _by_factors(self, met: npt.NDArray[Any], alpha: float) -> Vectors:
        """Solves (C + alpha V'V) x = (1 + alpha) V'1 as it stands, V being the vectors of what was met."""
        vectors = self.vectors[met]
        turned = vectors.transpose(0, 2, 1)
        wanted = turned @ np.full((met.shape[1], 1), 1 + alpha, np.float32)
        answers: Vectors = np.linalg.solve(self.common + np.float32(alpha) * (turned @ vectors), wanted)[:, :, 0]
        return answers

    def _by_what_was_met(self, met: npt.NDArray[Any], alpha: float) -> Vectors:
        """The same x by a system as small as the history: x = (1 + alpha) S' (1 + alpha V S')^-1 1, where S = V C^-1."""
        turned = self.spread[met].transpose(0, 2, 1)
        system = np.eye(met.shape[1], dtype=np.float32) + np.float32(alpha) * (self.vectors[met] @ turned)
        shares = np.linalg.solve(system, np.full((met.shape[1], 1), 1 + alpha, np.float32))
        answers: Vectors = (turned @ shares)[:, :, 0]
        return answers


class Both(NamedTuple):
    users: Vectors
    items: Vectors


def first_vectors(n_items: int, rank: int, seed: int) -> Vectors:
    return np.random.default_rng(seed).normal(0, 0.1 / np.sqrt(rank), (n_items, rank)).astype(np.float32)


def alternated(matrix: csr_matrix, items: Vectors, regularisation: float, alpha: float, iterations: int) -> Both:
    """The factors of users and items after so many rounds, each of which answers the items with users, and these with items."""
    by_item = matrix.T.tocsr()
    users = np.zeros((matrix.shape[0], items.shape[1]), np.float32)
    with one_thread():
        for _ in range(iterations):
            users = Side.of(items, regularisation).answers(matrix, alpha)
            items = Side.of(users, regularisation).answers(by_item, alpha)
    return Both(users, items)


def _of_equal_length(rows: csr_matrix, rank: int) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
    """Rows that met equally much, some at a time: their places, and what each met. Stacks of equal ones need no padding,
    and so no row's rounding depends on its company."""
    lengths = np.diff(rows.indptr)
    order = np.argsort(lengths, kind="stable")
    order = order[lengths[order] > 0]
    for alike in np.split(order, np.flatnonzero(np.diff(lengths[order])) + 1) if len(order) else ():
        length = int(lengths[alike[0]])
        at_a_time = max(1, ROOM // (length * max(length, rank)))
        for start in range(0, len(alike), at_a_time):
            places = alike[start : start + at_a_time]
            yield places, rows.indices[rows.indptr[places][:, None] + np.arange(length)]
