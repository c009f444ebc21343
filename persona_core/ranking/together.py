"""How many people came to both of two items, for all pairs of them, some rows at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

ROWS = 512

Block = npt.NDArray[np.float32]


def counted_together(matrix: csr_matrix) -> Iterator[tuple[slice, Block]]:
    """From users x items: which items' rows, and how often each of these and each item were met by the same user.

    In blocks, because the sparse product of a whole catalogue can take more room than the dense one.
    """
    by_item, n_items = matrix.T.tocsr(), matrix.shape[1]
    for start in range(0, n_items, ROWS):
        rows = slice(start, min(start + ROWS, n_items))
        yield rows, (by_item[rows] @ matrix).toarray()


def met_together(matrix: csr_matrix) -> Iterator[tuple[int, csr_matrix]]:
    """The same without the many pairs that nobody met: the first item of each block, and its rows.

    What it costs grows with the histories, not with the square of the catalogue.
    """
    by_item = matrix.T.tocsr()
    for start in range(0, matrix.shape[1], ROWS):
        yield start, (by_item[start : start + ROWS] @ matrix).tocsr()
