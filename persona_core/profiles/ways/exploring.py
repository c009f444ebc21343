"""Exploring: every way to see one person that the styles give, near copies left out, and what nothing bears out marked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from persona_core.alignment.head import Head, unit
from persona_core.alignment.pairs import pooled
from persona_core.alignment.phrases import PhraseBook
from persona_core.alignment.steps import middle_of_needs
from persona_core.files import json_lines, write_beside
from persona_core.personas.reading import Judge
from persona_core.profiles.ways.asked import ASKED
from persona_core.profiles.ways.grounding import groundedness, unborne
from persona_core.profiles.ways.styles import LENGTHS, STYLES, Past, newest_named, styles_for
from persona_core.profiles.ways.written import EXTRACTION, Candidate, to_lines
from persona_core.schema import Frozen, Profile
from persona_core.text.encoder import DIMENSION, Matrix

SAME = 0.985
"""Two ways whose words lie this near say the same in other words."""


class Way(Frozen):
    """One way to see one person: a profile of what lies before the boundary, how it was made, and what of it nothing bears out."""

    user_id: str
    boundary: int | None
    """What somebody did from then on stays raw beside the profile."""
    source: str
    """`extraction`, or the name of a language model."""
    style: str
    prompt: str = ""
    """Which words the model was asked in."""
    profile: Profile
    unborne: tuple[str, ...] = ()
    borne_out: float
    lines: str
    """The profile as a generator writes it."""

    @property
    def key(self) -> str:
        """What its worth is filed under."""
        return f"{self.source}: {self.style}"


def extracted(past: Past) -> list[Candidate]:
    """Every style's profile that needs no model."""
    return [Candidate(EXTRACTION, style.name, "", style.made(past)) for style in styles_for(past)]


def explored(
    past: Past, boundary: int | None, candidates: Iterable[Candidate], book: PhraseBook, judge: Judge, plain: Head
) -> list[Way]:
    """The candidates in their order, without those that say what another says already; `plain` from `plain_head`."""
    found: list[Way] = []
    seen: list[Matrix] = []
    for source, style, prompt, profile in candidates:
        if not profile.text and not profile.likes and not profile.dislikes:
            continue
        content = content_of(profile, book, plain)
        if any(float(content @ other) >= SAME for other in seen):
            continue
        seen.append(content)
        false = unborne(profile, past, book, judge)
        found.append(
            Way(user_id=past.user_id, boundary=boundary, source=source, style=style, prompt=prompt, profile=profile, unborne=false,
                borne_out=round(groundedness(profile, false, book), 4), lines=to_lines(profile))
        )  # fmt: skip
    return found


def title_of(name: str) -> str:
    """What a person reads over a style; of one that is not known here, its name."""
    known = {style.name: style.title for style in (*STYLES, *ASKED)} | dict(map(newest_named, LENGTHS))
    return known.get(name, name[:1].upper() + name[1:])


def plain_head(book: PhraseBook) -> Head:
    """A head that maps nothing: what was learned is about items, not about what a profile says."""
    return Head.frozen(middle_of_needs(book), np.zeros(DIMENSION, np.float32))


def content_of(profile: Profile, book: PhraseBook, plain: Head) -> Matrix:
    """What a profile says, whatever its wording: what attracts and what is feared, as one direction."""
    attracts, feared = pooled(profile, plain, book.vectors, book.is_fault)
    both: Matrix = unit(np.concatenate([attracts, 0.5 * feared])[None])[0]
    return both


def ways_of(file: Path) -> dict[str, list[Way]]:
    """By person."""
    found: dict[str, list[Way]] = {}
    for line in file.read_bytes().splitlines():
        way = Way.model_validate_json(line)
        found.setdefault(way.user_id, []).append(way)
    return found


def write_ways(path: Path, ways: Sequence[Way]) -> None:
    write_beside(path, json_lines(one.model_dump(mode="json") for one in ways))
