"""An encoder that reads each batch of texts once: it takes most of a build's time and says the same each time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from persona_core.text.encoder import BaseEncoder, Readings, Tell


@contextmanager
def batches_remembered() -> Iterator[pytest.MonkeyPatch]:
    """Within this; what else is to hold meanwhile can be set on what it gives."""
    read = BaseEncoder.read
    known: dict[tuple[str, ...], Readings] = {}

    def remembered(self: BaseEncoder, texts: Sequence[str], tell: Tell = lambda _: None) -> Readings:
        if tuple(texts) not in known:
            known[tuple(texts)] = read(self, texts, tell)
        return known[tuple(texts)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseEncoder, "read", remembered)
        yield patch
