"""Keeps linear algebra to one thread while something is fitted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_FITTING = Lock()


@contextmanager
def one_thread() -> Iterator[None]:
    """Of the thousands of small products in a fit each would wake all threads: on two shared cores that took twenty times
    as long. One thread also rounds alike on machines with few cores and with many.

    The number of threads belongs to the process; so one fit at a time, or the later one would restore what the earlier one set.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # comes with scikit-learn

    with _FITTING, threadpool_limits(1, user_api="blas"):
        yield
