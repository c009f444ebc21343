"""Preference pairs: of two ways to see the same person, the one that puts what they came to next higher, beyond noise.

All pairs of one person rest on the same next items and are one piece of evidence, so each person gives a few. A generator must not
be able to win by writing longer: among the pairs kept, the better profile is the longer one as often as the shorter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from persona_core.profiles.ways.judging import Worth
from persona_core.profiles.ways.written import EXTRACTION


class Judged(NamedTuple):
    """One way to see somebody, in its lines, with what it is worth."""

    style: str
    source: str
    lines: str
    worth: Worth
    borne_out: float
    """The share of what it claims that the history bears out."""

    @property
    def name(self) -> str:
        return self.style if self.source == EXTRACTION else f"{self.source}: {self.style}"


@dataclass(frozen=True, slots=True)
class Pair:
    """As `trl` reads it, and where it comes from."""

    prompt: str
    chosen: str
    rejected: str
    margin: float
    """How many doublings the chosen one gains over the other."""
    user_id: str
    chosen_style: str
    rejected_style: str
    sureness: float
    """The margin in its own standard errors."""


@dataclass(frozen=True, slots=True)
class Rules:
    most_of_one: int = 2
    """Pairs that one person may give."""
    sure: float = 1.5
    """So many standard errors must lie between the two."""
    least: float = 0.1
    """And so many doublings."""
    grounded: float = 1.0
    """So much of what the chosen one claims must be borne out: what helps but is not true of the person is refused."""
    seed: int = 7


def pairs_for(user_id: str, prompt: str, ways: Sequence[Judged], rules: Rules) -> list[Pair]:
    """The surest few; each way is used at most once on either side."""
    found = []
    for one, other in combinations(ways, 2):
        better, worse = (one, other) if one.worth.gain >= other.worth.gain else (other, one)
        margin, sureness = apart(better.worth, worse.worth)
        if better.borne_out >= rules.grounded and margin >= rules.least and sureness >= rules.sure and better.lines != worse.lines:
            found.append(Pair(prompt, better.lines, worse.lines, margin, user_id, better.name, worse.name, sureness))
    chosen: list[Pair] = []
    for pair in sorted(found, key=lambda one: (-one.sureness, one.chosen_style, one.rejected_style)):
        used = {style for one in chosen for style in (one.chosen_style, one.rejected_style)}
        if not {pair.chosen_style, pair.rejected_style} & used and len(chosen) < rules.most_of_one:
            chosen.append(pair)
    return chosen


def apart(better: Worth, worse: Worth) -> tuple[float, float]:
    """By how many doublings, and in how many standard errors: next item by next item, for both meet the same ones."""
    differences = np.array(better.gains) - np.array(worse.gains)
    margin = float(differences.mean())
    if len(differences) < 2:
        return margin, 0.0
    error = float(differences.std(ddof=1) / len(differences) ** 0.5)
    return margin, margin / max(error, 1e-6) if margin > 0 else 0.0


def balanced(pairs: Iterable[Pair], rules: Rules) -> list[Pair]:
    """As many in which the chosen one is longer as in which it is shorter.

    Of the more frequent kind the least sure are left out.
    """
    sides: dict[bool, list[Pair]] = {True: [], False: []}
    for pair in pairs:
        if len(pair.chosen) != len(pair.rejected):
            sides[len(pair.chosen) > len(pair.rejected)].append(pair)
    kept = min(len(one) for one in sides.values())
    chosen = [pair for side in sides.values() for pair in sorted(side, key=lambda one: (-one.sureness, one.user_id))[:kept]]
    order = np.random.default_rng(rules.seed).permutation(len(chosen))
    return [chosen[place] for place in order]


def card_of(pairs: Sequence[Pair], before: int, people: int, rules: Rules, notes: dict[str, Any]) -> dict[str, Any]:
    """What a stranger should know of the pairs before learning from them."""
    lengths = [(len(one.chosen), len(one.rejected)) for one in pairs]
    margins = sorted(one.margin for one in pairs)
    return {
        "what": "Two profiles of one person's older history; the chosen one put what they came to next higher than the rejected one.",
        "pairs": len(pairs), "people": len({one.user_id for one in pairs}), "people looked at": people,
        "left out to balance lengths": before - len(pairs), "rules": asdict(rules),
        "margin, doublings": {name: round(float(np.quantile(margins, share)), 3) for name, share in QUANTILES} if pairs else {},
        "characters, chosen": round(float(np.mean([one for one, _ in lengths])), 1) if pairs else None,
        "characters, rejected": round(float(np.mean([other for _, other in lengths])), 1) if pairs else None,
        "chosen is longer": round(float(np.mean([one > other for one, other in lengths])), 3) if pairs else None,
        "chosen styles": dict(Counter(one.chosen_style for one in pairs).most_common()),
        "rejected styles": dict(Counter(one.rejected_style for one in pairs).most_common()),
        **notes,
    }  # fmt: skip


QUANTILES = (("10%", 0.1), ("half", 0.5), ("90%", 0.9))
