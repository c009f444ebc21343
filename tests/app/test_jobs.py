"""Long work in a process of its own: it is found, followed, stopped, and its end is told in words."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from persona_core.errors import BuildStopped, ModelUnavailable, PersonaError, StepFailed, WorkspaceBusy
from persona_core.workspace import Workspace
from tests.support.toy_cli import TOY
from ui import jobs
from ui.joblog import MOST_LINES, JobLog, error_in
from ui.jobs import BuildJob


def until(true: Callable[[], object], seconds: float = 30.0) -> None:
    """Waits for what is sure to come."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


@pytest.fixture
def place(workspace: Workspace, tiny_world: Path) -> Workspace:
    """A workspace that knows its data."""
    workspace.root.mkdir()
    (workspace.root / "workspace.toml").write_text(f'[source]\nreader = "demo"\npath = "{tiny_world}"\n')
    return workspace


@pytest.fixture
def job(place: Workspace) -> Iterator[BuildJob]:
    made = BuildJob(place, TOY)
    yield made
    (place.root / "hold").unlink(missing_ok=True)
    made.wait(30)


def at_work(job: BuildJob) -> BuildJob:
    """The job in the middle of its second step."""
    (job.workspace.root / "hold").touch()
    job.start()
    until(lambda: "overview" in job.progress and job.progress["overview"].phase == "working")
    return job


def test_it_runs_to_its_end_and_tells_where_each_step_stands(job: BuildJob) -> None:
    job.start()
    assert job.running
    assert job.wait(30)
    assert job.error is None
    assert job.finished == {"catalog", "overview"}
    assert job.progress["overview"].note == "2 things"
    assert job.workspace.artefact("overview").manifest.counts == {"things": 2}
    assert any(line.startswith("Looking: done in") for line in job.last_lines())


def test_a_second_start_starts_nothing(job: BuildJob) -> None:
    at_work(job)
    card = job._card()
    job.start()
    assert job._card() == card


def test_stopping_keeps_what_is_finished_and_it_goes_on_from_there(job: BuildJob) -> None:
    at_work(job).stop()
    assert job.stopping
    assert job.wait(30)
    assert isinstance(job.error, BuildStopped)
    assert job.finished == {"catalog"}
    (job.workspace.root / "hold").unlink()
    job.start()
    assert job.error is None
    assert job.wait(30)
    assert job.progress["catalog"].phase == "skipped"
    assert job.error is None
    assert not job.stopping


def test_one_that_does_not_listen_is_ended(job: BuildJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "PATIENCE_S", 0.3)
    (job.workspace.root / "deaf").touch()
    at_work(job).stop()
    assert job.wait(30)
    assert isinstance(job.error, BuildStopped)
    job.workspace.artefact("catalog")


def test_another_that_looks_finds_it_running_follows_it_and_can_stop_it(job: BuildJob) -> None:
    at_work(job)
    other = BuildJob(Workspace.at(job.workspace.root), TOY)
    assert other.running
    assert other.finished == {"catalog"}
    assert other.verb == "build"
    assert other.began is not None
    other.start()  # starts no second one
    other.stop()
    assert other.wait(30)
    assert isinstance(other.error, BuildStopped)
    assert job.wait(30)
    assert isinstance(job.error, BuildStopped)


def test_a_killed_process_is_noticed(job: BuildJob) -> None:
    at_work(job)
    other = BuildJob(job.workspace, TOY)
    assert other.running
    os.kill(int(job._card()["pid"]), signal.SIGKILL)
    for one in (job, other):
        assert one.wait(30)
        assert isinstance(one.error, StepFailed)
        assert "without a word" in one.error.what
        assert "persona_core build" in one.error.mend


def test_one_that_dies_by_itself_is_noticed_too(job: BuildJob) -> None:
    (job.workspace.root / "die").touch()
    job.start()
    assert job.wait(30)
    assert isinstance(job.error, StepFailed)


def test_an_error_keeps_its_kind_and_its_words_and_goes_when_work_begins_anew(job: BuildJob) -> None:
    (job.workspace.root / "fail").touch()
    job.start()
    assert job.wait(30)
    error = job.error
    assert isinstance(error, ModelUnavailable)
    assert (error.what, error.why, error.mend) == ("The model went away.", "It <b>did</b>.", "ollama serve")
    (job.workspace.root / "fail").unlink()
    job.start()
    assert job.wait(30)
    assert job.error is None


def test_a_number_that_is_given_to_another_process_is_not_mistaken_for_ours(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    job = BuildJob(place, TOY)
    folder = place.root / ".job"
    folder.mkdir()
    (folder / "lock").touch()
    (folder / "job.json").write_text(json.dumps({"pid": os.getpid(), "verb": "build", "began": "2026-01-01T00:00:00+00:00"}))
    assert not job.running
    sent: list[object] = []
    monkeypatch.setattr("ui.jobs.os.kill", lambda *given: sent.append(given))
    job.stop()
    assert not job._signal(os.getpid(), signal.SIGINT)
    assert not sent


def test_what_ended_long_ago_is_no_error_but_its_log_can_be_read(job: BuildJob) -> None:
    (job.workspace.root / "fail").touch()
    job.start()
    assert job.wait(30)
    assert job.error
    later = BuildJob(job.workspace, TOY)
    assert later.error is None
    assert later.last_lines()


def test_somebody_who_builds_at_a_terminal_is_said_at_once_and_waited_for(place: Workspace) -> None:
    job = BuildJob(place, TOY)
    with place.lock("a build elsewhere"):
        job.start()
        assert not job.running
        assert isinstance(job.error, WorkspaceBusy)
        assert "a build elsewhere" in job.error.why
    job.start()
    assert job.wait(30)
    assert job.error is None


def test_a_read_only_app_starts_nothing(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA_READONLY", "1")
    job = BuildJob(place, TOY)
    job.start()
    assert not job.running
    assert job.error is not None
    assert "only reads" in job.error.what


def test_a_folder_that_cannot_be_written_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    job = BuildJob(Workspace.at(tmp_path / "file" / "workspace"), TOY)
    job.start()
    assert not job.running
    assert job.error is not None


def test_a_command_that_is_not_there_is_an_error_in_words(place: Workspace) -> None:
    job = BuildJob(place, ("/nowhere/python",))
    job.start()
    assert job.wait(30)
    assert isinstance(job.error, StepFailed)


@pytest.mark.parametrize("text", ["not json", "[]", '{"pid": "x"}', '{"began": 7}', "\x00"])
def test_a_card_that_is_damaged_is_no_card(place: Workspace, text: str) -> None:
    job = BuildJob(place, TOY)
    (place.root / ".job").mkdir()
    (place.root / ".job" / "job.json").write_text(text)
    assert not job.running
    assert job.began is None
    assert job.verb == "build"
    job.stop()


# The log -----------------------------------------------------------------------------------------------------------------


def test_half_a_line_waits_for_its_other_half(tmp_path: Path) -> None:
    file, log = tmp_path / "log", JobLog()
    line = json.dumps({"step": "a", "title": "A", "number": 1, "of": 1, "phase": "finished"}) + "\n"
    file.write_text(line[:20])
    log.read(file)
    assert not log.progress
    file.write_text(line)
    log.read(file)
    assert log.progress["a"].phase == "finished"


def test_a_shorter_log_is_another_jobs(tmp_path: Path) -> None:
    file, log = tmp_path / "log", JobLog()
    file.write_text('{"steps": []}\nand some words\n')
    log.read(file)
    assert log.done
    file.write_text("new\n")
    log.read(file)
    assert not log.done
    assert log.lines(5) == ["new"]


def test_what_is_no_progress_is_a_line_and_lines_are_bounded(tmp_path: Path) -> None:
    file, log = tmp_path / "log", JobLog()
    strange = ['{"phase": "dancing"}', '{"phase": 3, "step": []}', "{", "\x1b[31mred\x07", "x" * 9_999]
    file.write_text("\n".join([*(f"line {n}" for n in range(2 * MOST_LINES)), *strange]) + "\n")
    log.read(file)
    lines = log.lines(10_000)
    assert len(lines) == MOST_LINES
    assert lines[-2] == "[31mred"
    assert len(lines[-1]) == 400
    assert not log.progress


@pytest.mark.parametrize("kind", ["PersonaError", "BuildStopped", "Path", "annotations", "__name__", "", None, 7])
def test_an_error_of_any_kind_is_one_of_ours(kind: object) -> None:
    error = error_in({"error": kind, "what": "w", "why": None, "mend": 3})
    assert isinstance(error, PersonaError)
    assert (error.what, error.why, error.mend) == ("w", "", "3")


def test_looking_at_work_needs_no_torch() -> None:
    import subprocess

    code = "import sys, ui.jobs, ui.joblog; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=jobs.REPOSITORY).returncode == 0
