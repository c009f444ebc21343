"""What ships with the demo world ready made, so that nobody waits for it: taken where the very same would come out, and nowhere else.

A step's files lie in a folder of its name, beside a card that says in its mark what they were made of. `PERSONA_SHIPPED=false` makes
all of it anew; tests hold what ships to what making it gives, and `python -m demo_world.ship` renews it.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

from persona_core.files import canonical_json
from persona_core.settings import DEMO_DATA

CARD, MARK = "card.json", "made of"


def shipped_of(step: str) -> Path:
    return DEMO_DATA / step


def mark_of(parts: Iterable[Any]) -> str:
    """Of all that a step looks at, in words and whole numbers: vectors differ in their last digits from machine to machine."""
    mark = hashlib.sha256()
    for part in parts:
        mark.update(canonical_json(part) + b"\n")
    return mark.hexdigest()


def take_shipped(mark: str, folder: Path, names: Iterable[str], into: Path) -> dict[str, Any] | None:
    """Puts the shipped files where making them would leave them, and gives back the card; None where they are of other things."""
    try:
        card: dict[str, Any] = orjson.loads((folder / CARD).read_bytes())
        if card[MARK] != mark:
            return None
        for name in names:
            shutil.copyfile(folder / name, into / name)
    except (OSError, ValueError, KeyError, TypeError):
        return None  # what does not ship, or not whole, is made
    return card
