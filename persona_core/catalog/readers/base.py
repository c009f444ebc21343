"""What a reader is, and the one loop that all readers of JSON lines share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from persona_core.catalog.fields import ItemFields, Position, Reject, ReviewFields, ReviewRow
from persona_core.catalog.lines import json_rows
from persona_core.errors import SourceError
from persona_core.settings import SourceSettings

LONGEST_PRICE, LONGEST_KEY = 100, 100
"""In characters; what is longer is no price and no name of a fact."""


class Reader(ABC):
    """Reads one form of data set: its reviews as a stream, its items and users as far as they are wanted."""

    name: ClassVar[str]
    """What `--reader` calls it."""
    says: ClassVar[str]
    """The form of data, in words for people."""

    def __init__(self, source: SourceSettings) -> None:
        self.source = source

    @property
    @abstractmethod
    def review_files(self) -> list[Path]: ...

    @property
    def other_files(self) -> list[Path]:
        """Files beside the reviews: items, users."""
        return [file for file in (self.source.items, self.source.users) if file is not None]

    @property
    def default_scenario(self) -> str:
        """The scenario of items that name none."""
        return self.source.scenario or self.name

    @abstractmethod
    def reviews(self, file: Path, position: Position) -> Iterator[ReviewRow]: ...

    def items(self) -> Iterator[tuple[int, ItemFields | Reject]]:
        """What is known of the items; one that is missing here is made from its id."""
        return iter(())

    def users(self) -> Iterator[tuple[str, str]]:
        """User ids with the names to show."""
        return iter(())


class JsonLinesReader(Reader):
    """A reader whose reviews are one JSON object a line."""

    wanted: ClassVar[tuple[str, ...]]
    """Keys without which a file is of another form; the first usable row must have them."""

    @abstractmethod
    def pick(self, row: dict[str, Any]) -> ReviewFields: ...

    def reviews(self, file: Path, position: Position) -> Iterator[ReviewRow]:
        pick, checked = self.pick, False
        for line, row in json_rows(file, position):
            if type(row) is Reject:
                yield line, row
                continue
            if not checked:
                self._check_form(file, row)  # type: ignore[arg-type]
                checked = True
            yield line, pick(row)  # type: ignore[arg-type]

    def _check_form(self, file: Path, row: dict[str, Any]) -> None:
        missing = [key for key in self.wanted if key not in row]
        if missing:
            raise SourceError(
                f"{file} is not {self.says}: its first row has no {', '.join(missing)}.",
                why=f"It has {', '.join(sorted(row)[:20])}; wanted are {', '.join(self.wanted)}.",
                mend="name the right file with --from, another --reader, or map its columns: --map user=… --map item=…",
            )


def id_of(value: Any) -> str:
    """An item's or a person's id; nothing where it is no text and no number."""
    return str(value).strip() if isinstance(value, str | int | float | Decimal) and not isinstance(value, bool) else ""


def text_of(value: Any) -> str:
    """One text from what catalogues put there: a text, a list of them, or nothing."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return "\n".join(part.strip() for part in value if isinstance(part, str) and part.strip())
    return ""


def price_of(value: Any) -> float | None:
    """A price from 12.5, "12.50", "$1,299.00" or "from 4.99"; nothing from anything else."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value) if 0 <= value < 1e7 else None
    if not isinstance(value, str | Decimal):
        return None
    words = str(value)[:LONGEST_PRICE].replace("$", " ").replace("£", " ").replace("€", " ").replace(",", "").split()
    for word in words:
        try:
            number = float(word)
        except ValueError:
            continue
        return number if 0 <= number < 1e7 else None
    return None


def attributes_of(row: dict[str, Any], keys: tuple[str, ...], longest: int = 12) -> dict[str, str]:
    """Small readable facts: the named keys whose values are single things, or short lists of them."""
    found: dict[str, str] = {}
    for key in keys:
        value = row.get(key)
        if isinstance(value, dict):
            found |= {str(k)[:LONGEST_KEY]: str(v) for k, v in list(value.items())[:longest] if isinstance(v, str | int | float)}
        elif isinstance(value, list):
            parts = [str(part) for part in value[:longest] if isinstance(part, str | int | float)]
            if parts:
                found[key] = ", ".join(parts)
        elif isinstance(value, str | int | float) and str(value).strip():
            found[key] = str(value)
    return {key: value[:300] for key, value in found.items()}
