"""Encodes beforehand what explanations will ask for, so that the first reader waits no longer than the second."""

from __future__ import annotations

from collections.abc import Callable

from persona_core.engine import Engine
from persona_core.explain.evidence import statement_of, statement_of_phrase, wishes_of
from persona_core.personas.needs import read_needs
from persona_core.text.encoder import BaseEncoder

MOST_TEXTS = 8_000
"""What is kept for explanations must leave room for profiles in the book of phrases."""
AT_ONCE = 16


def warm(engine: Engine, go_on: Callable[[], bool] = lambda: True) -> int:
    """Fills the engine's book of phrases, for as long as it is told to go on; safe beside sessions that ask it already.

    Says how many texts are ready.
    """
    wanted = dict.fromkeys(statement_of_phrase(need.phrase) for need in read_needs())
    for persona in engine.personas:
        wanted |= dict.fromkeys((statement_of(persona), *wishes_of(persona)))
        if len(wanted) >= MOST_TEXTS:
            break
    texts = list(wanted)[:MOST_TEXTS]
    encoder = BaseEncoder()
    for start in range(0, len(texts), AT_ONCE):
        if not go_on():
            return start
        some = texts[start : start + AT_ONCE]
        engine.book.learn(some, encoder.topics(some))
    return len(texts)
