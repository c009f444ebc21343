"""Other ways to see somebody, as of now: made from what is built, beside what each way was worth at an earlier moment.

The worth of a way is that of its style: made in the same way at the cut of the split, how it put what the person came to since.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, Self

from persona_core.alignment.phrases import PhraseBook
from persona_core.errors import ArtefactBroken, WorkspaceMissing
from persona_core.evaluation.worlds import cut_place
from persona_core.personas.reading import Judge
from persona_core.profiles.building import Rules
from persona_core.profiles.ways.exploring import Way, explored, plain_head
from persona_core.profiles.ways.judging import Worth
from persona_core.profiles.ways.styles import STYLES, Past
from persona_core.profiles.ways.work import LATELY, WORTH, pasts_in, worths_of
from persona_core.workspace import Workspace


class Standing(NamedTuple):
    """How the ways of one person did since the cut."""

    moment: int
    cases: int
    """So many things they came to and liked since."""
    without: int
    """So many of them stand among the first by the newest visits alone."""
    ways: dict[str, Worth]
    """By source and style."""


@dataclass(frozen=True)
class Explorer:
    """One for all sessions; nothing in it changes but what it remembers of people last asked for."""

    pasts: dict[str, Past]
    boundaries: dict[str, int | None]
    book: PhraseBook
    standings: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def open(cls, workspace: Workspace, book: PhraseBook) -> Self:
        settings = workspace.settings
        _, pasts, boundaries = pasts_in(workspace, settings.profiles.recent, Rules(half_life_days=settings.ranking.half_life_days))
        return cls(pasts, boundaries, book, standings_in(workspace))

    def ways(self, user_id: str) -> tuple[Way, ...]:
        """Those worth the most first; none for somebody of whom too little is known."""
        return self._ways(user_id)

    @cached_property
    def _ways(self) -> Callable[[str], tuple[Way, ...]]:
        judge, plain = Judge.load(), plain_head(self.book)

        def made(user_id: str) -> tuple[Way, ...]:
            if user_id not in self.pasts:
                return ()
            found = explored(self.pasts[user_id], self.boundaries[user_id], self.book, judge, plain)
            known = self.standing(user_id)
            worth = known.ways if known else {}
            order = {style.name: place for place, style in enumerate(STYLES)}
            return tuple(
                sorted(found, key=lambda one: (-(worth[one.key].gain if one.key in worth else -99.0), order.get(one.style, 99)))
            )

        return lru_cache(maxsize=256)(made)

    def standing(self, user_id: str) -> Standing | None:
        """None where nobody judged, or there was nothing to judge by."""
        row = self.standings.get(user_id)
        return None if row is None else Standing(int(row["moment"]), int(row["cases"]), int(row["found without"]), row["ways"])


def standings_in(workspace: Workspace) -> dict[str, Any]:
    """What was judged of this very catalogue; empty where nothing was."""
    try:
        made = cut_place(workspace, LATELY.cut).artefact(LATELY.name)
        if made.manifest.because.get("file source") != workspace.artefact("catalog").manifest.content:
            return {}
        return worths_of(made.file(WORTH))
    except (WorkspaceMissing, ArtefactBroken, OSError, ValueError, KeyError, TypeError):
        return {}
