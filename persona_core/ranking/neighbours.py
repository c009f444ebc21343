"""A score from neighbours: an item is worth what it has in common, in who came to it, with the items of the history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from scipy.sparse import csr_matrix, vstack

from persona_core.ranking.files import Kept, kept_scorer, write_scorer
from persona_core.ranking.histories import laid_out
from persona_core.ranking.interactions import Interactions
from persona_core.ranking.scorer import History, Scores, make_read_only
from persona_core.ranking.together import met_together


@dataclass(frozen=True, slots=True, eq=False)
class ItemKNN:
    """Each item of the history speaks for its nearest neighbours, as loud as they are near; the voices are added up."""

    name: ClassVar[str] = "item neighbours"
    near: csr_matrix
    """Row i: how near item i's nearest neighbours are to it; nothing for all others, and for itself."""
    recency: float

    def __post_init__(self) -> None:
        if not 0 < self.recency <= 1:
            raise ValueError(f"recency is above 0 and at most 1, not {self.recency}")
        make_read_only(self.near.data, self.near.indices, self.near.indptr)

    @classmethod
    def fit(cls, interactions: Interactions, *, neighbours: int = 50, shrinkage: float = 20.0, recency: float = 1.0) -> Self:
        """Nearness is the cosine of who came to the items.

        Args:
            neighbours: how many each item keeps; of equally near ones those that stand first in the catalogue.
            shrinkage: how much is added below the fraction bar; the more, the less a few common people prove.
            recency: what the item before the last of a history weighs, its square for the one before that; 1 for all alike.
        """
        if neighbours < 1 or shrinkage < 0:
            raise ValueError(f"neighbours are at least 1 and shrinkage at least 0, not {neighbours} and {shrinkage}")
        matrix = interactions.matrix()
        n_items = len(interactions.items)
        root = np.sqrt(np.maximum(np.bincount(matrix.indices, minlength=n_items), 1))  # who came to nothing has no cosine: 0
        blocks = [csr_matrix((0, n_items), dtype=np.float32)]
        for first, both in met_together(matrix):
            own = np.repeat(np.arange(first, first + both.shape[0]), np.diff(both.indptr))
            cosine = (both.data / (root[own] * root[both.indices] + shrinkage)).astype(np.float32)
            cosine[own == both.indices] = 0
            blocks.append(_nearest(csr_matrix((cosine, both.indices, both.indptr), shape=both.shape), neighbours))
        return cls(vstack(blocks, format="csr", dtype=np.float32), recency)

    def scores(self, histories: Sequence[History], moments: Sequence[int] | None = None) -> Scores:
        scores: Scores = (laid_out(histories, self.near.shape[0], self.recency) @ self.near).toarray()
        return scores

    def save(self, path: Path) -> None:
        arrays = {"data": self.near.data, "indices": self.near.indices, "indptr": self.near.indptr}
        write_scorer(path, self.name, Kept(arrays, {"recency": self.recency}))

    @classmethod
    def load(cls, path: Path) -> Self:
        with kept_scorer(path, cls.name) as kept:
            indptr = kept.array("indptr", np.int32, -1)
            n_items = len(indptr) - 1
            data = kept.array("data", np.float32, -1)
            near = csr_matrix((data, kept.codes("indices", len(data), n_items), indptr), shape=(n_items, n_items))
            near.check_format(full_check=True)  # scipy reads past the end where the parts do not fit
            return cls(near, kept.settings["recency"])


def _nearest(cosine: csr_matrix, neighbours: int) -> csr_matrix:
    """The nearest of each row; those that are as near as the last of them only as far as there is room, the first ones first."""
    rows = np.repeat(np.arange(cosine.shape[0]), np.diff(cosine.indptr))
    order = np.lexsort((cosine.indices, -cosine.data, rows))
    place = np.arange(len(order)) - cosine.indptr[rows[order]]  # within its row, the nearest first
    kept = order[(place < neighbours) & (cosine.data[order] > 0)]
    found = csr_matrix((cosine.data[kept], (rows[kept], cosine.indices[kept])), shape=cosine.shape)
    found.sort_indices()
    return found
