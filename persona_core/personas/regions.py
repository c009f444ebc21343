"""The regions of the map of personas: who lies together there, and in two or three plain words what sets them apart."""

from __future__ import annotations

import math
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from persona_core.personas.needs import read_needs
from persona_core.schema import Persona
from persona_core.text.phrases import content_words

THEMES = Path(__file__).with_name("themes.toml")
FEWEST, MOST = 6, 12
CROWD = 5
"""In a small world a region has about so many personas."""
ALONE = 0.6
"""A theme that so great a share of a region has names it alone."""
SMOOTHING = 0.5
AROUND = 12.0
"""How far from the heart of a region its name must leave room, in the map's own measure."""

Points = np.ndarray[Any, np.dtype[np.float64]]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the map: its name, where that stands, and how many personas lie there."""

    name: str
    x: float
    y: float
    count: int


def how_many(personas: int) -> int:
    """Few enough that their names can be read, many enough that each means something."""
    return max(1, min(MOST, personas // CROWD, max(FEWEST, round(math.sqrt(personas) / 2))))


def grouped(points: Points, count: int) -> Labels:
    """Which region each point belongs to; the largest is the first. Islands stay whole where they can."""
    if count < 2 or len(np.unique(points, axis=0)) < count:
        return np.zeros(len(points), np.int64)
    from sklearn.cluster import AgglomerativeClustering

    found = AgglomerativeClustering(count).fit_predict(points)
    sizes = Counter(found.tolist())
    order = sorted(sizes, key=lambda label: (-sizes[label], label))
    places: Labels = np.argsort(np.array(order))
    return np.asarray(places[found], np.int64)


def regions_of(personas: Sequence[Persona], points: Points, labels: Labels) -> list[Region]:
    names = names_of(
        [[one for one, label in zip(personas, labels, strict=True) if label == number] for number in range(_count(labels))]
    )
    found = []
    for number, name in enumerate(names):
        own = points[labels == number]
        x, y = _place_of_name(own)
        found.append(Region(name, x, y, len(own)))
    return found


def _count(labels: Labels) -> int:
    return int(labels.max()) + 1 if len(labels) else 0


def _place_of_name(points: Points) -> tuple[float, float]:
    """Above the point whose others are nearest, and those around it: a middle may lie in empty space, between two islands."""
    middle = np.median(points, axis=0)
    heart = points[int(np.argmin(((points - middle) ** 2).sum(1)))]
    around = points[((points - heart) ** 2).sum(1) <= AROUND**2]
    return round(float(around[:, 0].mean()), 3), round(float(around[:, 1].max()), 3)


# Names -------------------------------------------------------------------------------------------------------------------


def names_of(groups: Sequence[Sequence[Persona]]) -> list[str]:
    """A name for each group, no two alike: its commonest themes, or the words that tell it from the others."""
    counts = [Counter(theme for one in group for theme in _themes(one)) for group in groups]
    everywhere: Counter[str] = sum(counts, Counter())
    names: list[str] = []
    for group, own in zip(groups, counts, strict=True):
        ranked = sorted(own, key=lambda theme: (-own[theme] * _odds(own, everywhere, theme), theme))
        ranked = [theme for theme in ranked if _odds(own, everywhere, theme) > 0 or len(groups) == 1]
        names.append(_unused(ranked, own[ranked[0]] / max(1, len(group)) if ranked else 0.0, names))
    return names


def _unused(ranked: Sequence[str], share: float, taken: Sequence[str]) -> str:
    pairs = [f"{ranked[0]} and {other}" for other in ranked[1:4]] if ranked else []
    wanted = [ranked[0], *pairs] if share >= ALONE else [*pairs, *ranked[:1]]
    for name in [*wanted, *ranked]:
        titled = name[0].upper() + name[1:]
        if titled not in taken:
            return titled
    first = wanted[0] if wanted else "other people"
    number = next(number for number in range(1, len(taken) + 2) if _numbered(first, number) not in taken)
    return _numbered(first, number)


def _numbered(name: str, number: int) -> str:
    return name[0].upper() + name[1:] + (f" {number}" if number > 1 else "")


def _odds(own: Counter[str], everywhere: Counter[str], theme: str) -> float:
    """How much likelier the theme is here than elsewhere, as the logarithm of the odds."""
    here, total = own[theme] + SMOOTHING, own.total() + 2 * SMOOTHING
    there, rest = everywhere[theme] - own[theme] + SMOOTHING, everywhere.total() - own.total() + 2 * SMOOTHING
    return math.log(here / max(total - here, SMOOTHING)) - math.log(there / max(rest - there, SMOOTHING))


def _themes(persona: Persona) -> list[str]:
    """What the persona is about: the themes of its needs, or, of one that a model wrote, the words of its traits."""
    known = _theme_of_phrase()
    found = [known[trait] for trait in persona.traits if trait in known]
    return found[:1] or sorted(set(content_words("; ".join(persona.traits) or persona.name)))


@cache
def _theme_of_phrase() -> dict[str, str]:
    themes = read_themes()
    return {need.phrase: themes[need.id] for need in read_needs() if need.id in themes}


def read_themes() -> dict[str, str]:
    return {key: str(value) for key, value in tomllib.loads(THEMES.read_text("utf-8")).items()}
