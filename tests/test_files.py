"""A file is the old one or the new one, never half of one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from persona_core import files
from persona_core.files import canonical_json, digest, file_digest, file_digest_as_known, write_beside, write_json


def test_writes_and_replaces(tmp_path: Path) -> None:
    file = tmp_path / "new" / "file"
    write_beside(file, b"one")
    write_beside(file, b"two")
    assert file.read_bytes() == b"two"
    assert os.listdir(file.parent) == ["file"]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    write_beside(file, b"one")

    def fails(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match="No space"):
        write_beside(file, b"two")
    assert file.read_bytes() == b"one"
    assert os.listdir(tmp_path) == ["file"]


def test_digests_agree_and_do_not_depend_on_the_order_of_keys(tmp_path: Path) -> None:
    write_json(tmp_path / "a", {"b": 1, "a": "ü"})
    assert file_digest(tmp_path / "a") == digest((tmp_path / "a").read_bytes())
    assert canonical_json({"b": 1, "a": 2}) == canonical_json({"a": 2, "b": 1})


def test_a_file_is_not_read_again_until_it_is_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"one")
    monkeypatch.setattr("persona_core.files.RACY_S", -1.0)
    reads: list[Path] = []
    real = files.file_digest
    monkeypatch.setattr(files, "file_digest", lambda path: (reads.append(path), real(path))[1])
    assert [file_digest_as_known(file) for _ in range(3)] == [digest(b"one")] * 3
    assert len(reads) == 1
    write_beside(file, b"two")  # as long as before
    assert file_digest_as_known(file) == digest(b"two")


def test_what_was_written_just_now_is_always_read(tmp_path: Path) -> None:
    file = tmp_path / "file"
    for content in (b"one", b"two", b"six"):
        file.write_bytes(content)
        assert file_digest_as_known(file) == digest(content)
