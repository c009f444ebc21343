"""Choices are kept line by line, survive a torn line, and become pairs."""

from __future__ import annotations

from pathlib import Path

import pytest

from persona_core.errors import PersonaError
from persona_core.profiles.ways import choices
from persona_core.profiles.ways.choices import FILE, as_pairs, read_choices, remember
from persona_core.workspace import Workspace


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    return Workspace.at(tmp_path)


def test_what_is_chosen_is_kept_in_order(place: Workspace) -> None:
    assert read_choices(place) == []
    made = [remember(place, "u", kind, "extraction: broad", "Likes: a\nb", "Likes: c") for kind in ("adopt", "reject")]  # type: ignore[arg-type]
    assert read_choices(place) == made


def test_a_torn_line_loses_nothing_else(place: Workspace) -> None:
    one = remember(place, "u", "adopt", "k", "x", "y")
    with (place.root / FILE).open("ab") as file:
        file.write(b'{"time": "20')
    other = remember(place, "v", "merge", "k", "x", "y")
    assert read_choices(place) == [one, other]


def test_the_last_word_makes_the_pair(place: Workspace) -> None:
    remember(place, "u", "adopt", "k", "way", "mine")
    remember(place, "u", "reject", "k", "way", "mine")
    remember(place, "v", "merge", "k", "way", "mine")
    remember(place, "w", "adopt", "k", "same", "same")
    pairs = as_pairs(read_choices(place))
    assert [(one["user_id"], one["chosen"], one["rejected"]) for one in pairs] == [("u", "mine", "way"), ("v", "way", "mine")]


def test_where_nothing_may_be_written_nothing_is(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA_READONLY", "true")
    with pytest.raises(PersonaError, match="only reads"):
        remember(place, "u", "adopt", "k", "x", "y")
    assert not (place.root / FILE).exists()


def test_it_does_not_grow_without_end(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choices, "MOST_BYTES", 10)
    remember(place, "u", "adopt", "k", "x", "y")
    with pytest.raises(PersonaError, match="too many choices"):
        remember(place, "u", "adopt", "k", "x", "y")
    assert len(read_choices(place)) == 1
