"""What all faults share: a small world built undisturbed, a person who types commands and reads, and what is noted of each fault."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess  # nosec B404 # our own words, no shell
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.faults_line import Line, Running, Said
from persona_core.steps import STEPS
from persona_core.workspace import Workspace

OURS = "python -m persona_core"
PROGRAMS = r"python -m persona_core|ollama serve|ollama pull|chroma run|mount -|chmod -|export PERSONA_|unset PERSONA_"
BEGINS = rf"(?:[A-Z_]+=\S+ )*(?:{PROGRAMS})"
COMMAND = re.compile(rf"`({BEGINS}[^`]*)`|(?<![\w./`-])({BEGINS}(?:'[^']*'|,(?=\S)|[^`;,()\n])*)")
AGAIN = "same command again"
PROGRESS = re.compile(r"^(\[\d+/\d+\] |Built in |\{\"step\": )")
USER = "u0"
SHOWN = 70
"""So much of a message fits into the table; all of it stands in the JSON."""


@dataclass(frozen=True)
class Row:
    """One fault: what had been said to be done, what of it is there, what the person read, and whether its command mends it."""

    fault: str
    of: str
    """What is counted: steps, answers, pages, events."""
    acknowledged: int
    lost: int
    again: int | None = None
    """Questions to the model that had been answered before and were asked once more; None where there is no model."""
    saw: str = ""
    commands: tuple[str, ...] = ()
    """What the message tells to run."""
    trouble: str = ""
    """What is still not well after that; empty where all is."""
    acts: str = ""
    """What no command can do and the person did before: free some space, take the other's place."""

    @property
    def mended(self) -> bool:
        return not self.trouble

    def as_dict(self) -> dict[str, Any]:
        return {
            "fault": self.fault, "acknowledged": self.acknowledged, "of": self.of, "there": self.acknowledged - self.lost,
            "lost": self.lost, "asked again": self.again, "what the person saw": self.saw, "names": list(self.commands),
            "and did": self.acts, "mended": self.mended, "trouble": self.trouble,
        }  # fmt: skip


@dataclass
class Bench:
    """The ground of one run."""

    home: Path
    line: Line
    quick: bool
    seed: int
    source: Path
    whole: dict[str, Built] = field(default_factory=dict)
    """What an undisturbed build left, without a model and with one."""

    def folder(self, name: str) -> Path:
        """A new one; as people name them, with a space."""
        made = self.home / f"{len(list(self.home.iterdir())):03d} {re.sub(r'[^a-z0-9]+', '-', name.lower())[:40]}"
        made.mkdir()
        return made

    def person(self, name: str, built: str = "", root: Path | None = None, **settings: str) -> Person:
        """Somebody before a workspace of their own: a copy of one that is built, or one that only knows its data."""
        root = root or self.folder(name) / "workspace"
        if built:
            shutil.copytree(self.whole[built].place.root, root, dirs_exist_ok=True)
        return Person(self, Workspace.at(root), {"PERSONA_OLLAMA_USE": "never"} | settings)


@dataclass(frozen=True)
class Built:
    """A whole workspace, what its files are, and what it recommends."""

    place: Workspace
    contents: dict[str, str]
    answer: Any


@dataclass
class Person:
    """Who sits at a terminal."""

    bench: Bench
    place: Workspace
    settings: dict[str, str]
    others: dict[str, Callable[[str], None]] = field(default_factory=dict)
    """What the commands of other programs do here, by how they begin."""

    def with_settings(self, **settings: str) -> Person:
        return replace(self, settings=self.settings | settings)

    def starts(self, *words: str) -> Running:
        return self.bench.line.start([*words, "--workspace", str(self.place.root)], self.settings)

    def types(self, *words: str) -> Said:
        return self.starts(*words).wait()

    def builds(self) -> Said:
        return self.types(*self.build)

    @property
    def build(self) -> tuple[str, ...]:
        return ("build", "--from", str(self.bench.source))

    def obeys(self, commands: Sequence[str], same: Sequence[str] = ()) -> list[Said]:
        """Runs what a message tells to run, word for word; `same` is what they had typed before."""
        said = []
        for command in commands:
            if command == AGAIN:
                said.append(self.types(*same))
            elif other := next((self.others[name] for name in self.others if command.startswith(name)), None):
                other(command)
            elif command.startswith("export "):
                name, _, value = command.removeprefix("export ").partition("=")
                self.settings[name] = value
            elif OURS in command:
                before, _, words = command.partition(OURS)
                extra = dict(word.split("=", 1) for word in shlex.split(before))
                said.append(self.bench.line.start(shlex.split(words), self.settings | extra).wait())
            else:
                subprocess.run(shlex.split(command), check=False)  # nosec B603 # our own words, no shell
        return said

    # What is there -------------------------------------------------------------------------------------------------------

    def finished(self) -> dict[str, str]:
        """When each step that is whole was made."""
        steps = self.types("status", "--json").json()["steps"]
        return {one["step"]: one["built"] for one in steps if one["state"] in ("done", "stale")}

    def not_well(self, built: str) -> str:
        """What distinguishes this workspace from one that was built undisturbed; empty where nothing does."""
        whole = self.bench.whole[built]
        status = self.types("status", "--json")
        if status.code:
            return first_line(status)
        late = [f"{one['step']} is {one['state']}" for one in status.json()["steps"] if one["state"] != "done"]
        if late:
            return ", ".join(late)
        other = sorted(name for name, content in contents(self.place).items() if content != whole.contents[name])
        if other:
            return f"other bytes: {', '.join(other)}"
        said = self.types("recommend", USER, "--json")
        if said.code:
            return first_line(said)
        return "" if said.json()["recommendations"] == whole.answer else "another answer"


def contents(place: Workspace) -> dict[str, str]:
    """The digest of all that each step left, its files read anew."""
    return {step.name: place.artefact(step.name, deep=True).manifest.content for step in STEPS}


def built_by(person: Person) -> Built:
    """All of it, undisturbed."""
    said = person.builds()
    if said.code:
        raise RuntimeError(f"the undisturbed build failed:\n{said.err}")
    answer = person.types("recommend", USER, "--json")
    if answer.code:
        raise RuntimeError(f"nothing is recommended:\n{answer.err}")
    return Built(person.place, contents(person.place), answer.json()["recommendations"])


# Messages ----------------------------------------------------------------------------------------------------------------


def message(said: Said) -> str:
    """What stands there for the person to read, without the lines of progress."""
    if "Traceback (most recent call last)" in said.err:
        return f"TRACEBACK {said.err.strip().splitlines()[-1]}"
    lines = [line for line in said.err.splitlines() if line.strip() and not PROGRESS.match(line)]
    return "\n".join(lines)


def first_line(said: Said) -> str:
    return next(iter(message(said).splitlines()), "" if said.code == 0 else f"(nothing; it ended with {said.code})")


def commands_in(text: str) -> tuple[str, ...]:
    """The commands that a message tells to run, in its order; of alternatives the first. "The same command" is one too."""
    told = text.rpartition("To mend it: ")[2]
    first = re.split(r",? or (?=[a-z])", told)[0] if commands_of(re.split(r",? or (?=[a-z])", told)[0]) else told
    return commands_of(first)


def commands_of(text: str) -> tuple[str, ...]:
    found = ["".join(one).strip().rstrip(".") for one in COMMAND.findall(text)]
    return (*found, AGAIN) if AGAIN in text else tuple(found)


def shown(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """For the table: short, with what is wrong in plain sight."""
    return [
        {
            "fault": row.fault, "acknowledged": row.acknowledged, "of": row.of, "lost": row.lost, "asked again": row.again,
            "saw": clipped(bare(row.saw), SHOWN), "which names": clipped("; ".join(map(bare, row.commands)) or "NONE", 44),
            "mended": "yes" if row.mended else clipped(f"NO: {bare(row.trouble)}", 60),
        }
        for row in rows
    ]  # fmt: skip


def bare(text: str) -> str:
    """Without folders, which are others each time, and with the program's name cut short."""
    short = re.sub(r" --workspace ('[^']*'|\S+)| --from \S+", "", text.replace(OURS, "…"))
    return re.sub(r"'?/\S*( \S*/(workspace|disk))?\S*'?", "…", short).strip()


def clipped(text: str, most: int) -> str:
    line = next(iter(text.splitlines()), "")
    return line if len(line) <= most else f"{line[: most - 1]}…"


def lost_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> int:
    """How many of those that were there are gone or others."""
    return sum(after.get(name) != value for name, value in before.items())
