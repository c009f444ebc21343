"""What the disk and the database can do to a study, with many writers: killed, locked, full, restarted. For study_load."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sqlite3
import time
from collections.abc import Callable
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from persona_core.study.store import StoreUnavailable, StudyStore
from tests.support import postgres as machine

STUDY, DESIGN = "faults", "0" * 64
SPAWN = multiprocessing.get_context("spawn")
FULL_BYTES = 1_500_000
"""No file of a writer may grow beyond: as a disk that is full."""


def faults(folder: Path, quick: bool) -> list[dict[str, Any]]:
    writers, seconds = (4, 2.0) if quick else (16, 10.0)
    rows = []
    for name, hurt, limit in (
        ("nothing", lambda *_: None, 0), ("writers killed -9", _kill_half, 0), ("database locked for 4 s", _lock, 0),
        ("disk full", lambda *_: None, FULL_BYTES),
    ):  # fmt: skip
        url = f"sqlite:///{folder}/{name.replace(' ', '-')}.sqlite"
        rows.append({"database": "SQLite", "fault": name, **_round(url, folder, writers, seconds, hurt, limit)})
    if not machine.why_not():
        with machine.postgres() as url:
            for name, hurt in (("nothing", lambda *_: None), ("writers killed -9", _kill_half), ("server restarted", _restart)):
                rows.append({"database": "PostgreSQL", "fault": name, **_round(url, folder, writers, seconds, hurt, 0)})
    return rows


Hurt = Callable[[str, list[Any]], None]


def _round(url: str, folder: Path, writers: int, seconds: float, hurt: Hurt, limit: int) -> dict[str, Any]:
    """All write as fast as they can; each notes on a file of its own what was acknowledged."""
    StudyStore(url).close()
    go, stop = SPAWN.Event(), SPAWN.Event()
    notes = [folder / f"note-{time.monotonic_ns()}-{at}" for at in range(writers)]
    running = [SPAWN.Process(target=_write, args=(url, note, go, stop, limit)) for note in notes]
    for one in running:
        one.start()
    while not all(note.exists() and note.stat().st_size for note in notes):
        time.sleep(0.05)
    go.set()
    began = time.perf_counter()
    time.sleep(seconds / 2)
    hurt(url, running)
    time.sleep(seconds / 2)
    stop.set()
    for one in running:
        one.join(60)
    return _told(url, notes, time.perf_counter() - began)


def _write(url: str, note: Path, go: Event, stop: Event, limit: int) -> None:
    store = StudyStore(url)
    who, token = store.enrol(STUDY, DESIGN)
    with note.open("w", buffering=1) as told:
        told.write(f"{token}\n")
        go.wait()
        if limit:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        at = 0
        while not stop.is_set():
            try:
                store.append(who, "answered", {"question": at, "value": "x" * 200}, f"k{at}")
                told.write(f"k{at}\n")
                at += 1
            except StoreUnavailable:
                told.write("refused\n")
                time.sleep(0.2)


def _told(url: str, notes: list[Path], seconds: float) -> dict[str, Any]:
    store = StudyStore(url)
    acknowledged = stored = lost = refused = 0
    for note in notes:
        token, *lines = note.read_text().splitlines()
        who = store.participant(token)
        kept = {one.key for one in store.events(who)} if who else set()
        keys = {line for line in lines if line.startswith("k")}
        acknowledged, stored = acknowledged + len(keys), stored + len(kept)
        lost, refused = lost + len(keys - kept), refused + lines.count("refused")
    store.close()
    return {"writers": len(notes), "acknowledged": acknowledged, "stored": stored, "lost": lost, "refused": refused,
            "events/s": acknowledged / seconds}  # fmt: skip


# What happens ------------------------------------------------------------------------------------------------------------


def _kill_half(url: str, running: list[Any]) -> None:
    for one in running[::2]:
        os.kill(one.pid, signal.SIGKILL)


def _lock(url: str, running: list[Any]) -> None:
    """Somebody else holds the whole database."""
    other = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    time.sleep(4)
    other.execute("ROLLBACK")
    other.close()


def _restart(url: str, running: list[Any]) -> None:
    machine.restart(url)
