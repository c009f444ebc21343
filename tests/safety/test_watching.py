"""The watch over an example sees what goes beyond its folder, and nothing of what stays within."""

from __future__ import annotations

import os
import pickle
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from persona_core.errors import SourceError
from tests.safety.doors import Crash, Target, met
from tests.safety.watching import only_within


class Odd:
    pass


@pytest.mark.parametrize(
    "act",
    [
        lambda beyond: (beyond / "x").write_text("x"),
        lambda beyond: (beyond / "made").mkdir(),
        lambda beyond: os.close(os.open(beyond / "y", os.O_CREAT | os.O_WRONLY)),
        lambda beyond: (beyond / "there").rename(beyond / "elsewhere"),
        lambda beyond: (beyond / "there").unlink(),
        lambda beyond: sqlite3.connect(beyond / "z").close(),
        lambda beyond: subprocess.run([sys.executable, "-c", ""], check=True),
        lambda beyond: pickle.loads(pickle.dumps(Odd())),
    ],
    ids=["write", "mkdir", "os.open", "rename", "remove", "sqlite", "program", "pickle"],
)
def test_what_goes_beyond_the_folder_is_seen(act: Callable[[Path], object], tmp_path: Path) -> None:
    (tmp_path / "beyond").mkdir()
    (tmp_path / "within").mkdir()
    (tmp_path / "beyond" / "there").write_text("x")
    with only_within(tmp_path / "within") as strays:
        act(tmp_path / "beyond")
    assert strays


def test_what_stays_within_is_not(tmp_path: Path) -> None:
    with only_within(tmp_path) as strays:
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "x").write_text("x")
        (tmp_path / "a" / "x").rename(tmp_path / "y")
        Path(__file__).read_text("utf-8")
    assert strays == []


def test_a_door_takes_refuses_or_breaks() -> None:
    def meet(example: str, folder: Path) -> None:
        if example == "refused":
            raise SourceError("No.")
        if example == "beyond":
            (folder.parent / f"{folder.name}-beyond").mkdir()
            (folder.parent / f"{folder.name}-beyond").rmdir()
        if example == "breaks":
            raise KeyError(example)

    door = Target("a door", lambda: pytest.fail("not asked for"), meet)
    assert (met(door, "good"), met(door, "refused")) == ("good", "refused")
    with pytest.raises(Crash):
        met(door, "beyond")
    with pytest.raises(KeyError):
        met(door, "breaks")
