"""Pairs that were held out from fine-tuning, and how well an encoder finds each one's persona among all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from persona_core.alignment.pairs import Codes
from persona_core.alignment.texts import PersonaTexts, TextPair
from persona_core.text.encoder import Matrix

MOST_PAIRS, MOST_PERSONAS = 1_000, 5_000
"""So many pairs are looked for among so many personas: enough for a curve, and a look must cost little beside the training."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Profiles that were never learnt from, and for each the row of its persona and the rows that are neither right nor wrong."""

    anchors: tuple[str, ...]
    personas: tuple[str, ...]
    targets: tuple[int, ...]
    aside: tuple[Codes, ...]
    """Of each: personas of the person's other items."""

    @classmethod
    def of(cls, pairs: Sequence[TextPair], personas: PersonaTexts, seed: int) -> HeldOut:
        """At most so many that looking at them takes little time; every pair's own persona is among the personas."""
        generator = np.random.default_rng(seed)
        some = [pairs[at] for at in sorted(generator.permutation(len(pairs))[:MOST_PAIRS].tolist())]
        wanted = list(dict.fromkeys((one.positive, one.item) for one in some))
        others = [both for both in dict.fromkeys(zip(personas.texts, personas.items, strict=True)) if both not in set(wanted)]
        drawn = sorted(generator.permutation(len(others))[: max(MOST_PERSONAS - len(wanted), 0)].tolist())
        known = wanted + [others[at] for at in drawn]
        row_of = {both: row for row, both in enumerate(known)}
        items = np.array([item for _, item in known], np.int32)
        aside = [np.flatnonzero(np.isin(items, sorted(one.own - {one.item}))).astype(np.int32) for one in some]
        targets = [row_of[one.positive, one.item] for one in some]
        return cls(tuple(one.anchor for one in some), tuple(text for text, _ in known), tuple(targets), tuple(aside))

    def ndcg(self, encode: Callable[[list[str]], Matrix]) -> float:
        """NDCG@10 of the right persona; ties and what is not a number count against it."""
        different = list(dict.fromkeys(self.anchors))
        row_of = {text: row for row, text in enumerate(different)}
        profiles, personas = encode(different), encode(list(self.personas))
        gains = []
        for anchor, target, aside in zip(self.anchors, self.targets, self.aside, strict=True):
            scores = personas @ profiles[row_of[anchor]]
            passed = ~(scores < scores[target])
            passed[aside] = False
            rank = max(int(passed.sum()), 1)
            gains.append(1.0 / np.log2(rank + 1) if rank <= 10 else 0.0)
        return float(np.mean(gains))
