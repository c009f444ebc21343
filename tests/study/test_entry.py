"""Who is let in: nobody by guessing, and whoever comes back is who they were."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from persona_core.study.entry import Door, door, invitations, is_invitation
from persona_core.study.store import StudyStore
from tests.study.made import study

NUMBER = "5f3a9c0d1b2e4f6a7b8c9d0e"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StudyStore]:
    one = StudyStore(f"sqlite:///{tmp_path}/study.sqlite")
    yield one
    one.close()


def test_an_open_study_lets_everybody_in_as_somebody_new(store: StudyStore) -> None:
    assert door(study(), store, {}) == Door(None, "link")
    assert door(study(), store, {"PROLIFIC_PID": NUMBER}) == Door(None, "link")


def test_a_panel_lets_in_who_has_a_number_that_cannot_be_guessed(store: StudyStore) -> None:
    panel = study(entry="panel")
    assert door(panel, store, {"PROLIFIC_PID": NUMBER}) == Door(f"panel {NUMBER}", "panel")
    for number in ("", "1", "short", "x" * 200, "' OR 1=1 -- ........", "<script>alert(1)</script>"):
        assert door(panel, store, {"PROLIFIC_PID": number}) is None
    own = study(entry="panel", panel_field="pid")
    assert door(own, store, {"PROLIFIC_PID": NUMBER}) is None
    assert door(own, store, {"pid": NUMBER}) is not None


def test_an_invitation_is_ours_or_it_is_none(store: StudyStore, tmp_path: Path) -> None:
    invited = study(entry="invited")
    codes = invitations(invited, store, 5)
    assert len(set(codes)) == 5
    assert all(is_invitation(invited, store, code) for code in codes)
    nonce, _, signature = codes[0].partition(".")
    other, _, _ = codes[1].partition(".")
    for forged in ("", ".", nonce, f"{nonce}.", f"{other}.{signature}", f"{nonce}.{signature[:-1]}", f"{nonce}x.{signature}", "ü.é"):
        assert door(invited, store, {"i": forged}) is None
    assert not is_invitation(study(id="another", entry="invited"), store, codes[0])
    elsewhere = StudyStore(f"sqlite:///{tmp_path}/other.sqlite")
    assert not is_invitation(invited, elsewhere, codes[0])
    elsewhere.close()


def test_the_same_source_is_the_same_person_with_the_same_token(store: StudyStore) -> None:
    one, token = store.enrol("reasons", "0" * 64, source=f"panel {NUMBER}", origin="panel")
    again, same = store.enrol("reasons", "0" * 64, source=f"panel {NUMBER}", origin="panel")
    assert (one, token) == (again, same)
    assert one.origin == "panel"
    assert NUMBER not in token
