"""A linear score: each item weighs for or against each other, and all these weights are found at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
from scipy.linalg import inv

from persona_core.errors import PersonaError
from persona_core.ranking.files import Kept, kept_scorer, write_scorer
from persona_core.ranking.histories import laid_out
from persona_core.ranking.interactions import Interactions
from persona_core.ranking.scorer import History, Scores, make_read_only
from persona_core.ranking.threads import one_thread
from persona_core.ranking.together import counted_together

MOST_ITEMS = 8_000
BYTES_A_PAIR = 32
"""Of memory while the weights are found, as measured."""


class TooManyItems(PersonaError):
    """A scorer that compares every item with every other does not fit a catalogue of this size."""


@dataclass(frozen=True, slots=True, eq=False)
class EASE:
    """The weights from which each person's items are best foretold from their other items (Steck, WWW 2019)."""

    name: ClassVar[str] = "linear"
    weights: npt.NDArray[np.float32]
    """From the item of the history (row) to the item that is scored (column); nothing from an item to itself."""

    def __post_init__(self) -> None:
        make_read_only(self.weights)

    @classmethod
    def fit(cls, interactions: Interactions, *, regularisation: float = 200.0) -> Self:
        """The weights in closed form; time grows with the cube of the items, half a second for 2,300 and a quarter minute for 8,000.

        Args:
            regularisation: how much evidence a weight needs; more where people are few.

        Raises:
            TooManyItems: the table of all pairs of items would not fit into memory, or take too long.
        """
        if not regularisation > 0:
            raise ValueError(f"regularisation is above 0, not {regularisation}")
        n_items = len(interactions.items)
        if n_items > MOST_ITEMS:
            raise _too_many(n_items)
        table = np.zeros((n_items, n_items))
        for rows, both in counted_together(interactions.matrix()):
            table[rows] = both
        table[np.diag_indices(n_items)] += regularisation
        if n_items:
            with one_thread():
                table = inv(table, overwrite_a=True, check_finite=False, assume_a="pos")
        table /= -np.diag(table).copy()
        np.fill_diagonal(table, 0)
        return cls(table.astype(np.float32))

    def scores(self, histories: Sequence[History], moments: Sequence[int] | None = None) -> Scores:
        scores: Scores = laid_out(histories, len(self.weights)) @ self.weights
        return scores

    def save(self, path: Path) -> None:
        write_scorer(path, self.name, Kept({"weights": self.weights}, {}))

    @classmethod
    def load(cls, path: Path) -> Self:
        with kept_scorer(path, cls.name) as kept:
            n_items = len(kept.arrays["weights"])
            return cls(kept.array("weights", np.float32, n_items, n_items))


def _too_many(n_items: int) -> TooManyItems:
    return TooManyItems(
        f"The linear scorer (EASE) is for up to {MOST_ITEMS:,} items, and there are {n_items:,}.",
        why=f"It compares every item with every other, which takes about {n_items**2 * BYTES_A_PAIR / 1e9:.1f} GB of memory here.",
        mend="score with ItemKNN or ALS instead, which keep only a little for each item; or leave out the rarest items",
    )
