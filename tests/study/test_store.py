"""What both databases promise: each event is kept once, in order, and for good; who leaves is gone; strangers find nobody."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from persona_core.study.store import LONGEST_KEY, LONGEST_PAYLOAD, StoreUnavailable, StudyFull, StudyStore
from tests.support.postgres import postgres, why_not

pytestmark = pytest.mark.xdist_group("study store")
STUDY, DESIGN = "reasons", "0" * 64


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    if why_not():
        pytest.skip(why_not())
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/study.sqlite"
    address = str(request.getfixturevalue("server"))
    with create_engine(address).begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
    return address


@pytest.fixture
def store(url: str) -> Iterator[StudyStore]:
    one = StudyStore(url)
    yield one
    one.close()


def test_a_participant_is_found_by_their_token_alone(store: StudyStore) -> None:
    one, token = store.enrol(STUDY, DESIGN)
    other, _ = store.enrol(STUDY, DESIGN)
    assert store.participant(token) == one
    assert (one.number, other.number) == (0, 1)
    assert store.participants(STUDY) == [one, other]
    for guess in ("", token[:-1], token.swapcase(), one.id, "' OR 1=1 --", "\udcff", "x" * 10_000):
        assert store.participant(guess) is None


def test_the_token_is_nowhere_in_the_database(tmp_path: Path) -> None:
    store = StudyStore(f"sqlite:///{tmp_path}/study.sqlite")
    _, token = store.enrol(STUDY, DESIGN, source="PROLIFIC-5f3a")
    store.close()
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert token.encode() not in kept
    assert b"PROLIFIC" not in kept


def test_events_come_back_as_they_were_in_their_order(store: StudyStore) -> None:
    one, _ = store.enrol(STUDY, DESIGN)
    told = [{"n": n, "text": "ünïcode \u202e <b>"} for n in range(5)]
    assert [store.append(one, "shown", payload, f"k{n}") for n, payload in enumerate(told)] == list(range(5))
    events = store.events(one)
    assert [event.payload for event in events] == told
    assert [event.seq for event in events] == list(range(5))
    assert all(a.utc <= b.utc and a.monotonic_ns < b.monotonic_ns for a, b in pairwise(events))


def test_what_is_sent_twice_is_kept_once(store: StudyStore) -> None:
    one, _ = store.enrol(STUDY, DESIGN)
    assert store.append(one, "done", {"a": 1}, "k") == 0
    assert store.append(one, "done", {"a": 2}, "k") == 0
    assert [event.payload for event in store.events(one)] == [{"a": 1}]


def test_many_at_once_lose_nothing_and_share_no_number(store: StudyStore) -> None:
    def takes_part(number: int) -> int:
        one, token = store.enrol(STUDY, DESIGN)
        for step in range(5):
            store.append(one, "shown", {"step": step}, f"k{step}")
        found = store.participant(token)
        assert found is not None
        return found.number

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(takes_part, range(16)))
    assert sorted(numbers) == list(range(16))
    assert store.count(STUDY) == 16 * 5


def test_one_participant_in_several_tabs_has_one_row_of_events(store: StudyStore) -> None:
    one, _ = store.enrol(STUDY, DESIGN)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: store.append(one, "shown", {}, f"k{n % 10}"), range(40)))
    assert [event.seq for event in store.events(one)] == list(range(10))


def test_whoever_comes_from_the_same_place_again_is_the_same(store: StudyStore) -> None:
    one, first = store.enrol(STUDY, DESIGN, source="worker 7")
    again, second = store.enrol(STUDY, DESIGN, source="worker 7")
    assert one == again
    assert first == second, "a second tab goes on beside the first"
    assert store.participant(second) == one
    assert store.enrol("another", DESIGN, source="worker 7")[0].id != one.id


def test_a_quota_is_kept(store: StudyStore) -> None:
    store.enrol(STUDY, DESIGN, quota=1)
    with pytest.raises(StudyFull, match="all the participants"):
        store.enrol(STUDY, DESIGN, quota=1)


def test_who_withdraws_leaves_a_tombstone_and_nothing_else(store: StudyStore) -> None:
    one, token = store.enrol(STUDY, DESIGN, source="worker 7")
    other, _ = store.enrol(STUDY, DESIGN)
    for who in (one, other):
        store.append(who, "done", {"said": "something"}, "k")
    store.withdraw(one)
    assert store.events(one) == []
    assert len(store.events(other)) == 1
    stone = store.participant(token)
    assert stone is not None
    assert stone.withdrawn is not None
    with pytest.raises(ValueError, match="left"):
        store.append(one, "done", {}, "k2")
    store.withdraw(one)
    assert store.participant(token) == stone, "twice is as once"
    assert store.enrol(STUDY, DESIGN)[0].number == 2, "their number is not given to anybody else"


@pytest.mark.parametrize(("payload", "key"), [({"x": "y" * LONGEST_PAYLOAD}, "k"), ({}, ""), ({}, "k" * (LONGEST_KEY + 1))])
def test_what_is_too_much_is_refused_and_nothing_is_kept(store: StudyStore, payload: dict[str, str], key: str) -> None:
    one, _ = store.enrol(STUDY, DESIGN)
    with pytest.raises(ValueError, match="at most"):
        store.append(one, "shown", payload, key)
    assert store.events(one) == []


def test_a_store_that_is_opened_again_has_everything(store: StudyStore, url: str) -> None:
    one, token = store.enrol(STUDY, DESIGN)
    store.append(one, "done", {}, "k")
    store.close()
    again = StudyStore(url)
    assert again.participant(token) == one
    assert len(again.events(one)) == 1
    again.close()


def test_another_versions_database_is_refused(store: StudyStore, url: str) -> None:
    with create_engine(url).begin() as connection:
        connection.execute(text("UPDATE about SET value = '99'"))
    with pytest.raises(StoreUnavailable, match="later version"):
        StudyStore(url)


def test_a_database_of_an_older_form_is_brought_up_to_date_with_all_that_it_holds(store: StudyStore, url: str) -> None:
    one, token = store.enrol(STUDY, DESIGN)
    store.append(one, "done", {"said": "something"}, "k")
    store.close()
    with create_engine(url).begin() as connection:  # the first form had no origin and no secret
        connection.execute(text("ALTER TABLE participants DROP COLUMN origin"))
        connection.execute(text("DELETE FROM about WHERE name = 'secret'"))
        connection.execute(text("UPDATE about SET value = '1'"))
    for _ in range(2):
        again = StudyStore(url)
        assert again.participant(token) == one
        assert len(again.events(one)) == 1
        again.close()


def test_who_was_there_is_taken_over_once_as_they_were(store: StudyStore, tmp_path: Path) -> None:
    one, token = store.enrol(STUDY, DESIGN, origin="panel")
    store.append(one, "done", {"said": "something"}, "k")
    other = StudyStore(f"sqlite:///{tmp_path}/other.sqlite")
    for _ in range(2):
        other.restore(one, store.events(one))
    assert other.participants(STUDY) == [one]
    assert other.events(one) == store.events(one)
    assert other.participant(token) is None, "no token goes along"
    other.close()


def test_a_quota_counts_who_finished_or_may_yet(store: StudyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    one, _ = store.enrol(STUDY, DESIGN, quota=1)
    monkeypatch.setattr("persona_core.study.store.STILL_HERE_S", -1.0)
    store.enrol(STUDY, DESIGN, quota=1)
    store.append(one, "done", {}, "done debrief")
    with pytest.raises(StudyFull):
        store.enrol(STUDY, DESIGN, quota=1)
    store.withdraw(one)
    store.enrol(STUDY, DESIGN, quota=1)


def test_what_is_kept_long_enough_is_forgotten(store: StudyStore) -> None:
    one, _ = store.enrol(STUDY, DESIGN)
    store.append(one, "done", {}, "k")
    assert store.forget(STUDY, one.created) == 0
    later = store.enrol(STUDY, DESIGN)[0]
    assert store.forget(STUDY, later.created) == 1
    assert [found.withdrawn is None for found in store.participants(STUDY)] == [False, True]
    assert store.events(one) == []


def test_a_database_without_an_encoding_keeps_every_letter(server: str) -> None:
    with create_engine(server, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("CREATE DATABASE plain ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"))
    store = StudyStore(server.replace("/postgres", "/plain"))
    one, _ = store.enrol(STUDY, DESIGN)
    store.append(one, "shown", {"text": "ünïcode \u202e 漢字"}, "k")
    assert [event.payload for event in store.events(one)] == [{"text": "ünïcode \u202e 漢字"}]
    store.close()


@pytest.mark.parametrize("address", ["nonsense", "sqlite:////nowhere/at/all/x.sqlite", "postgresql+psycopg://nobody@127.0.0.1:9/x"])
def test_a_database_that_is_not_there_is_said_so(address: str) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        StudyStore(address)
    assert caught.value.mend


# Killed ------------------------------------------------------------------------------------------------------------------


def _keeps_adding(url: str, acknowledged: str) -> None:
    store = StudyStore(url)
    one, token = store.enrol(STUDY, DESIGN)
    with Path(acknowledged).open("a", buffering=1) as out:
        out.write(f"{token}\n")
        for number in range(100_000):
            store.append(one, "shown", {"number": number}, f"k{number}")
            out.write(f"{number}\n")


def test_what_was_acknowledged_before_a_kill_is_there_after_it(url: str, tmp_path: Path) -> None:
    told = tmp_path / "acknowledged"
    process = multiprocessing.get_context("spawn").Process(target=_keeps_adding, args=(url, str(told)))
    process.start()
    while not told.exists() or len(told.read_text().splitlines()) < 40:
        assert process.is_alive()
        process.join(0.05)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    token, *numbers = told.read_text().splitlines()
    store = StudyStore(url)
    one = store.participant(token)
    assert one is not None
    kept = {event.payload["number"] for event in store.events(one)}
    assert kept >= {int(number) for number in numbers[:-1]}
    assert len(kept) <= len(numbers) + 1
    store.close()


# Full, locked ------------------------------------------------------------------------------------------------------------


def _writes_until_the_disk_is_full(url: str, acknowledged: str) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
    store = StudyStore(url)
    one, token = store.enrol(STUDY, DESIGN)
    with Path(acknowledged).open("w", buffering=1) as told:
        told.write(f"{token}\n")
        try:
            for at in range(2_000):
                store.append(one, "done", {"said": "x" * 500}, f"k{at}")
                told.write(f"k{at}\n")
        except StoreUnavailable as error:
            told.write(f"refused: {error.what}\n")


def test_on_a_full_disk_it_says_so_and_all_that_was_acknowledged_is_there(tmp_path: Path) -> None:
    url, note = f"sqlite:///{tmp_path}/study.sqlite", tmp_path / "note"
    writer = multiprocessing.get_context("spawn").Process(target=_writes_until_the_disk_is_full, args=(url, str(note)))
    writer.start()
    writer.join(60)
    token, *lines = note.read_text().splitlines()
    assert lines[-1].startswith("refused: The study's database cannot be used now")
    store = StudyStore(url)
    one = store.participant(token)
    assert one is not None
    assert {line for line in lines if line.startswith("k")} <= {event.key for event in store.events(one)}
    store.append(one, "done", {}, "after")
    store.close()


def test_a_database_that_somebody_holds_is_waited_for_and_not_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("persona_core.study.store.BUSY_MS", 300)
    store = StudyStore(f"sqlite:///{tmp_path}/study.sqlite")
    one, _ = store.enrol(STUDY, DESIGN)
    other = sqlite3.connect(tmp_path / "study.sqlite", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable):
        store.append(one, "done", {}, "k")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(store.append, one, "done", {}, "k")
        other.execute("ROLLBACK")
        assert waiting.result(10) == 0
    assert [event.key for event in store.events(one)] == ["k"]
    other.close()
    store.close()
