"""Explanations that hold: claims with the quotes that carry them, how sure they are, and what would change the answer."""

from persona_core.explain.changes import Changes, Move, Shift, changes
from persona_core.explain.claims import Found, Grounded, claims_for
from persona_core.explain.differences import Edit, edits_between
from persona_core.explain.explaining import explanation
from persona_core.explain.questions import Because, PartDifference, WhyAbove, WhyNot, why_above, why_not
from persona_core.explain.whatif import Tweak, WhatIf, what_if
from persona_core.explain.wording import spoken

__all__ = [
    "Because",
    "Changes",
    "Edit",
    "Found",
    "Grounded",
    "Move",
    "PartDifference",
    "Shift",
    "Tweak",
    "WhatIf",
    "WhyAbove",
    "WhyNot",
    "changes",
    "claims_for",
    "edits_between",
    "explanation",
    "spoken",
    "what_if",
    "why_above",
    "why_not",
]
