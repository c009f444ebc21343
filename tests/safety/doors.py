"""A door at which something of a stranger's comes in, and what may come out: a good result, or an error of our own; nothing else.

And nothing beyond the example's folder is touched.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from persona_core.errors import PersonaError
from tests.safety.watching import only_within


@dataclass(frozen=True)
class Target:
    name: str
    examples: Callable[[], st.SearchStrategy[Any]]
    meet: Callable[[Any, Path], object]
    """Does with one example, in a folder of its own, what the app would do with it."""
    few: int = 25
    """So many examples when the tests run; the long run takes what it gets."""


class Crash(AssertionError):
    """Something else came out than a result or an error of ours."""


def met(target: Target, example: Any) -> str:
    """`good` or `refused`. Raises Crash."""
    folder = Path(tempfile.mkdtemp(prefix="personascope-safety-"))
    try:
        with only_within(folder) as strays:
            try:
                target.meet(example, folder)
                how = "good"
            except PersonaError:
                how = "refused"
        if strays:
            raise Crash(f"beyond its folder: {strays[:3]}")
        return how
    finally:
        shutil.rmtree(folder, ignore_errors=True)
