"""A workspace goes to another machine whole or not at all: through any kill, and past whatever lies there that is not as published."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from itertools import count
from pathlib import Path

import orjson
import pytest

from persona_core.errors import ArtefactBroken, PersonaError, SettingsError, WorkspaceMissing
from persona_core.files import digest
from persona_core.personas.curation import FILE as CURATION
from persona_core.pipeline import Pipeline
from persona_core.publishing import Shelf, ShelfUnreachable, fetch, publish
from persona_core.publishing.shelf import ShelfBroken
from persona_core.workspace import Workspace
from tests.publishing.small import STEPS, build, held
from tests.support.steps import states, step, two_steps, writing


def dies(work: Callable[[], object]) -> None:
    """Does it in a copy of this process that is killed in the middle."""
    copy = os.fork()
    if not copy:
        try:
            work()
        finally:
            os._exit(1)  # alive, or failed: either is none of a kill
    assert os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1]) == -signal.SIGKILL


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def after(times: int, real: Callable[..., object], then: Callable[..., object] = die) -> Callable[..., object]:
    """`real`, but something else after so many calls."""
    calls = count()
    return lambda *given: real(*given) if next(calls) < times else then(*given)


# There and back --------------------------------------------------------------------------------------------------------


def test_what_is_published_is_what_is_fetched(workspace: Workspace, there: Workspace, shelf: Shelf) -> None:
    build(workspace)
    sent = publish(workspace, shelf, STEPS)
    assert (sent.number, sent.files, sent.sent) == (1, 5, 5)  # two files, two manifests, the settings
    came = fetch(there, shelf, STEPS)
    assert (came.number, came.files, held(there)) == (1, 4, "onehello")
    for name in STEPS:
        assert there.artefact(name, deep=True).manifest == workspace.artefact(name).manifest
    assert states(two_steps(there)) == ["done", "done"]  # though nothing of what it was made from is here


def test_only_what_is_new_travels(workspace: Workspace, there: Workspace, shelf: Shelf) -> None:
    build(workspace)
    publish(workspace, shelf, STEPS)
    fetch(there, shelf, STEPS)
    again = publish(workspace, shelf, STEPS)
    assert (again.number, again.sent) == (1, 0)
    assert fetch(there, shelf, STEPS).files == 0
    build(workspace, "world", "files")
    changed = publish(workspace, shelf, STEPS)
    assert (changed.number, changed.sent) == (2, 2)  # one file and its manifest
    before = there.artefact("two").folder
    assert fetch(there, shelf, STEPS).files == 2
    assert held(there) == "oneworld"
    assert before.is_dir()  # for who has it open


def test_an_older_edition_can_be_had_again(workspace: Workspace, there: Workspace, shelf: Shelf) -> None:
    for text, module in (("first", "errors"), ("second", "files")):
        build(workspace, text, module)
        publish(workspace, shelf, STEPS)
    fetch(there, shelf, STEPS)
    assert fetch(there, shelf, STEPS, number=1).number == 1
    assert held(there) == "onefirst"
    with pytest.raises(WorkspaceMissing, match="no edition 7"):
        fetch(there, shelf, STEPS, number=7)


def test_settings_and_a_curators_words_come_along(
    workspace: Workspace, there: Workspace, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(workspace)
    (workspace.root / "workspace.toml").write_text('workers = 3\n[ranking]\ntaste = 0.7\n[study]\ndesk_token = "secret"\n')
    (workspace.root / CURATION).write_text("{}\n")
    monkeypatch.setenv("PERSONA_RANKING_MIX", "0.25")
    publish(workspace, shelf, STEPS)
    monkeypatch.delenv("PERSONA_RANKING_MIX")
    assert fetch(there, shelf, STEPS).left == ()
    assert (there.settings.ranking.taste, there.settings.ranking.mix) == (0.7, 0.25)
    assert there.settings.workers == 2  # of one machine alone
    assert "secret" not in (there.root / "workspace.toml").read_text()
    assert (there.root / CURATION).read_text() == "{}\n"


def test_what_people_changed_where_it_was_fetched_is_left(workspace: Workspace, there: Workspace, shelf: Shelf) -> None:
    build(workspace)
    there.root.mkdir()
    (there.root / "workspace.toml").write_text("seed = 3\n")
    (workspace.root / CURATION).write_text("one\n")
    publish(workspace, shelf, STEPS)
    assert fetch(there, shelf, STEPS).left == ("workspace.toml",)
    (workspace.root / CURATION).write_text("two\n")
    publish(workspace, shelf, STEPS)
    fetch(there, shelf, STEPS)
    assert (there.root / CURATION).read_text() == "two\n"
    (there.root / CURATION).write_text("ours\n")
    assert CURATION in fetch(there, shelf, STEPS).left
    assert ((there.root / CURATION).read_text(), there.settings.seed) == ("ours\n", 3)


def test_old_editions_can_be_thinned_out(workspace: Workspace, there: Workspace, shelf: Shelf) -> None:
    for text, module in (("first", "errors"), ("second", "files"), ("third", "schema")):
        build(workspace, text, module)
        sent = publish(workspace, shelf, STEPS, keep=2)
    assert [label.number for label in shelf.labels()] == [3, 2]
    assert sent.removed == 2
    fetch(there, shelf, STEPS, number=2)
    assert held(there) == "onesecond"


# Killed ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["files", "edition"])
def test_a_killed_publish_leaves_the_old_edition_whole(
    at: str, workspace: Workspace, there: Workspace, local: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(workspace, "old")
    publish(workspace, local, STEPS)
    build(workspace, "new", "files")
    with monkeypatch.context() as patch:
        if at == "files":
            patch.setattr(Shelf, "send", after(1, Shelf.send))
        else:
            patch.setattr(Shelf, "add_edition", die)
        dies(lambda: publish(workspace, local, STEPS))
    fetch(there, local, STEPS)
    assert held(there) == "oneold"
    rest = publish(workspace, local, STEPS)
    assert (rest.number, rest.sent) == (2, 1 if at == "files" else 0)  # what had arrived is not sent again
    fetch(there, local, STEPS)
    assert held(there) == "onenew"


@pytest.mark.parametrize("at", ["files", "placed", "pointers"])
def test_a_killed_fetch_leaves_what_held_and_goes_on(
    at: str, workspace: Workspace, there: Workspace, local: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(workspace, "old")
    publish(workspace, local, STEPS)
    fetch(there, local, STEPS)
    build(workspace, "new", "files")
    publish(workspace, local, STEPS)
    with monkeypatch.context() as patch:
        if at == "files":
            patch.setattr(Shelf, "bring", after(1, Shelf.bring))
        else:
            patch.setattr(Workspace, {"placed": "put_in_place", "pointers": "point_to"}[at], die)
        dies(lambda: fetch(there, local, STEPS))
    assert held(there) == "oneold"
    came = fetch(there, local, STEPS)
    assert came.files == {"files": 1, "placed": 0, "pointers": 0}[at]  # what had arrived is not brought again
    assert held(there) == "onenew"
    assert states(two_steps(there)) == ["done", "done"]


def test_a_fetch_killed_at_the_very_first_time_goes_on(
    workspace: Workspace, there: Workspace, local: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(workspace)
    publish(workspace, local, STEPS)
    with monkeypatch.context() as patch:
        patch.setattr(Workspace, "point_to", after(1, Workspace.point_to))
        dies(lambda: fetch(there, local, STEPS))
    fetch(there, local, STEPS)
    assert held(there) == "onehello"


# Not as it was published -------------------------------------------------------------------------------------------------


def edition_file(shelf: Shelf) -> Path:
    return Path(shelf.root) / "editions" / str(shelf.labels()[0])


def object_file(shelf: Shelf, place: Workspace, step: str = "two") -> Path:
    sha256 = place.artefact(step).manifest.files["out.txt"].sha256
    return Path(shelf.root) / "objects" / sha256[:2] / sha256


def test_an_edition_that_was_cut_off_is_passed_over(workspace: Workspace, there: Workspace, local: Shelf) -> None:
    build(workspace, "old")
    publish(workspace, local, STEPS)
    build(workspace, "new", "files")
    publish(workspace, local, STEPS)
    file = edition_file(local)
    file.write_bytes(file.read_bytes()[:-9])
    came = fetch(there, local, STEPS)
    assert (came.number, came.not_whole, held(there)) == (1, (2,), "oneold")
    assert publish(workspace, local, STEPS).number == 3  # a number is never used twice


def test_a_file_that_was_cut_off_is_sent_again(workspace: Workspace, there: Workspace, local: Shelf) -> None:
    build(workspace)
    publish(workspace, local, STEPS)
    object_file(local, workspace).write_bytes(b"one")
    assert publish(workspace, local, STEPS).sent == 1
    fetch(there, local, STEPS)
    assert held(there) == "onehello"


@pytest.mark.parametrize("damage", ["changed", "gone"])
def test_what_is_not_as_published_is_refused_and_what_held_holds(
    damage: str, workspace: Workspace, there: Workspace, local: Shelf
) -> None:
    build(workspace, "old")
    publish(workspace, local, STEPS)
    fetch(there, local, STEPS)
    build(workspace, "new", "files")
    publish(workspace, local, STEPS)
    file = object_file(local, workspace)
    file.write_bytes(b"oneNEW") if damage == "changed" else file.unlink()
    with pytest.raises(ShelfBroken, match="not whole") as refused:
        fetch(there, local, STEPS)
    assert str(file) in refused.value.why
    assert "publish again" in refused.value.mend
    assert held(there) == "oneold"
    file.unlink(missing_ok=True)  # as it says
    publish(workspace, local, STEPS)
    fetch(there, local, STEPS)
    assert held(there) == "onenew"


def forged(shelf: Shelf, change: Callable[[dict], object]) -> None:
    """A newer edition, whole by its checksum, of which something is otherwise."""
    raw = orjson.loads(edition_file(shelf).read_bytes())
    change(raw)
    content = orjson.dumps(raw)
    (Path(shelf.root) / "editions" / f"00000009-{digest(content)}.json").write_bytes(content)


@pytest.mark.parametrize(
    "path",
    ["../evil", "/etc/evil", "two/../../evil", "two/VERSION/../../../evil", "two/VERSION/sub/evil", "two/VERSION/.hidden",
     "two/other/evil", "three/VERSION/evil", "evil", ".lock", "two/current", "studies/studies.sqlite", "two/VERSION/a\\b", ""],
)  # fmt: skip
def test_no_file_can_be_named_that_has_no_place_in_a_workspace(
    path: str, workspace: Workspace, there: Workspace, local: Shelf
) -> None:
    build(workspace)
    publish(workspace, local, STEPS)
    stamp = {"bytes": 8, "sha256": workspace.artefact("two").manifest.files["out.txt"].sha256}
    named = path.replace("VERSION", workspace.version_now("two"))
    forged(local, lambda raw: raw["files"].update({named: stamp}))
    with pytest.raises(ArtefactBroken, match="cannot be used") as refused:
        fetch(there, local, STEPS)
    assert "no place in a workspace" in refused.value.why
    assert not there.root.exists()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [(lambda raw: raw.update(format=2), "which reads 1 and 1"), (lambda raw: raw.update(artefacts=2), "which reads 1 and 1"),
     (lambda raw: raw["steps"].update(three="abc"), "does not know: three"), (lambda raw: raw.update(extra=1), "damaged"),
     (lambda raw: raw["steps"].pop("two") and [raw["files"].pop(one) for one in list(raw["files"]) if one[:3] == "two"], "lacks two"),
     (lambda raw: [raw["files"].pop(one) for one in list(raw["files"]) if one.endswith("manifest.json")], "no manifest of one, two"),
     (lambda raw: raw["steps"].update(two=".."), "no manifest"), (lambda raw: raw.update(steps={"../x": "1"}), "does not know")],
)  # fmt: skip
def test_what_is_not_understood_is_refused(
    change: Callable[[dict], object], complaint: str, workspace: Workspace, there: Workspace, local: Shelf
) -> None:
    build(workspace)
    publish(workspace, local, STEPS)
    forged(local, change)
    with pytest.raises(ArtefactBroken) as refused:
        fetch(there, local, STEPS)
    assert complaint in refused.value.why
    assert not (there.root / "two").exists()


def test_a_manifest_that_says_otherwise_than_its_edition_is_refused(workspace: Workspace, there: Workspace, local: Shelf) -> None:
    build(workspace)
    publish(workspace, local, STEPS)

    def swap(raw: dict) -> None:
        version, other = workspace.version_now("two"), workspace.version_now("one")
        raw["files"][f"two/{version}/out.txt"] = raw["files"][f"one/{other}/out.txt"]

    forged(local, swap)
    with pytest.raises(ArtefactBroken, match="cannot be used"):
        fetch(there, local, STEPS)
    with pytest.raises(WorkspaceMissing):
        there.artefact("two")


def test_nothing_published_yet(there: Workspace, shelf: Shelf) -> None:
    with pytest.raises(WorkspaceMissing) as missing:
        fetch(there, shelf, STEPS)
    assert "publish --to" in missing.value.mend


# Not there, not allowed ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["nosuch://x/y", "s3n0://x", "file+x://y"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(SettingsError, match="no place to publish"):
        Shelf.at(url)


def test_a_password_is_not_taken_and_not_said_again() -> None:
    with pytest.raises(SettingsError) as refused:
        Shelf.at("sftp://me:hunter2@host/folder")
    assert "hunter2" not in str(refused.value)


def test_a_place_that_cannot_be_reached(workspace: Workspace, tmp_path: Path) -> None:
    build(workspace)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ShelfUnreachable) as unreachable:
        publish(workspace, Shelf.at(f"file://{tmp_path}/file/shelf"), STEPS)
    assert "NotADirectoryError" in unreachable.value.why or "FileExistsError" in unreachable.value.why


def test_steps_that_do_not_fit_are_not_published(workspace: Workspace, local: Shelf) -> None:
    build(workspace)
    Pipeline([step("one", run=writing("other"), code=("persona_core.schema",))], workspace).build()
    with pytest.raises(PersonaError, match="built from another 'one'") as refused:
        publish(workspace, local, STEPS)
    assert refused.value.mend == workspace.command("build")
    assert local.labels() == []


def test_a_workspace_that_is_not_whole_is_not_published(workspace: Workspace, local: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("persona_core.workspace.HASH_ON_OPEN_BELOW", 0)  # as with large files, which opening alone does not read
    with pytest.raises(WorkspaceMissing):
        publish(workspace, local, STEPS)
    assert not workspace.root.exists()
    build(workspace)
    workspace.artefact("one").file("out.txt").write_text("eno")
    with pytest.raises(ArtefactBroken):
        publish(workspace, local, STEPS)
    assert local.labels() == []
