"""What the very words of a sentence betray of its kind and its feeling: small signs that vectors wash out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from persona_core.text.phrases import FUNCTION, words_of

DAYS = "mondays?|tuesdays?|wednesdays?|thursdays?|fridays?|saturdays?|sundays?|weekends?"
SIGNS: dict[str, str] = {
    "bought": r"\b(bought|buy|buying|ordered|got (it|this|them|one)|picked (it|this|one)|chose|replac\w+|went for|treated myself)\b",
    "wanted": r"\b(wanted|needed|was after|(was|were) looking|looking for|hop(ing|ed)|decided|promised|asked for|because)\b",
    "before": r"\b(ago|when (i|we) (moved|started)|before (the|our|my)|had (been|died|broken|gone|run|had))\b",
    "who": r"\b(i'?m (a|an|the|not|one)|i am|as (a|an|someone)|my kind|people like me|i'?ve (always|never)|we'?re (a|not))\b",
    "habit": r"\b(i (always|never|usually|tend|prefer|like|love|hate|can'?t stand|care|judge|count|notice|want|would rather"
    r"|look for|believe|don'?t mind|keep)|i'd (sooner|rather)|matters?|rather than|give me)\b",
    "use": rf"\b(use[ds]? (it|this|them)|live[sd]? (in|on|by|under)|sits|stands|hangs|comes out|goes (in|with)"
    rf"|(take|takes|taken|took) (it|this|them)|every (day|night|morning|week|evening)|on ({DAYS})|on the (train|bus|tram|way)"
    r"|at (home|work|night|the weekend)|in the (car|garden|kitchen|evening|morning)|while i|mostly|daily|nightly|weekly|kept)\b",
    "since": r"\b(since|now|after (a|two|three|six|\w+) (weeks?|months?|days?|years?)|so far|still)\b",
    "not": r"\b(not|never|no|dont|doesnt|didnt|wont|isnt|cant|too|broke|broken|cracked|leak\w*|stuck|tore|ripped|fell|useless"
    r"|disappoint\w*|wrong|worse|worst|hardly|nothing)\b|n't",
    "first": r"^(i|my|we|our|im|i'm)\b",
    "thing": r"^(the|it|this|its|it's)\b",
    "for": r"\bfor (my|our|the|a|an|his|her|when|use)\b",
    "verb": r"^(bought|got|ordered|needed|wanted|picked|chose)\b",
    "present": r"\b(is|are|has|does|fits|makes|keeps|feels|looks|works|gets|comes)\b",
}
PATTERNS = [re.compile(pattern, re.IGNORECASE) for pattern in SIGNS.values()]
SMALL_WORDS = {word: place for place, word in enumerate(sorted(FUNCTION))}
COUNT = len(SIGNS) + 4 + 2 * len(SMALL_WORDS)
LONG = 200


@cache
def _lexicon() -> Any:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()


def cues_of(texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """A row for each text: which signs it has, what the sentiment lexicon says, its length, its small words, and the first."""
    rows = np.zeros((len(texts), COUNT), np.float32)
    for place, text in enumerate(texts):
        feeling = _lexicon().polarity_scores(text)
        signs = [1.0 if pattern.search(text) else 0.0 for pattern in PATTERNS]
        signs += [feeling["pos"], feeling["neg"], feeling["compound"], min(len(text), LONG) / LONG]
        rows[place, : len(signs)] = signs
        words = words_of(text)
        rows[place, [len(signs) + SMALL_WORDS[word] for word in words if word in SMALL_WORDS]] = 1.0
        if words and words[0] in SMALL_WORDS:
            rows[place, len(signs) + len(SMALL_WORDS) + SMALL_WORDS[words[0]]] = 1.0
    return rows
