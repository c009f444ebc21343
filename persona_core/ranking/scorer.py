"""What every collaborative scorer promises: a score for each item, from any history of items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int32]
History = npt.NDArray[Any]
"""Codes of the items a person came to, oldest first. An item that is named again counts once, where it comes first."""
Scores = npt.NDArray[np.float32]


@runtime_checkable
class Scorer(Protocol):
    """Fitted once, then never changed: threads may share it.

    A case's scores depend on its own history and moment only, to the last bit: they are the same alone and among others.
    """

    @property
    def name(self) -> str: ...

    def scores(self, histories: Sequence[History], moments: Sequence[int] | None = None) -> Scores:
        """One row a history, one column an item; higher is better, all are finite, and the caller may write into them.

        Items of the history keep their scores: who does not want them again masks them. A row of zeros says that the
        scorer knows nothing of this case, as one that looks at histories alone does of an empty one. `moments`, in seconds
        since 1970 UTC, say when each case is asked about; most scorers do not care.
        """
        ...


def make_read_only(*arrays: npt.NDArray[Any]) -> None:
    """For what threads share."""
    for array in arrays:
        array.setflags(write=False)
