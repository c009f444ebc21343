"""What every reader hands over: rows as they stand in the file, not yet judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

ReviewFields = tuple[Any, Any, Any, Any, Any, Any, Any]
"""user, item, rating, time, text, review id or None, user's name or None. A bare tuple: millions of them pass by."""


class Reject(NamedTuple):
    """Why a row cannot be used."""

    reason: str
    detail: str = ""


ReviewRow = tuple[int, ReviewFields | Reject]
"""The row's line in its file, counted from 1, and what stands there."""


@dataclass(frozen=True, slots=True)
class ItemFields:
    id: str
    title: str = ""
    scenario: str = ""
    maker: str = ""
    description: str = ""
    price: float | None = None
    price_band: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Position:
    """How far into the files a reader has come, in bytes."""

    done: int = 0
    total: int = 0
