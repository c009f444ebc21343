"""What a curator has said of personas: hidden or renamed, with a note; kept beside what is built, so that it survives rebuilds.

Nothing is ever taken away from the file: to undo is to add a line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import orjson
from pydantic import Field, ValidationError

from persona_core.errors import PersonaError, readable_disk_errors
from persona_core.files import append_line, digest
from persona_core.schema import Frozen, Persona
from persona_core.workspace import Workspace

FILE = "curation.jsonl"
SHORTEST_NAME, LONGEST_NAME, LONGEST_NOTE = 2, 60, 500


class Action(StrEnum):
    HIDE = "hide"
    RENAME = "rename"
    RESTORE = "restore"
    """Takes back the last thing said of the persona that still held."""


class Entry(Frozen):
    """One thing said of one persona."""

    time: datetime
    item_id: str
    persona_id: str
    quotes: tuple[str, ...] = ()
    """The reviews it stands on: by them it is found again where a rebuild gave it another id."""
    action: Action
    name: str = Field(default="", max_length=LONGEST_NAME)
    note: str = Field(default="", max_length=LONGEST_NOTE)


class CurationRefused(PersonaError):
    """Something that cannot be said of a persona, in words for the one who tried it."""


# Reading -----------------------------------------------------------------------------------------------------------------


def read_entries(root: Path) -> tuple[Entry, ...]:
    """Everything said so far, in order. A line that is torn or not understood counts for nothing."""
    return tuple(_understood(_content(root)))


def fingerprint(root: Path) -> str:
    """Changes whenever something is said: a part of the key under which what is shown is kept."""
    content = _content(root)
    return digest(content)[:16] if content else ""


def _content(root: Path) -> bytes:
    try:
        return (root / FILE).read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise PersonaError(
            "What curators said of personas cannot be read.", why=f"{root / FILE}: {error}.", mend=f"make {root / FILE} readable"
        ) from error


def _understood(content: bytes) -> Iterator[Entry]:
    for line in content.split(b"\n"):
        try:
            yield Entry.model_validate_json(line)
        except ValidationError:
            continue


# What follows from it ----------------------------------------------------------------------------------------------------


def held(personas: Sequence[Persona], entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """For each persona that something is said of: what still holds, the latest last. What concerns no persona here is left out."""
    known = {one.id: one for one in personas}
    of_item: dict[str, list[Persona]] = {}
    for one in personas:
        of_item.setdefault(one.item_id, []).append(one)
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        persona = _meant(entry, known, of_item)
        if persona is None:
            continue
        said = found.setdefault(persona.id, [])
        if entry.action is not Action.RESTORE:
            said.append(entry)
        elif said:
            said.pop()
    return {persona: said for persona, said in found.items() if said}


def _meant(entry: Entry, known: dict[str, Persona], of_item: dict[str, list[Persona]]) -> Persona | None:
    """The persona of that id, or else the one of the item that shares most of its quotes, if at least half."""
    own = known.get(entry.persona_id)
    if own is not None and own.item_id == entry.item_id:
        return own
    quotes = set(entry.quotes)

    def shared(persona: Persona) -> int:
        return len(quotes & {quote.review_id for quote in persona.quotes})

    best = max(of_item.get(entry.item_id, ()), key=lambda one: (shared(one), one.id), default=None)
    return best if best is not None and quotes and 2 * shared(best) >= len(quotes) else None


def curated(personas: Sequence[Persona], entries: Iterable[Entry]) -> list[Persona]:
    """The personas as they are shown, in their order: without the hidden ones, the renamed ones under their new names."""
    holds = {persona: said[-1] for persona, said in held(personas, entries).items()}
    return [_as_shown(one, holds.get(one.id)) for one in personas if one.id not in holds or holds[one.id].action is not Action.HIDE]


def _as_shown(persona: Persona, entry: Entry | None) -> Persona:
    return persona.model_copy(update={"name": entry.name}) if entry else persona


# Saying something --------------------------------------------------------------------------------------------------------


def hide(place: Workspace, persona: Persona, note: str = "") -> Entry:
    return _said(place, lambda _: _about(persona, Action.HIDE, note=note))


def rename(place: Workspace, persona: Persona, name: str, note: str = "") -> Entry:
    return _said(place, lambda _: _about(persona, Action.RENAME, name=checked_name(name), note=note))


def undo(place: Workspace, persona: Persona, entry: Entry) -> Entry:
    """Takes `entry` back, if it is still what holds for the persona: somebody else may have been quicker."""

    def make(entries: Sequence[Entry]) -> Entry:
        said = held([persona], entries).get(persona.id)
        if not said or said[-1] != entry:
            raise CurationRefused("This was changed meanwhile.", mend="look again at what holds now")
        return _about(persona, Action.RESTORE)

    return _said(place, make)


def checked_name(name: str) -> str:
    """The name with single spaces. Raises CurationRefused where nobody could read it."""
    words = " ".join(name.split())
    if not SHORTEST_NAME <= len(words) <= LONGEST_NAME:
        raise CurationRefused(
            f"A name has {SHORTEST_NAME} to {LONGEST_NAME} characters; this one has {len(words)}.", mend="choose another"
        )
    if not words.isprintable():
        raise CurationRefused("The name has characters that nobody can see.", mend="type it anew")
    return words


def _about(persona: Persona, action: Action, name: str = "", note: str = "") -> Entry:
    seen = "".join(sign if sign.isprintable() else " " for sign in note)
    return Entry(
        time=datetime.now(UTC),
        item_id=persona.item_id,
        persona_id=persona.id,
        quotes=tuple(dict.fromkeys(quote.review_id for quote in persona.quotes)),
        action=action,
        name=name,
        note=" ".join(seen.split())[:LONGEST_NOTE],
    )


def _said(place: Workspace, make: Callable[[Sequence[Entry]], Entry]) -> Entry:
    if place.settings.readonly:
        raise CurationRefused("This app only reads.", why="The setting readonly is on.", mend="PERSONA_READONLY=false")
    made: list[Entry] = []

    def line(content: bytes) -> bytes:
        made.append(make(tuple(_understood(content))))
        return orjson.dumps(made[-1].model_dump(mode="json"))

    with readable_disk_errors(place.root):
        append_line(place.root / FILE, line)
    return made[-1]
