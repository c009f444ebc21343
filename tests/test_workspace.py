"""One builder at a time, and the other learns who; finished versions stay for those who have them open."""

from __future__ import annotations

import fcntl
import os
import shlex
import subprocess
import sys
from pathlib import Path
from threading import Timer

import pytest

from persona_core.errors import ArtefactBroken, WorkspaceBusy, WorkspaceMissing, WorkspaceUnwritable, as_disk_error
from persona_core.workspace import Workspace
from tests.support.steps import two_steps, writing

HOLD = (
    "import sys, time; from persona_core.workspace import Workspace\n"
    "with Workspace.at(sys.argv[1]).lock('a long build'):\n    print('held', flush=True); sys.stdin.read()"
)


def test_a_second_builder_is_kept_out_and_told_who_holds_the_lock(workspace: Workspace) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(workspace.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    try:
        with pytest.raises(WorkspaceBusy) as caught:
            two_steps(workspace).build()
        assert f"Process {holder.pid}" in caught.value.why
        assert "a long build" in caught.value.why
    finally:
        holder.kill()
        holder.wait()
    two_steps(workspace).build()  # the system freed the lock of the dead


def test_what_was_never_built_says_how_to_build_it(workspace: Workspace) -> None:
    with pytest.raises(WorkspaceMissing) as caught:
        workspace.artefact("catalog")
    assert caught.value.mend == f"python -m persona_core build --workspace {workspace.root}"


def test_a_command_can_be_typed_as_it_is_said_whatever_the_folder_is_called(tmp_path: Path) -> None:
    place = Workspace.at(tmp_path / "my own data; rm" / "workspace")
    assert shlex.split(place.command("build")) == ["python", "-m", "persona_core", "build", "--workspace", str(place.root)]


def test_the_version_before_is_kept_for_its_readers_and_the_one_before_that_is_not(workspace: Workspace) -> None:
    folders = []
    for module in ("errors", "files", "schema"):
        two_steps(workspace, run=writing(module), code=(f"persona_core.{module}",)).build()
        folders.append(workspace.artefact("two").folder)
    assert [folder.exists() for folder in folders] == [False, True, True]


@pytest.mark.parametrize("content", [b"", b"../../etc", b".work-1", b"\xff\xfe"])
def test_a_damaged_pointer_is_an_error_that_helps(content: bytes, workspace: Workspace) -> None:
    two_steps(workspace).build()
    (workspace.step_folder("one") / "current").write_bytes(content)
    with pytest.raises(ArtefactBroken) as caught:
        workspace.artefact("one")
    assert "build --only one" in caught.value.mend


def test_only_promised_files_can_be_asked_for(workspace: Workspace) -> None:
    two_steps(workspace).build()
    with pytest.raises(KeyError, match=r"out\.txt"):
        workspace.artefact("one").file("secret")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(WorkspaceUnwritable, match="cannot be written"):
        two_steps(Workspace.at(tmp_path / "locked" / "workspace")).build()


def test_the_words_for_a_read_only_disk(tmp_path: Path) -> None:
    error = as_disk_error(OSError(30, "Read-only file system"), tmp_path)
    assert error is not None
    assert "--workspace" in error.mend
    assert f"chmod -R u+rwX {tmp_path}" in error.mend
    assert as_disk_error(OSError(5, "Input/output error"), tmp_path) is None


def test_a_library_in_rust_that_finds_the_disk_full_is_understood(tmp_path: Path) -> None:
    said = "Error while serializing: I/O error: No space left on device (os error 28)"
    error = as_disk_error(RuntimeError(said), tmp_path)
    assert error is not None
    assert "no room left" in error.what
    assert as_disk_error(RuntimeError("no vectors (os error)"), tmp_path) is None
    assert as_disk_error(WorkspaceMissing(said), tmp_path) is None


def test_a_lock_whose_holder_left_something_else_in_it_is_still_a_lock(workspace: Workspace) -> None:
    with workspace.lock("a long build"):
        (workspace.root / ".lock").write_text("[]")
        with pytest.raises(WorkspaceBusy, match="Somebody else"), workspace.lock("another"):
            pass


def test_half_way_through_a_build_one_is_told_to_wait(workspace: Workspace) -> None:
    assert workspace.at_work() is None
    assert workspace.unfit("two", "one").mend == workspace.command("build")
    with workspace.lock("a long build"):
        assert workspace.unfit("two", "one").mend.startswith("wait for it to end")
        assert "a long build" in workspace.unfit("two", "one").why
    assert workspace.at_work() is None


def test_who_only_looks_keeps_no_builder_out(workspace: Workspace) -> None:
    with workspace.lock("once"):
        pass
    with (workspace.root / ".lock").open("rb") as looks:
        fcntl.flock(looks, fcntl.LOCK_SH)
        Timer(0.03, lambda: fcntl.flock(looks, fcntl.LOCK_UN)).start()
        with workspace.lock("a build"):
            assert workspace.at_work() is not None
