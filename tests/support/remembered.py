"""An encoder that reads each batch of texts once: it takes most of a build's time and says the same each time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from persona_core.text.encoder import BaseEncoder, Matrix


@contextmanager
def batches_remembered() -> Iterator[pytest.MonkeyPatch]:
    """Within this; what else is to hold meanwhile can be set on what it gives."""
    forward = BaseEncoder._forward
    known: dict[tuple[str, ...], tuple[Matrix, Matrix]] = {}

    def remembered(self: BaseEncoder, texts: list[str]) -> tuple[Matrix, Matrix]:
        if tuple(texts) not in known:
            known[tuple(texts)] = forward(self, texts)
        return known[tuple(texts)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseEncoder, "_forward", remembered)
        yield patch
