"""A small past: four things, three passages, and who did what when."""

from __future__ import annotations

import numpy as np

from persona_core.personas.aspects import KeptAspect
from persona_core.profiles.building import Rules
from persona_core.profiles.evidence import NeedEvidence, Visit, pleased
from persona_core.profiles.ways.styles import Past, Usual
from persona_core.schema import Aspect, AspectKind, Quote, Sentiment
from persona_core.text.encoder import BaseEncoder
from tests.support.tastes import NEEDS, days

LIGHT, QUIET, LASTS, CHEAP = (NEEDS[name] for name in ("light_to_carry", "peace_and_quiet", "built_to_last", "money_worth"))
ITEMS = ("tent", "fan", "pan", "bargain")
TITLES = ("A light tent", "A quiet fan", "A lasting pan", "A bargain")
SAID = (
    (AspectKind.QUALITY, Sentiment.POSITIVE, "It weighs next to nothing in the pack."),
    (AspectKind.QUALITY, Sentiment.NEGATIVE, "The motor hums all night long."),
    (AspectKind.PURPOSE, Sentiment.NEUTRAL, "I bought it for a week of walking in the hills."),
)
NOW = days(3_000)


def aspect(place: int) -> KeptAspect:
    kind, sentiment, text = SAID[place]
    quote = Quote(review_id=f"r{place}", start=0, end=len(text), text=text)
    return KeptAspect(f"a{place}", ITEMS[place], "u", 5.0, Aspect(kind=kind, sentiment=sentiment, label="l", quote=quote))


def known() -> NeedEvidence:
    of_items = np.full((len(ITEMS), len(NEEDS)), -0.02, np.float32)
    for place, need in enumerate((LIGHT, QUIET, LASTS, CHEAP)):
        of_items[place, need] = 0.5
    of_aspects = np.zeros((len(SAID), len(NEEDS)), np.float32)
    of_aspects[0, LIGHT], of_aspects[1, QUIET], of_aspects[2, LIGHT] = 0.8, 0.8, 0.3
    return NeedEvidence(of_aspects, np.array([False, True, False]), of_items)


def visit(item: str, day: float, stars: float = 5.0, rows: tuple[int, ...] = ()) -> Visit:
    return Visit(f"r-{item}-{day}", ITEMS.index(item), days(day), pleased(stars), rows)


def past(*visits: Visit, usual: Usual | None = None) -> Past:
    topics = BaseEncoder().topics([text for _, _, text in SAID])
    nobody = Usual(np.zeros(len(NEEDS)), np.ones(len(NEEDS)))
    return Past("u", visits, ITEMS, TITLES, [aspect(0), aspect(1), aspect(2)], topics, known(), usual or nobody, NOW, Rules())


SOME = (visit("tent", 2_900, rows=(0, 2)), visit("pan", 2_950), visit("fan", 2_960, 1.0, rows=(1,)))
