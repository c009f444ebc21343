"""The build skips what is done, knows what is stale and why, resumes what was killed, and loses nothing."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from persona_core.errors import ArtefactBroken, BuildStopped, PersonaError, StepFailed, WorkspaceMissing, WorkspaceUnwritable
from persona_core.pipeline import Pipeline, StepContext, in_words
from persona_core.progress import Progress
from persona_core.steps import STEPS, pipeline_of
from persona_core.workspace import Workspace
from tests.support.killer import POINTS
from tests.support.steps import states, step, two_steps, writing


def phases(pipeline: Pipeline, **options: Any) -> list[tuple[str, str]]:
    heard: list[Progress] = []
    pipeline.build(listener=heard.append, **options)
    return [(one.step, one.phase) for one in heard if one.phase not in ("working", "started")]


# What is done, stale, missing ------------------------------------------------------------------------------------------


def test_builds_once_and_then_does_nothing(workspace: Workspace) -> None:
    pipeline = two_steps(workspace)
    assert states(pipeline) == ["missing", "missing"]
    assert phases(pipeline) == [("one", "finished"), ("two", "finished")]
    assert states(pipeline) == ["done", "done"]
    assert phases(pipeline) == [("one", "skipped"), ("two", "skipped")]
    assert workspace.artefact("two").file("out.txt").read_text() == "onetwo"


def test_what_a_server_lost_is_made_again_by_a_build_and_looking_asks_no_server(workspace: Workspace) -> None:
    lost = ["gone"]

    def kept(*_: object) -> str:
        return lost[0]

    pipeline = two_steps(workspace, kept=kept)
    two_steps(workspace).build()
    assert states(pipeline) == ["done", "done"]
    assert phases(pipeline) == [("one", "skipped"), ("two", "finished")]
    lost[0] = ""
    assert phases(pipeline) == [("one", "skipped"), ("two", "skipped")]


def test_looking_changes_nothing(workspace: Workspace) -> None:
    two_steps(workspace).status()
    assert not workspace.root.exists()


def test_a_changed_setting_makes_its_step_and_what_reads_it_stale(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = Pipeline(
        [step("one", settings=lambda s: s.ollama.model), step("two", ("one",)), step("three")], workspace
    )  # fmt: skip
    pipeline.build()
    monkeypatch.setenv("PERSONA_OLLAMA_MODEL", "other")
    found = pipeline.status()
    assert [(one.state, one.why) for one in found] == [
        ("stale", "changed since: settings"), ("stale", "one must be built first"), ("done", ""),
    ]  # fmt: skip


def test_a_changed_file_and_changed_code_are_named(workspace: Workspace, tmp_path: Path) -> None:
    digests = {"data.csv": "1"}
    two = two_steps(workspace, sources=lambda _: dict(digests))
    two.build()
    digests["data.csv"] = "2"
    assert two.status()[1].why == "changed since: file data.csv"
    other = two_steps(workspace, code=("persona_core.errors",))
    assert "code" in other.status()[1].why


def test_a_rebuilt_step_with_the_same_result_leaves_its_readers_alone(workspace: Workspace) -> None:
    two_steps(workspace).build()
    same_result = Pipeline([step("one", code=("persona_core.errors",)), step("two", ("one",))], workspace)
    assert phases(same_result) == [("one", "finished"), ("two", "skipped")]


def test_only_one_step_can_be_asked_for(workspace: Workspace) -> None:
    pipeline = two_steps(workspace)
    with pytest.raises(WorkspaceMissing, match="reads 'one', which is missing"):
        pipeline.build("two")
    assert phases(pipeline, only="one") == [("one", "finished")]
    assert phases(pipeline, only="two") == [("two", "finished")]
    with pytest.raises(PersonaError, match="no step 'three'"):
        pipeline.build("three")


def test_a_step_may_only_read_earlier_ones(workspace: Workspace) -> None:
    with pytest.raises(ValueError, match="no earlier step"):
        Pipeline([step("one", ("two",)), step("two")], workspace)


# Failing ---------------------------------------------------------------------------------------------------------------


def test_a_file_that_was_promised_and_not_left_is_an_error(workspace: Workspace) -> None:
    pipeline = Pipeline([step("one", writes=("out.txt", "more.txt"))], workspace)
    with pytest.raises(StepFailed, match=r"did not leave more\.txt"):
        pipeline.build()
    assert states(pipeline) == ["missing"]


def test_an_unknown_error_is_worded_and_the_old_version_still_holds(workspace: Workspace) -> None:
    two_steps(workspace).build()

    def fails(_: StepContext) -> Any:
        raise ZeroDivisionError("by zero")

    with pytest.raises(StepFailed, match="ZeroDivisionError: by zero"):
        two_steps(workspace, run=fails, code=("persona_core.errors",)).build()
    assert workspace.artefact("two").file("out.txt").read_text() == "onetwo"


def test_stopping_says_that_nothing_is_lost_and_how_to_go_on(workspace: Workspace) -> None:
    def stopped(_: StepContext) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(BuildStopped) as caught:
        two_steps(workspace, run=stopped).build()
    assert "goes on from here" in caught.value.mend
    assert states(two_steps(workspace)) == ["done", "missing"]


# Work over many things -------------------------------------------------------------------------------------------------


def counting(asked: list[str], fail_at: int | None = None) -> Callable[[StepContext], Any]:
    def answer(thing: str) -> str:
        if len(asked) == fail_at:
            raise KeyboardInterrupt
        asked.append(thing)
        return thing.upper()

    def run(context: StepContext) -> Any:
        answers = list(context.map(answer, list("abcdef"), key=str, unit="letters"))
        context.file("out.txt").write_text("".join(answers))
        return {}

    return run


def test_a_stopped_map_asks_nothing_twice(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA_WORKERS", "1")
    first: list[str] = []
    with pytest.raises(BuildStopped):
        Pipeline([step("one", run=counting(first, fail_at=4))], workspace).build()
    second: list[str] = []
    Pipeline([step("one", run=counting(second))], workspace).build()
    assert (first, second) == (list("abcd"), list("ef"))
    artefact = workspace.artefact("one")
    assert artefact.file("out.txt").read_text() == "ABCDEF"
    assert sorted(os.listdir(artefact.folder)) == ["manifest.json", "out.txt"]


def test_progress_counts_to_the_total_and_says_what_is_left(workspace: Workspace) -> None:
    heard: list[Progress] = []
    Pipeline([step("one", run=counting([]))], workspace).build(listener=heard.append)
    working = [one for one in heard if one.phase == "working"]
    assert (working[-1].done, working[-1].total, working[-1].unit, working[-1].share) == (6, 6, "letters", 1.0)
    assert heard[-1].phase == "finished"


# Killed at any instant -------------------------------------------------------------------------------------------------


@pytest.fixture
def undisturbed(_tiny_template: Path) -> dict[str, str]:
    """What an undisturbed build of the tiny world leaves, by step."""
    return {one.name: Workspace.at(_tiny_template).artefact(one.name).manifest.content for one in STEPS}


@pytest.fixture(scope="module")
def killed() -> Iterator[Callable[[Path, str, str], int]]:
    """Begins a build that dies at a point of a step; gives back its exit code."""
    command = [sys.executable, "-m", "tests.support.killer"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        talk, listen = server.stdin, server.stdout
        assert talk is not None
        assert listen is not None

        def killed(root: Path, step: str, point: str) -> int:
            print(json.dumps([str(root), step, point]), file=talk, flush=True)
            return int(listen.readline())

        yield killed
        talk.close()


@pytest.mark.parametrize("point", POINTS)
def test_kill_9_in_every_step_in_turn_loses_nothing(
    point: str, tiny_world: Path, workspace: Workspace, undisturbed: dict[str, str], killed: Callable[[Path, str, str], int]
) -> None:
    """The next build goes on where the last one was killed, and is killed a step later."""
    from persona_core.catalog.choose import choose_source

    choose_source(workspace, str(tiny_world))
    finished: dict[str, datetime] = {}
    for name in [one.name for one in STEPS]:
        assert killed(workspace.root, name, point) == -signal.SIGKILL
        for one in pipeline_of(workspace).status():
            if one.step.name == name:
                assert one.state == "missing"
                break
            assert one.manifest is not None
            assert finished.setdefault(one.step.name, one.manifest.created) == one.manifest.created, "a finished step was done again"

    pipeline_of(workspace).build()
    for one in STEPS:
        artefact = workspace.artefact(one.name, deep=True)
        assert artefact.manifest.content == undisturbed[one.name]
        assert finished.get(one.name, artefact.manifest.created) == artefact.manifest.created, "a finished step was done again"
        leftovers = [entry for entry in os.listdir(workspace.step_folder(one.name)) if entry.startswith(".")]
        assert not leftovers


def test_what_was_whole_but_not_yet_in_place_is_taken_over(
    tiny_world: Path, workspace: Workspace, killed: Callable[[Path, str, str], int]
) -> None:
    from persona_core.catalog.choose import choose_source

    choose_source(workspace, str(tiny_world))
    killed(workspace.root, "catalog", "unpointed")
    assert phases(pipeline_of(workspace))[0] == ("catalog", "adopted")


# A full disk, damage, other versions -----------------------------------------------------------------------------------


@pytest.fixture
def small_disk() -> Iterator[None]:
    """No file may grow beyond 2,000 bytes, as if the disk were full from there on."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_keeps_the_old_version_and_says_what_to_do(workspace: Workspace, small_disk: None) -> None:
    two_steps(workspace).build()
    bigger = two_steps(workspace, run=writing("x" * 5_000), code=("persona_core.errors",))
    with pytest.raises(WorkspaceUnwritable, match="no room left") as caught:
        bigger.build()
    assert "free some space" in caught.value.mend
    assert workspace.artefact("two", deep=True).file("out.txt").read_text() == "onetwo"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RuntimeError("I/O error: No space left on device (os error 28)"), WorkspaceUnwritable),
        (OSError(5, "Input/output error"), StepFailed),
        (ConnectionResetError("reset"), StepFailed),
    ],
)
def test_whatever_a_step_meets_is_worded(error: Exception, expected: type[PersonaError], workspace: Workspace) -> None:
    def fails(_: StepContext) -> Any:
        raise error

    with pytest.raises(expected) as caught:
        two_steps(workspace, run=fails).build()
    assert caught.value.mend


def test_after_a_full_disk_the_same_command_finishes(tiny_world: Path, workspace: Workspace, undisturbed: dict[str, str]) -> None:
    from persona_core.catalog.choose import choose_source

    choose_source(workspace, str(tiny_world))
    script = (
        "import resource, signal, sys\nfrom persona_core.workspace import Workspace\n"
        "from persona_core.steps import pipeline_of\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))\n"
        "pipeline_of(Workspace.at(sys.argv[1])).build()"
    )
    full = subprocess.run([sys.executable, "-c", script, str(workspace.root)], capture_output=True, text=True, check=False)
    assert "WorkspaceUnwritable: There is no room left" in full.stderr
    pipeline_of(workspace).build()
    assert {one.name: workspace.artefact(one.name).manifest.content for one in STEPS} == undisturbed


def test_a_truncated_file_is_found_named_and_rebuilt(built_tiny: Workspace) -> None:
    file = built_tiny.artefact("catalog").file("reviews.parquet")
    file.write_bytes(file.read_bytes()[:-10])
    found = pipeline_of(built_tiny).status()
    assert found[0].state == "broken"
    assert "reviews.parquet" in found[0].why
    assert "bytes" in found[0].why
    with pytest.raises(ArtefactBroken) as caught:
        built_tiny.artefact("catalog")
    assert "build --only catalog" in caught.value.mend
    pipeline_of(built_tiny).build()
    assert {one.state for one in pipeline_of(built_tiny).status()} == {"done"}


def test_a_file_changed_in_place_is_found_by_its_checksum(built_tiny: Workspace) -> None:
    file = built_tiny.artefact("overview").file("overview.json")
    file.write_bytes(file.read_bytes().replace(b"books", b"looks"))
    assert "checksum" in pipeline_of(built_tiny).status()[2].why


def test_a_file_that_is_gone_is_named(built_tiny: Workspace) -> None:
    built_tiny.artefact("splits").file("splits.parquet").unlink()
    assert pipeline_of(built_tiny).status()[1].why.endswith("splits.parquet is gone.")


def test_a_manifest_of_another_version_is_refused_by_name_and_rebuilt(built_tiny: Workspace) -> None:
    file = built_tiny.artefact("catalog").folder / "manifest.json"
    manifest = json.loads(file.read_text())
    file.write_text(json.dumps({**manifest, "format": 99, "made_by": "7.0.0"}))
    with pytest.raises(ArtefactBroken, match="cannot be used") as caught:
        built_tiny.artefact("catalog")
    assert "format 99 by 7.0.0" in caught.value.why
    pipeline_of(built_tiny).build()
    assert built_tiny.artefact("catalog").manifest.format == 1


def test_the_command_that_mends_a_step_mends_what_it_stands_on(workspace: Workspace) -> None:
    steps = Pipeline([step("one"), step("two", ("one",)), step("three", ("two",))], workspace)
    steps.build()
    whole = {name: workspace.artefact(name).manifest.content for name in ("one", "two", "three")}
    for name in ("one", "three"):
        workspace.artefact(name).file("out.txt").write_text("torn")
    assert states(steps) == ["broken", "stale", "broken"]
    steps.build("three")
    assert states(steps) == ["done", "done", "done"]
    assert {name: workspace.artefact(name).manifest.content for name in whole} == whole


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1}'])
def test_a_damaged_manifest_is_refused_and_rebuilt(content: str, built_tiny: Workspace) -> None:
    (built_tiny.artefact("overview").folder / "manifest.json").write_text(content)
    assert pipeline_of(built_tiny).status()[2].state == "broken"
    pipeline_of(built_tiny).build()
    assert pipeline_of(built_tiny).status()[2].state == "done"


# Everything a step leaves ----------------------------------------------------------------------------------------------


def test_the_manifest_says_where_an_artefact_came_from(built_tiny: Workspace) -> None:
    made = built_tiny.artefact("splits").manifest
    assert made.because.keys() >= {"step catalog", "settings", "code"}
    assert (made.step, made.seed) == ("splits", 7)
    assert made.files["splits.parquet"].bytes > 0


def test_counts_in_words_leave_out_nothing_but_zeros() -> None:
    assert in_words({"items": 1, "users": 1200, "rejected": 0, "from": "2025"}) == "1 item, 1,200 users, from 2025"
