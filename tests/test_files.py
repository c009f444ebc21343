"""A file is the old one or the new one, never half of one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from persona_core.files import canonical_json, digest, file_digest, write_beside, write_json


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
