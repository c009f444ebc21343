"""A workspace on a path that several machines share: one builds, others read, and each may know the folder by another name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from persona_core.errors import WorkspaceBusy
from persona_core.workspace import Workspace
from tests.support.steps import two_steps, writing

BUILDER = """
import sys, time
from pathlib import Path
from persona_core.workspace import Workspace
from tests.support.steps import two_steps, writing
for letter in sys.argv[2]:
    two_steps(Workspace(Path(sys.argv[1])), run=writing(letter * 50_000), settings=lambda _: letter).build()
    time.sleep(0.15)
"""
HOLDER = """
import sys
from pathlib import Path
from persona_core.workspace import Workspace
with Workspace(Path(sys.argv[1])).lock("a build elsewhere"):
    print("held", flush=True)
    sys.stdin.read()
"""
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def shared(tmp_path: Path) -> tuple[Path, Path]:
    """One folder by two names."""
    (tmp_path / "disk").mkdir()
    for name in ("here", "there"):
        (tmp_path / name).symlink_to(tmp_path / "disk")
    return tmp_path / "here" / "world", tmp_path / "there" / "world"


def begun(code: str, cwd: Path, *given: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *given],
        cwd=cwd,
        env={"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_who_builds_under_one_name_keeps_out_who_builds_under_the_other(shared: tuple[Path, Path], tmp_path: Path) -> None:
    here, there = shared
    with begun(HOLDER, tmp_path, str(here)) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(WorkspaceBusy, match="else is building") as busy:
            two_steps(Workspace(there)).build()
        assert f"Process {holder.pid}" in busy.value.why
        holder.kill()
    two_steps(Workspace(there)).build()


def test_a_reader_meets_a_whole_version_at_every_moment_of_another_machines_builds(shared: tuple[Path, Path], tmp_path: Path) -> None:
    here, there = shared
    two_steps(Workspace(here), run=writing("0" * 50_000), settings=lambda _: "0").build()
    reader = Workspace(there)
    seen: set[str] = set()
    with begun(BUILDER, tmp_path, str(here), "abcdefghij") as builder:
        while builder.poll() is None:
            text = reader.artefact("two", deep=True).file("out.txt").read_text()  # checked against its manifest
            assert len(set(text.removeprefix("one"))) == 1
            seen.add(text)
    assert builder.returncode == 0
    assert len(seen) > 5


def test_a_version_that_a_reader_has_open_outlives_one_swap(shared: tuple[Path, Path]) -> None:
    here, there = shared
    two_steps(Workspace(here)).build()
    held = Workspace(there).artefact("two").file("out.txt")
    two_steps(Workspace(here), run=writing("new"), code=("persona_core.files",)).build()
    assert held.read_text() == "onetwo"
    assert Workspace(there).artefact("two").file("out.txt").read_text() == "onenew"
