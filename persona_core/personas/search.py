"""Finds items and personas by the words they are told in, and personas by what the words mean."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from persona_core.schema import Item, Persona
from persona_core.text.encoder import Matrix

LONGEST_QUERY = 200
MOST = 12
CLOSE = 0.3
"""From this cosine on, a persona means something like the query."""
TOLD, NAMED = 1, 2
"""What a word weighs: where it stands in a name or title it says more."""
WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Found:
    """One item or persona, and how it was found."""

    kind: Literal["item", "persona"]
    id: str
    by: Literal["words", "meaning"]
    cosine: float | None = None
    """Of what was found by meaning."""


@dataclass(frozen=True, slots=True)
class Told:
    """Something that can be found: the words of its name, and those and all others that tell of it, each after a space."""

    id: str
    name: str
    all: str

    @classmethod
    def of(cls, id: str, name: str, *others: str) -> Told:
        return cls(id, spaced(name), spaced(" ".join((name, *others))))


@dataclass(frozen=True, slots=True)
class Shelf:
    """Everything that can be searched, its words folded once."""

    items: tuple[Told, ...]
    personas: tuple[Told, ...]
    item_of: dict[str, str]
    vectors: Matrix = field(repr=False)
    """The base encoder's, one row a persona, of length 1."""

    @classmethod
    def of(cls, items: Sequence[Item], personas: Sequence[Persona], vectors: Matrix) -> Shelf:
        return cls(
            tuple(Told.of(one.id, f"{one.title} {one.maker}", one.description, *one.attributes.values()) for one in items),
            tuple(Told.of(one.id, one.name, one.description, *one.traits) for one in personas),
            {one.id: one.item_id for one in personas},
            vectors,
        )


def search(query: str, shelf: Shelf, encode: Callable[[Sequence[str]], Matrix] | None, most: int = MOST) -> list[Found]:
    """Items, then personas, at most so many of each: first those with all the words, then those that mean something like it.

    Args:
        encode: the base encoder's topics of texts; None to go by words alone.
    """
    asked = cleaned(query)
    words = spaced(asked).split()
    if not words:
        return []
    items = [Found("item", id, "words") for id in _with_words(words, shelf.items)]
    personas = [Found("persona", id, "words") for id in _with_words(words, shelf.personas)]
    if encode is not None and len(shelf.vectors):
        meant = _meant(asked, shelf, encode)
        personas += meant
        items += [Found("item", shelf.item_of[one.id], "meaning", one.cosine) for one in meant]
    return [*_once(items)[:most], *_once(personas)[:most]]


def cleaned(query: str) -> str:
    """The query as one short line that can be encoded: what cannot be printed is a space."""
    printable = "".join(sign if sign.isprintable() else " " for sign in query[: 4 * LONGEST_QUERY])
    return " ".join(printable.split())[:LONGEST_QUERY].strip()


def spaced(text: str) -> str:
    """The words of a text without accents and case, each after a space."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    return "".join(f" {word}" for word in WORD.findall(plain.casefold()))


def _with_words(words: Sequence[str], told: Sequence[Told]) -> list[str]:
    """Those in which every word stands or begins one; those that have them in their names first, then in the order given."""
    beginnings = [f" {word}" for word in words]
    found = [one for one in told if all(beginning in one.all for beginning in beginnings)]
    weight = {one.id: sum(NAMED if beginning in one.name else TOLD for beginning in beginnings) for one in found}
    return [one.id for one in sorted(found, key=lambda one: -weight[one.id])]


def _meant(asked: str, shelf: Shelf, encode: Callable[[Sequence[str]], Matrix]) -> list[Found]:
    cosines = shelf.vectors @ encode([asked])[0]
    rows = np.argsort(-cosines, kind="stable")
    return [
        Found("persona", shelf.personas[row].id, "meaning", float(np.clip(cosines[row], -1.0, 1.0)))
        for row in rows.tolist()
        if cosines[row] >= CLOSE
    ]


def _once(found: Sequence[Found]) -> list[Found]:
    first: dict[str, Found] = {}
    for one in found:
        first.setdefault(one.id, one)
    return list(first.values())
