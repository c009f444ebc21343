"""Whether a history bears out what a profile says: every phrase and sentence of it, whoever wrote it.

A claim is read as the needs that the sentence judge hears in it. It is borne out where the loudest of them, or most of them
together, is what the history speaks of beyond the usual (or, of a dislike, what let the person down or what they turn from), or
where one of their own passages says it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from persona_core.alignment.phrases import PhraseBook
from persona_core.alignment.taste import words_of
from persona_core.personas.needs import read_needs
from persona_core.personas.reading import Judge
from persona_core.profiles.building import avoided, told_of
from persona_core.profiles.ways.styles import Past
from persona_core.schema import Profile

MOST = 0.5
"""So much of what a claim speaks of must be borne out, where the loudest need is not."""
SAME = 0.6
"""From this cosine on, a passage of their own says the same."""


@cache
def by_rule() -> dict[str, int]:
    """What the rules write, each with the need that it was written for."""
    found: dict[str, int] = {}
    for place, need in enumerate(read_needs()):
        found |= dict.fromkeys((*told_of(need), avoided()[need.id]), place)
    return found


def unborne(profile: Profile, past: Past, book: PhraseBook, judge: Judge) -> tuple[str, ...]:
    """The phrases and sentences that nothing in the past bears out, in their order."""
    words = words_of(profile, book.is_fault)
    wanted = [one.label for one in words.components if one.weight > 0]
    refused = [one.label for one in (*words.components, *words.feared) if one.label not in set(wanted)]
    if not wanted and not refused:
        return ()
    wants, woes = (rows.sum(0) for rows in past.lifts())
    own = past.topics[[row for visit in past.visits for row in visit.rows]]
    vectors = book.vectors([*wanted, *refused])
    heard = judge.need.chances(vectors)
    for row, text in enumerate([*wanted, *refused]):
        if text in by_rule():  # what our own words mean need not be heard
            heard[row] = np.eye(heard.shape[1])[by_rule()[text]]
    said = (vectors @ own.T).max(1) >= SAME if len(own) else np.zeros(len(vectors), bool)
    spoken = np.where(np.arange(len(vectors))[:, None] < len(wanted), wants > 0, (woes > 0) | (wants < 0))
    loudest = spoken[np.arange(len(heard)), heard.argmax(1)]
    holds = said | loudest | ((heard * spoken).sum(1) >= MOST * heard.sum(1))
    return tuple(text for text, held in zip([*wanted, *refused], holds, strict=True) if not held)


def groundedness(profile: Profile, found: Sequence[str], book: PhraseBook) -> float:
    """The share of its claims that is borne out; 1 where it claims nothing."""
    words = words_of(profile, book.is_fault)
    claims = len(words.components) + len(words.feared)
    return 1.0 - len(found) / claims if claims else 1.0
