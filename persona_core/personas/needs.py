"""The needs for which people buy: what one wants who has it, how they decide, and what they are called."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("needs.toml")
PRAISE, PURPOSE, CONTEXT = 6, 10, 13
"""Where, among a need's seeds, the praise ends, then the purposes, then the contexts; preferences follow."""


@dataclass(frozen=True, slots=True)
class Need:
    id: str
    phrase: str
    names: tuple[str, ...]
    wants: str
    decides: str
    seeds: tuple[str, ...]
    faults: tuple[str, ...]


@cache
def read_needs() -> tuple[Need, ...]:
    raw = tomllib.loads(FILE.read_text("utf-8"))
    return tuple(
        Need(
            id=name,
            phrase=table["phrase"],
            names=tuple(table["names"]),
            wants=table["wants"],
            decides=table["decides"],
            seeds=tuple(table["seeds"]),
            faults=tuple(table["faults"]),
        )
        for name, table in raw.items()
    )
