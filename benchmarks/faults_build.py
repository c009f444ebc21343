"""Faults of the machine while building: killed, the disk full or read-only, files damaged."""

from __future__ import annotations

import json
import shutil
import subprocess  # nosec B404 # our own words, no shell
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random

from benchmarks.faults_ground import AGAIN, Bench, Person, Row, commands_in, first_line, lost_of, message
from benchmarks.faults_line import Running, Said
from persona_core.steps import STEPS

PLAIN = "extraction"
"""The world built without a model."""
ENOUGH_KB = 3 * 2**20
NOTHING = ("nothing",)
"""Where all goes on by itself."""


def rows(bench: Bench) -> Iterator[Row]:
    yield from killed_in_each_step(bench)
    yield from damaged(bench)
    if not bench.quick:
        yield from small_disks(bench)
        yield from read_only(bench)
        yield killed_at_random(bench)


# Killed ------------------------------------------------------------------------------------------------------------------


def phases(running: Running) -> dict[str, str]:
    """Where each step stands, as the command has told."""
    found = {}
    for line in running.err().splitlines():
        if line.startswith('{"step": '):
            try:
                one = json.loads(line)
            except ValueError:  # half of a line
                continue
            found[one["step"]] = one["phase"]
    return found


def told_finished(running: Running) -> set[str]:
    return {name for name, phase in phases(running).items() if phase in ("finished", "skipped", "adopted")}


def kill_within(running: Running, step: str) -> bool:
    """Kills it as soon as it is at this step; whether it was."""
    while not running.ended:
        if step in phases(running):
            running.kill()
            break
        time.sleep(0.002)
    return running.wait().code < 0


def killed_in_each_step(bench: Bench) -> Iterator[Row]:
    """One build, killed in its first step, gone on with by the command that `status` names, killed in its second, and so on."""
    person = bench.person("kill -9")
    steps = [step.name for step in STEPS]
    chosen = steps if not bench.quick else ["aspects"]
    command: tuple[str, ...] = person.build
    for step in chosen:
        running = person.starts(*command, "--progress", "json")
        was_there = kill_within(running, step)
        acknowledged = told_finished(running)
        status = person.types("status")
        finished = person.finished()
        told = commands_in(status.out)
        trouble = "" if was_there else "the step was over too soon to be killed"
        if step == chosen[-1]:
            person.obeys(told)
            trouble = trouble or person.not_well(PLAIN)
        lost = len(acknowledged - set(finished))
        yield Row(f"kill -9 in {step}", "steps", len(acknowledged), lost, None, _last_line(status.out), told, trouble)
        command = ("build",)


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "")


def killed_at_random(bench: Bench) -> Row:
    """Killed again and again at any instant, until a build is faster than the next kill."""
    person, rng = bench.person("kill -9 at any instant"), Random(bench.seed)  # nosec B311 # seeded on purpose
    acknowledged: set[str] = set()
    lost = kills = 0
    told: tuple[str, ...] = ()
    saw = ""
    patience = 0.4
    while True:
        running = person.starts(*person.build, "--progress", "json")
        time.sleep(rng.uniform(0.05, patience))
        running.kill()
        said = running.wait()
        acknowledged |= told_finished(running)
        if said.code == 0:
            break
        kills, patience = kills + 1, patience * 1.25
        status = person.types("status")
        saw, told = _last_line(status.out), commands_in(status.out)
        lost += len(acknowledged - set(person.finished()))
    trouble = person.not_well(PLAIN)
    return Row(f"kill -9 at any instant, {kills} times", "steps", len(acknowledged), lost, None, saw, told, trouble)


# The disk ----------------------------------------------------------------------------------------------------------------


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Callable[[str], None]]:
    """A disk of that size at this folder; gives what changes its options."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "personascope", str(folder)], check=True)  # nosec B603 B607 # our own words, no shell

    def change(options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)  # nosec B603 B607 # our own words, no shell

    try:
        yield change
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)  # nosec B603 B607 # our own words, no shell


def small_disks(bench: Bench) -> Iterator[Row]:
    """A disk that fills up again and again: after each message a little space is freed and the same command typed."""
    folder = bench.folder("disk full") / "disk"
    with small_disk(folder, 8) as change:
        person = bench.person("", root=folder / "workspace")
        size, seen = 8, 0
        before: dict[str, str] = {}
        while True:
            said = person.builds()
            if said.code == 0:
                break
            seen += 1
            after = person.finished()
            yield _full(f"disk full at {size} kB", said, before, after)
            before = after
            size = 2 * size + 8
            change(f"size={size}k")
        trouble = person.not_well(PLAIN)
        row = _full(f"disk full, {seen} times, then enough", said, before, person.finished())
        yield Row(row.fault, row.of, row.acknowledged, row.lost, None, "the build goes on and ends", (AGAIN,), trouble)


def _full(name: str, said: Said, before: dict[str, str], after: dict[str, str]) -> Row:
    told = commands_in(message(said))
    trouble = "" if AGAIN in told else "the message does not say how to go on"
    return Row(name, "steps", len(before), lost_of(before, after), None, first_line(said), told, trouble, "freed some space")


def read_only(bench: Bench) -> Iterator[Row]:
    """The disk of a built workspace becomes read-only: looking goes on, building says why not."""
    folder = bench.folder("read-only") / "disk"
    with small_disk(folder, ENOUGH_KB) as change:
        person = bench.person("", PLAIN, folder / "workspace")
        before = person.finished()
        change("ro")
        trouble = person.not_well(PLAIN)
        yield Row("read-only: status, recommend", "steps", len(before), 0, None, "answers as before", NOTHING, trouble)
        for name, settings in (("doctor", {}), ("build", {"PERSONA_RANKING_HALF_LIFE_DAYS": "100"})):
            change("ro")
            other = person.with_settings(**settings)
            said = other.types(name)
            found = said if said.code else Said(1, "", about_trouble(said))
            told = commands_in(message(found))
            lost = lost_of(before, person.finished())
            other.obeys(told, (name,))
            mended = other.types("build").code == 0 and person.types("build").code == 0
            trouble = person.not_well(PLAIN) if mended else "it still cannot be built"
            yield Row(f"read-only: {name}", "steps", len(before), lost, None, first_line(found), told, trouble)


# Damage ------------------------------------------------------------------------------------------------------------------


def damaged(bench: Bench) -> Iterator[Row]:
    """Files of a built workspace, each hurt in one way; the person asks for a recommendation and does what they are told."""
    for name, hurt in damages(bench):
        yield _hurt(bench, name, hurt)


Hurt = Callable[[Person], object]


def damages(bench: Bench) -> Iterator[tuple[str, Hurt]]:
    yield "truncated: two steps", partial(_cut_in, ("aspects", "personas"))
    if bench.quick:
        return
    for step in STEPS:
        yield f"truncated: {step.name}", partial(_cut_in, (step.name,))
    yield "truncated: all steps", partial(_cut_in, [step.name for step in STEPS])
    yield "swapped: two vectors", _swap
    yield "a flipped byte: alignment", lambda person: flip(biggest(person, "alignment"))
    yield "newer version: personas", lambda person: _newer(person, "personas")
    yield "newer version: catalog", lambda person: _newer(person, "catalog")
    yield "empty manifest: profiles", lambda person: _emptied(person.place.artefact("profiles").folder / "manifest.json")
    yield "pointer to nothing: ranking", lambda person: _point(person, "ranking", "0" * 16)
    yield "pointer is rubbish: ranking", lambda person: _point(person, "ranking", "\x00\xff/..")
    yield "a step's folder gone: profiles", lambda person: shutil.rmtree(person.place.step_folder("profiles"))


def _hurt(bench: Bench, name: str, hurt: Hurt) -> Row:
    person = bench.person(name, PLAIN)
    before = person.finished()
    hurt(person)
    saw = ""
    told: list[str] = []
    for _ in STEPS:  # one who mended one thing may be told of the next
        found = look(person)
        if found is None:
            break
        saw = saw or first_line(found)
        commands = commands_in(message(found) or found.out)
        told += [one for one in commands if one not in told]
        if not commands:
            break
        person.obeys(commands, ("recommend", "u0"))
    trouble = person.not_well(PLAIN)
    lost = len(before.keys() - person.finished().keys())
    return Row(name, "steps", len(before), lost, None, saw, tuple(told), trouble)


def look(person: Person) -> Said | None:
    """The first of what a person would look at that tells of something wrong."""
    for words in (("recommend", "u0"), ("doctor",), ("status",)):
        said = person.types(*words)
        if said.code or "To bring it up to date" in said.out:
            return said if words[0] == "recommend" else Said(1, said.out, about_trouble(said))
    return None


def about_trouble(said: Said) -> str:
    """The lines of `doctor` or `status` that tell of something wrong, with what mends it."""
    lines = said.out.splitlines()
    at = next((at for at, line in enumerate(lines) if line.lstrip()[:1] in ("✗", "~")), None)
    if at is None:
        return said.err or said.out
    mend = next((line for line in lines[at:] if "→" in line or "To bring it up to date" in line), "")
    return f"{' '.join(lines[at].split())}\nTo mend it: {mend.strip().removeprefix('→').strip()}"


def biggest(person: Person, step: str) -> Path:
    folder = person.place.artefact(step).folder
    return max((file for file in folder.iterdir() if file.name != "manifest.json"), key=lambda file: file.stat().st_size)


def _cut_in(steps: Sequence[str], person: Person) -> None:
    for file in [biggest(person, step) for step in steps]:
        _cut(file)


def _cut(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


def _emptied(file: Path) -> None:
    file.write_bytes(b"")


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def _swap(person: Person) -> None:
    one, other = (person.place.artefact(step).file("vectors.safetensors") for step in ("aspects", "personas"))
    kept = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(kept)


def _newer(person: Person, step: str) -> None:
    file = person.place.artefact(step).folder / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"format": 99, "made_by": "7.0.0"}))


def _point(person: Person, step: str, version: str) -> None:
    (person.place.step_folder(step) / "current").write_bytes(version.encode("latin-1"))
