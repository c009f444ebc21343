"""Other ways to see somebody, as of now: made from what is built, beside what each way was worth at an earlier moment.

The worth of a way is that of its style: made in the same way at the cut of the split, how it put what the person came to since.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Self

import orjson

from persona_core.alignment.head import Head
from persona_core.alignment.phrases import PhraseBook
from persona_core.errors import ArtefactBroken, WorkspaceMissing
from persona_core.evaluation.worlds import cut_place
from persona_core.files import json_lines, write_beside
from persona_core.llm.protocol import LanguageModel
from persona_core.personas.reading import Judge
from persona_core.profiles.evidence import Visit
from persona_core.profiles.ways.asked import asked
from persona_core.profiles.ways.exploring import Way, explored, extracted, plain_head, title_of
from persona_core.profiles.ways.halves import halved
from persona_core.profiles.ways.judging import Worth
from persona_core.profiles.ways.styles import STYLES, Past
from persona_core.profiles.ways.work import LATELY, WORTH, pasts_in, worths_in, worths_of
from persona_core.profiles.ways.written import Candidate
from persona_core.settings import DEMO_DATA
from persona_core.workspace import Workspace

SHIPPED = DEMO_DATA / "ways.jsonl"
UNREADABLE = (WorkspaceMissing, ArtefactBroken, OSError, ValueError, KeyError, TypeError)


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
    newest: dict[str, tuple[str, ...]]
    """Titles of what they did since, the newest first."""
    book: PhraseBook
    standings: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def open(cls, workspace: Workspace, book: PhraseBook) -> Self:
        world, pasts, boundaries = pasts_in(workspace)
        newest = {user: _newest(world.visits[user], past, workspace.settings.profiles.recent) for user, past in pasts.items()}
        return cls(pasts, boundaries, newest, book, standings_in(workspace))

    def ways(self, user_id: str) -> tuple[Way, ...]:
        """Those worth the most first; none for somebody of whom too little is known."""
        return self._ways(user_id)

    def told_by(self, user_id: str, models: Sequence[LanguageModel], tell: Callable[[str], None]) -> tuple[Way, ...]:
        """The same, and what these models write of them; a model that cannot be asked raises what it raises."""
        if user_id not in self.pasts:
            return ()
        told: list[Candidate] = []
        for model in models:
            for one in asked(model, self.pasts[user_id]):
                if isinstance(one, Candidate):
                    told.append(one)
                    tell(f"{model.name}: {title_of(one.style)}")
        return self._made(user_id, told)

    @cached_property
    def _ways(self) -> Callable[[str], tuple[Way, ...]]:
        return lru_cache(maxsize=256)(lambda user_id: self._made(user_id, ()) if user_id in self.pasts else ())

    @cached_property
    def _judge(self) -> tuple[Judge, Head]:
        return Judge.load(), plain_head(self.book)

    def _made(self, user_id: str, told: Sequence[Candidate]) -> tuple[Way, ...]:
        past = self.pasts[user_id]
        found = explored(past, self.boundaries[user_id], [*extracted(past), *told], self.book, *self._judge)
        known = self.standing(user_id)
        worth = known.ways if known else {}
        order = {style.name: place for place, style in enumerate(STYLES)}
        return tuple(
            sorted(found, key=lambda one: (-(worth[one.key].gain if one.key in worth else -99.0), order.get(one.style, 99), one.key))
        )

    def standing(self, user_id: str) -> Standing | None:
        """None where nobody judged, or there was nothing to judge by."""
        row = self.standings.get(user_id)
        return None if row is None else Standing(int(row["moment"]), int(row["cases"]), int(row["found without"]), row["ways"])


def _newest(visits: Sequence[Visit], past: Past, recent: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys(past.titles[one.item] for one in reversed(halved(visits, recent).recent)))


def standings_in(workspace: Workspace, shipped: Path = SHIPPED) -> dict[str, Any]:
    """What was judged of this very catalogue, here or, of the demo world, before it shipped; empty where nothing was."""
    try:
        content = workspace.artefact("catalog").manifest.content
    except (WorkspaceMissing, ArtefactBroken):
        return {}
    try:
        made = cut_place(workspace, LATELY.cut).artefact(LATELY.name)
        if made.manifest.because.get("file source") == content:
            return worths_of(made.file(WORTH))
    except UNREADABLE:
        pass
    try:
        about, *rows = shipped.read_bytes().splitlines()
        fits = orjson.loads(about) == _about(workspace)
        return worths_in(rows) if fits else {}
    except UNREADABLE:
        return {}


def ship_standings(workspace: Workspace, target: Path = SHIPPED) -> Path | None:
    """Writes what was judged here as it ships, without what only pairing needs; None where nothing was judged."""
    rows = standings_in(workspace, shipped=Path(os.devnull))
    if not rows:
        return None
    lean = [{**row, "ways": {key: _lean(worth) for key, worth in row["ways"].items()}} for row in rows.values()]
    write_beside(target, json_lines([_about(workspace), *lean]))
    return target


def _lean(worth: Worth) -> dict[str, Any]:
    return worth.model_dump(mode="json") | {"gains": ()}


def _about(workspace: Workspace) -> dict[str, Any]:
    """What judging depends on beside the code."""
    return {"catalog": workspace.artefact("catalog").manifest.content, "recent": workspace.settings.profiles.recent}
