"""Encoding ahead: what explanations ask for is there, it stops when told to, and no vector differs by more than a breath."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from persona_core.alignment.phrases import PhraseBook
from persona_core.explain.evidence import statement_of, wishes_of
from persona_core.explain.warming import AT_ONCE, warm
from tests.explain.worlds import market


def test_what_explanations_ask_for_is_there_and_the_same() -> None:
    personas = market().personas[:3]
    engine: Any = SimpleNamespace(personas=personas, book=PhraseBook())
    assert warm(engine, lambda: False) == 0
    turns = iter([True])
    assert warm(engine, lambda: next(turns, False)) == AT_ONCE
    assert warm(engine) > AT_ONCE
    kept = engine.book._kept
    for persona in personas:
        for text in (statement_of(persona), *wishes_of(persona)):
            assert text in kept
            np.testing.assert_allclose(kept[text], PhraseBook().vectors([text])[0], atol=1e-5)
