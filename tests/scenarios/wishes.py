"""People in books and kitchen who want one of four things, in both the same or not; outdoors is new to all of them."""

from __future__ import annotations

import numpy as np

from persona_core.alignment.pairs import World
from persona_core.personas.aspects import KeptAspect
from persona_core.profiles.evidence import NeedEvidence, Visit
from persona_core.scenarios.knowledge import Ground
from persona_core.schema import Aspect, AspectKind, Quote, Sentiment
from tests.support.tastes import NEEDS

NAMES = ("books", "kitchen", "outdoors")
LIGHT, QUIET, LASTS, CHEAP = (NEEDS[name] for name in ("light_to_carry", "peace_and_quiet", "built_to_last", "money_worth"))
SERVED = (LIGHT, QUIET, LASTS, CHEAP)
ITEMS = tuple(f"{name}-{need}-{number}" for name in NAMES for need in SERVED for number in range(3))
SCENARIO_OF = tuple(place // 12 for place in range(len(ITEMS)))
PEOPLE = 24


def known(aspects: int = 0) -> NeedEvidence:
    of_items = np.full((len(ITEMS), len(NEEDS)), -0.02, np.float32)
    for place in range(len(ITEMS)):
        of_items[place, SERVED[place % 12 // 3]] = 0.5
    of_aspects = np.zeros((aspects, len(NEEDS)), np.float32)
    of_aspects[:, LIGHT] = 0.4
    return NeedEvidence(of_aspects, np.zeros(aspects, bool), of_items)


def visits_for(person: int, carries: bool, aspects: bool = False) -> tuple[Visit, ...]:
    """Three visits to books and kitchen each, for one need in books and for the same, or another, in kitchen."""
    found = []
    for at in (0, 1):
        need = person % 4 if carries or at == 0 else (person // 4) % 4
        for number in range(3):
            item = at * 12 + need * 3 + number
            rows = ((person * 6 + at * 3 + number),) if aspects else ()
            found.append(Visit(f"r{person}-{item}", item, 1_700_000_000 + number, 1.0, rows))
    return tuple(found)


def ground(carries: bool, aspects: bool = False) -> Ground:
    people = {f"u{person:02d}": visits_for(person, carries, aspects) for person in range(PEOPLE)}
    nothing = np.zeros((0, 384), np.float32)
    world = World(ITEMS, (), nothing, people, known(PEOPLE * 6 if aspects else 0), nothing, 1_700_000_100)
    return Ground(world, SCENARIO_OF, NAMES)


def passage(place: int) -> KeptAspect:
    text = f"Passage {place} says that it weighs nothing."
    quote = Quote(review_id=f"r{place}", start=0, end=len(text), text=text)
    aspect = Aspect(kind=AspectKind.QUALITY, sentiment=Sentiment.POSITIVE, label="weight", quote=quote)
    return KeptAspect(f"a{place}", "i", "u", 5.0, aspect)
