"""The two time scales of a history: an older part that a profile compresses, and the newest visits, which stay raw beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from persona_core.profiles.evidence import Visit

RECENT = 10


@dataclass(frozen=True, slots=True)
class Halves:
    """Both in order of time."""

    older: tuple[Visit, ...]
    recent: tuple[Visit, ...]

    @property
    def boundary(self) -> int | None:
        """When the newest part begins; None where nothing stays raw."""
        return self.recent[0].time if self.recent else None


def halved(visits: Sequence[Visit], recent: int = RECENT) -> Halves:
    """The newest so many stay raw, but never more than half: of a short history, too, something is left to compress."""
    kept = min(max(recent, 0), len(visits) // 2)
    ordered = sorted(visits, key=lambda one: (one.time, one.review_id))
    return Halves(tuple(ordered[: len(ordered) - kept]), tuple(ordered[len(ordered) - kept :]))
