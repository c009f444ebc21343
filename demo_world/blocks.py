"""Reads the authored building blocks and says, by file and place, what is wrong with them.

`python -m demo_world.blocks FILE …` checks single files while they are being written.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BLOCKS = Path(__file__).parent / "blocks"
SCENARIOS = ("books", "kitchen", "outdoors")
SHAPES = (
    "steady", "rising", "fading", "spiky", "new",
    "spring", "summer", "autumn", "winter",
)  # fmt: skip
SLOTS = frozenset({"item", "part", "person", "kid", "span", "season"})
LINE_KEYS = {
    "purpose": ("purpose", "neutral"),
    "context": ("context", "neutral"),
    "preference": ("preference", "neutral"),
    "good": ("quality", "positive"),
    "bad": ("quality", "negative"),
}
WORN_OUT = (
    "game changer", "game-changer", "must-have", "must have", "blown away", "chef's kiss", "highly recommend",
    "exceeded my expectations", "exceeds expectations", "testament", "tapestry", "delve", "elevate", "seamless",
    "can't go wrong", "hidden gem", "worth every penny", "nestled",
)  # fmt: skip
SLOT = re.compile(r"\{(\w*)\}")
CHOICE = re.compile(r"\[([^\[\]]*)\]")
INNER_STOP = re.compile(r"(?<!\bvs)(?<!\bMr)(?<!\bDr)(?<!\bMrs)(?<!\bSt)[.!?…]+[\"')]?\s+\S")


class BlockError(ValueError):
    """A block file breaks the rules; the message lists every place."""


@dataclass(frozen=True, slots=True)
class Line:
    """One authored sentence: what it says, of which motive, and how it feels about the item."""

    id: str
    text: str
    kind: str | None
    mood: str
    motive: str | None


@dataclass(frozen=True, slots=True)
class Motive:
    id: str
    phrase: str
    scenarios: tuple[str, ...]
    goes_with: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ItemBlock:
    """An authored item: the catalogue's words, whom it serves and disappoints, and what reviewers say of it."""

    id: str
    scenario: str
    title: str
    maker: str
    type: str
    noun: str
    price: float
    description: str
    attributes: dict[str, str]
    parts: tuple[str, ...]
    serves: dict[str, float]
    disappoints: dict[str, float]
    shape: str
    lines: tuple[Line, ...]


def read_motives(folder: Path = BLOCKS) -> dict[str, Motive]:
    raw = tomllib.loads((folder / "motives.toml").read_text("utf-8"))
    return {
        name: Motive(
            id=name,
            phrase=table["phrase"],
            scenarios=tuple(s for s in SCENARIOS if s in table),
            goes_with=tuple(table["goes_with"]),
        )
        for name, table in raw.items()
    }


def read_items(folder: Path = BLOCKS) -> list[ItemBlock]:
    motives = read_motives(folder)
    items = [item for file in sorted((folder / "items").glob("*.toml")) for item in items_of(file, motives)]
    repeated = {item.id for item in items if sum(other.id == item.id for other in items) > 1}
    if repeated:
        raise BlockError(f"item ids stand twice: {sorted(repeated)}")
    return items


def read_lines(folder: Path = BLOCKS) -> dict[str, list[Line]]:
    """The lines that fit any item of a scenario, by scenario."""
    motives = read_motives(folder)
    return {file.stem: lines_of(file, motives) for file in sorted((folder / "lines").glob("*.toml"))}


def lines_of(file: Path, motives: dict[str, Motive]) -> list[Line]:
    raw = tomllib.loads(file.read_text("utf-8"))
    lines = [line for motive, table in raw.items() for line in _table_lines(file.stem, motive, table)]
    faults = [fault for line in lines for fault in line_faults(line)]
    faults += _motive_faults(file.stem, raw, motives)
    _raise_if(faults, file)
    return lines


def items_of(file: Path, motives: dict[str, Motive]) -> list[ItemBlock]:
    scenario = file.stem.split("_")[0]
    items, faults = [], []
    for raw in tomllib.loads(file.read_text("utf-8"))["item"]:
        try:
            item = _item(raw, scenario)
        except (KeyError, TypeError, ValueError) as error:
            faults.append(f"{raw.get('id', '?')}: missing or misplaced {error}")
            continue
        items.append(item)
        faults += [f"{item.id}: {fault}" for fault in _item_faults(item, motives)]
    _raise_if(faults, file)
    return items


def _item(raw: dict[str, Any], scenario: str) -> ItemBlock:
    unknown = set(raw) - set(ItemBlock.__slots__)
    if unknown:
        raise ValueError(f"unknown keys {sorted(unknown)}")
    return ItemBlock(
        id=raw["id"],
        scenario=scenario,
        title=raw["title"],
        maker=raw["maker"],
        type=raw["type"],
        noun=raw["noun"],
        price=float(raw["price"]),
        description=raw["description"],
        attributes={key: str(value) for key, value in raw["attributes"].items()},
        parts=tuple(raw["parts"]),
        serves=dict(raw["serves"]),
        disappoints=dict(raw["disappoints"]),
        shape=raw["shape"],
        lines=tuple(line for motive, table in raw["lines"].items() for line in _table_lines(raw["id"], motive, table)),
    )


def _table_lines(prefix: str, motive: str, table: dict[str, list[str]]) -> Iterator[Line]:
    for key, texts in table.items():
        kind, mood = LINE_KEYS[key]
        for number, text in enumerate(texts):
            yield Line(f"{prefix}/{motive}/{key}/{number}", text, kind, mood, motive)


def line_faults(line: Line) -> list[str]:
    """What is wrong with one sentence; an empty list when nothing is."""
    text, faults = line.text, []
    unknown = set(SLOT.findall(text)) - SLOTS
    if unknown:
        faults.append(f"unknown slots {sorted(unknown)}")
    if text.count("[") != text.count("]") or re.search(r"\[[^\]]*\[", text):
        faults.append("brackets do not pair or are nested")
    if any("|" not in choice for choice in CHOICE.findall(text)):
        faults.append("a choice without |")
    if not re.search(r"[.!?…][\"')]?$", text):
        faults.append("no full stop at the end")
    if INNER_STOP.search(text):
        faults.append("more than one sentence")
    if re.search(r"[<>&—]", text):
        faults.append("has one of < > & —")
    longest = CHOICE.sub(lambda choice: max(choice[1].split("|"), key=len), text)
    if not 2 <= len(longest.split()) <= 40:
        faults.append("shorter than 2 or longer than 40 words")
    faults += [f"worn-out phrase {phrase!r}" for phrase in WORN_OUT if phrase in text.lower()]
    return [f"{line.id}: {fault}: {text}" for fault in faults]


def _motive_faults(scenario: str, used: dict[str, Any], motives: dict[str, Motive]) -> list[str]:
    known = {motive.id for motive in motives.values() if scenario in motive.scenarios}
    return [f"{motive!r} is no motive of {scenario}; there are {sorted(known)}" for motive in used if motive not in known]


def _item_faults(item: ItemBlock, motives: dict[str, Motive]) -> list[str]:
    faults = [fault for line in item.lines for fault in line_faults(line)]
    faults += _motive_faults(item.scenario, item.serves | item.disappoints, motives)
    if not 2 <= len(item.serves) <= 4 or not 1 <= len(item.disappoints) <= 3:
        faults.append("serves 2 to 4 motives and disappoints 1 to 3")
    if set(item.serves) & set(item.disappoints):
        faults.append("serves and disappoints the same motive")
    if any(not 0 < strength <= 1 for strength in (*item.serves.values(), *item.disappoints.values())):
        faults.append("a strength outside 0 to 1")
    if item.shape not in SHAPES:
        faults.append(f"shape {item.shape!r} is none of {SHAPES}")
    spoken = {(line.motive, line.mood) for line in item.lines}
    faults += [f"no good line for {m}" for m in item.serves if (m, "positive") not in spoken]
    faults += [f"no bad line for {m}" for m in item.disappoints if (m, "negative") not in spoken]
    strangers = {line.motive for line in item.lines} - set(item.serves) - set(item.disappoints)
    if strangers:
        faults.append(f"lines of motives it neither serves nor disappoints: {sorted(strangers, key=str)}")
    if len(item.lines) < 9 or len(item.parts) < 3:
        faults.append("fewer than 9 lines or 3 parts")
    return faults


def _raise_if(faults: list[str], file: Path) -> None:
    if faults:
        raise BlockError(f"{file.name}: {len(faults)} faults\n  " + "\n  ".join(faults))


def check(paths: list[Path]) -> int:
    """Prints what each file holds or what is wrong with it; returns the number of bad files."""
    motives, bad = read_motives(), 0
    for path in paths:
        try:
            if path.parent.name == "items":
                items = items_of(path, motives)
                print(f"{path.name}: fine, {len(items)} items, {sum(len(item.lines) for item in items)} lines")
            else:
                print(f"{path.name}: fine, {len(lines_of(path, motives))} lines")
        except (BlockError, tomllib.TOMLDecodeError, KeyError) as error:
            bad += 1
            print(f"{path.name}: {error}")
    return bad


if __name__ == "__main__":
    sys.exit(check([Path(name) for name in sys.argv[1:]]))
