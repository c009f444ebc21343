"""What curators say: it can be taken back, survives rebuilds, torn files and other curators, and invents nobody."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persona_core.errors import PersonaError
from persona_core.personas import curation
from persona_core.personas.curation import FILE, Action, CurationRefused, Entry, checked_name, curated, held, read_entries
from persona_core.schema import Persona, Quote
from persona_core.workspace import Workspace
from tests.support.tastes import persona_of


def person(item: str, number: int, *reviews: str) -> Persona:
    quotes = tuple(Quote(review_id=one, start=0, end=2, text="It") for one in reviews or (f"r-{item}-{number}",))
    return persona_of(item, number).model_copy(update={"quotes": quotes})


PEOPLE = [person(item, number) for item in ("i0", "i1") for number in range(3)]


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    return Workspace.at(tmp_path)


def shown(place: Workspace, people: list[Persona] = PEOPLE) -> list[Persona]:
    return curated(people, read_entries(place.root))


def test_nothing_said_nothing_changed(place: Workspace) -> None:
    assert shown(place) == PEOPLE
    assert curation.fingerprint(place.root) == ""


def test_hiding_and_renaming_can_be_undone_one_after_the_other(place: Workspace) -> None:
    first = PEOPLE[0]
    renamed = curation.rename(place, first, "  Sunday \n walker ", "too long before")
    assert shown(place)[0] == first.model_copy(update={"name": "Sunday walker"})
    marks = {curation.fingerprint(place.root)}
    hidden = curation.hide(place, first)
    assert shown(place) == PEOPLE[1:]
    marks.add(curation.fingerprint(place.root))
    curation.undo(place, first, hidden)
    assert shown(place)[0].name == "Sunday walker"
    curation.undo(place, first, renamed)
    assert shown(place) == PEOPLE
    assert len(marks | {curation.fingerprint(place.root)}) == 3
    assert len(read_entries(place.root)) == 4  # nothing is ever taken away


def test_only_what_holds_can_be_undone(place: Workspace) -> None:
    entry = curation.hide(place, PEOPLE[0])
    curation.undo(place, PEOPLE[0], entry)
    with pytest.raises(CurationRefused, match="changed meanwhile"):
        curation.undo(place, PEOPLE[0], entry)


def test_it_is_found_again_after_a_rebuild_by_its_quotes(place: Workspace) -> None:
    curation.hide(place, person("i0", 0, "a", "b", "c", "d"))
    rebuilt = [person("i0", 7, "a", "b", "x"), person("i0", 8, "c"), person("i1", 9, "a", "b", "c", "d")]
    assert shown(place, rebuilt) == rebuilt[1:]
    too_few = [person("i0", 7, "a", "x"), person("i0", 8, "y")]
    assert shown(place, too_few) == too_few
    (entry,) = held(rebuilt, read_entries(place.root))[rebuilt[0].id]
    curation.undo(place, rebuilt[0], entry)  # under its new id
    assert shown(place, rebuilt) == rebuilt
    assert shown(place, [person("i0", 0, "a", "b", "c", "d")]) != []


@pytest.mark.parametrize("torn", [b'{"time": "2026', b"\xff\xfe", b"null", b"{}", b"[]"])
def test_a_torn_line_counts_for_nothing_and_the_next_is_whole(place: Workspace, torn: bytes) -> None:
    curation.hide(place, PEOPLE[0])
    with (place.root / FILE).open("ab") as file:
        file.write(torn)
    assert shown(place) == PEOPLE[1:]
    curation.hide(place, PEOPLE[1])
    assert shown(place) == PEOPLE[2:]


def test_several_curators_at_once_lose_nothing(place: Workspace) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda one: curation.hide(place, one, "x" * 400), PEOPLE))
    assert shown(place) == []


@pytest.mark.parametrize("name", ["", " ", "a", "a" * 61, "left \u202e right", "be\x00ll", "\ud800\ud800", "no\u200bthing"])
def test_names_that_nobody_can_read_are_refused(place: Workspace, name: str) -> None:
    with pytest.raises(CurationRefused):
        curation.rename(place, PEOPLE[0], name)
    assert read_entries(place.root) == ()


def test_hostile_notes_become_one_readable_line(place: Workspace) -> None:
    curation.hide(place, PEOPLE[0], "a\nb\x00\ud800<script>" + "z" * 900)
    (entry,) = read_entries(place.root)
    assert entry.note.startswith("a b <script>z")
    assert len(entry.note) == curation.LONGEST_NOTE


def test_a_read_only_app_says_nothing(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA_READONLY", "true")
    with pytest.raises(CurationRefused, match="only reads"):
        curation.hide(place, PEOPLE[0])


def test_what_cannot_be_read_is_an_error_with_its_remedy(place: Workspace) -> None:
    (place.root / FILE).mkdir()
    with pytest.raises(PersonaError, match="cannot be read"):
        read_entries(place.root)


entries = st.builds(
    Entry,
    time=st.just(datetime(2026, 1, 1, tzinfo=UTC)),
    item_id=st.sampled_from(["i0", "i1", "gone"]),
    persona_id=st.sampled_from([one.id for one in PEOPLE] + ["i0:p9"]),
    quotes=st.lists(st.sampled_from(["r-i0-0", "r-i1-2", "nowhere"]), max_size=3).map(tuple),
    action=st.sampled_from(Action),
    name=st.sampled_from(["One", "Two"]),
)


@settings(deadline=None)
@given(st.lists(entries, max_size=12))
def test_replay_is_deterministic_and_never_invents_anybody(said: list[Entry]) -> None:
    first = curated(PEOPLE, said)
    assert first == curated(PEOPLE, list(said))
    ids = [one.id for one in first]
    assert ids == [one.id for one in PEOPLE if one.id in set(ids)]
    for one in first:
        built = next(other for other in PEOPLE if other.id == one.id)
        assert one.model_copy(update={"name": built.name}) == built


@settings(deadline=None)
@given(st.lists(entries, max_size=8), st.sampled_from(PEOPLE), st.sampled_from([Action.HIDE, Action.RENAME]))
def test_undo_gives_back_what_was(said: list[Entry], persona: Persona, action: Action) -> None:
    def of(what: Action) -> Entry:
        now = datetime(2026, 1, 2, tzinfo=UTC)
        return Entry(time=now, item_id=persona.item_id, persona_id=persona.id, action=what, name="New name")

    assert curated(PEOPLE, [*said, of(action), of(Action.RESTORE)]) == curated(PEOPLE, said)


@given(st.text(max_size=80))
def test_a_checked_name_is_one_printable_line(name: str) -> None:
    try:
        good = checked_name(name)
    except CurationRefused:
        return
    assert good.isprintable()
    assert 2 <= len(good) <= 60
    assert checked_name(good) == good
