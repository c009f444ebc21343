"""The benchmark of faults reads messages as a person would: which commands, in which order, and of alternatives the first."""

from __future__ import annotations

import pytest

from benchmarks.faults_ground import AGAIN, Row, bare, commands_in, message, shown
from benchmarks.faults_line import Said

PLACE = "--workspace '/tmp/my own/ws'"


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        (f"To mend it: python -m persona_core build --only index {PLACE}", (f"python -m persona_core build --only index {PLACE}",)),
        ("To mend it: ollama serve; then run the same command again: answers are kept", ("ollama serve", AGAIN)),
        (
            f"To mend it: start it (ollama serve), or go on without: PERSONA_OLLAMA_USE=never python -m persona_core build {PLACE}",
            ("ollama serve",),
        ),
        (
            "To mend it: get access (`mount -o remount,rw '/tmp/a disk'`), then run the same command again; or choose another",
            ("mount -o remount,rw '/tmp/a disk'", AGAIN),
        ),
        ("To mend it: mount -o remount,rw '/tmp/a disk'", ("mount -o remount,rw '/tmp/a disk'",)),
        (
            "To mend it: `export PERSONA_OLLAMA_TIMEOUT_S=1`; then run the same command again",
            ("export PERSONA_OLLAMA_TIMEOUT_S=1", AGAIN),
        ),
        ("To mend it: wait for it to end, or stop it; then run the same command again: nothing is lost", (AGAIN,)),
        ("To mend it: look into the log of the server", ()),
        ("/tmp/kill -9/ollama serve is a folder", ()),
    ],
)
def test_the_commands_of_a_message(text: str, commands: tuple[str, ...]) -> None:
    assert commands_in(text) == commands


def test_what_a_person_reads_is_not_the_progress_but_a_traceback_is() -> None:
    assert message(Said(1, "", "[1/9] Reading: done\n\nIt broke.\nBecause.\n")) == "It broke.\nBecause."
    assert message(Said(1, "", "Traceback (most recent call last):\n  x\nValueError: no\n")) == "TRACEBACK ValueError: no"


def test_the_table_hides_nothing() -> None:
    (row,) = shown([Row("a fault", "steps", 3, 1, 2, "It broke in /tmp/a b/workspace.", (), "still broken")])
    assert (row["lost"], row["asked again"], row["which names"], row["mended"]) == (1, 2, "NONE", "NO: still broken")
    assert bare(f"… build {PLACE}") == "… build"
