"""The cache of answers: what was put in comes out, whatever happens to the process or the file."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persona_core.errors import WorkspaceBusy, WorkspaceUnwritable
from persona_core.llm import cache as cache_module
from persona_core.llm.cache import AnswerCache, Kept, answer_key
from persona_core.llm.protocol import Prompt, Usage

KEPT = Kept('{"a": 1}', Usage(10, 5, 1.5))
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "answers.sqlite"


def test_what_is_put_in_comes_out_also_after_reopening(file: Path) -> None:
    cache = AnswerCache(file)
    assert cache.get("k") is None
    cache.put("k", KEPT)
    assert cache.get("k") == KEPT
    cache.close()
    assert AnswerCache(file).get("k") == KEPT
    assert len(cache) == 1  # a closed one opens again


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs",))), st.floats(0, 1e6))
def test_any_text_is_kept_verbatim(tmp_path_factory: pytest.TempPathFactory, text: str, seconds: float) -> None:
    cache = AnswerCache(tmp_path_factory.getbasetemp() / "any.sqlite")
    kept = Kept(text, Usage(1, 2, seconds))
    cache.put("k", kept)
    assert cache.get("k") == kept
    cache.close()


PROMPT = Prompt("p", "v", "system", "user")
GIVEN = {"model_digest": "m", "options": {"seed": 1, "temperature": 0.0}, "schema": {"type": "object"}}


def test_everything_that_an_answer_depends_on_is_in_its_key() -> None:
    keys = {
        answer_key(PROMPT, **GIVEN),
        *(answer_key(PROMPT, **{**GIVEN, **one}) for one in ({"model_digest": "n"}, {"options": {"seed": 2}}, {"schema": {}})),
        *(answer_key(Prompt(*parts), **GIVEN) for parts in (("q", "v", "system", "user"), ("p", "w", "system", "user"))),
        *(answer_key(Prompt(*parts), **GIVEN) for parts in (("p", "v", "syste", "muser"), ("p", "v", "user", "system"))),
    }
    assert len(keys) == 8
    turned = {**GIVEN, "options": {"temperature": 0.0, "seed": 1}}
    assert answer_key(PROMPT, **turned) == answer_key(PROMPT, **GIVEN)


@pytest.mark.parametrize("damage", ["text", "empty head", "page", "short", "other form", "other table"])
def test_a_damaged_file_is_set_aside_and_a_new_one_begun(damage: str, file: Path) -> None:
    cache = AnswerCache(file)
    for number in range(200):
        cache.put(f"k{number}", Kept("x" * 500, Usage()))
    cache.close()
    spoil(file, damage)
    before = file.read_bytes()
    cache = AnswerCache(file)
    assert 0 < len(cache) < 200 if damage == "short" else len(cache) == 0, "what can be read is saved"
    cache.put("k", KEPT)
    assert cache.get("k") == KEPT
    aside = [one for one in file.parent.glob("*damaged*") if not one.name.endswith(("-wal", "-shm"))]
    assert [one.read_bytes() for one in aside] == [before]


def spoil(file: Path, damage: str) -> None:
    content = bytearray(file.read_bytes())
    if damage == "text":
        content[:] = b"this is no database at all" * 100
    elif damage == "empty head":
        content[:100] = bytes(100)
    elif damage == "page":
        content[4096 : 4096 * 9] = os.urandom(4096 * 8)
    elif damage == "short":
        content[:] = content[: len(content) // 2]
    file.write_bytes(content)
    if damage.startswith("other"):
        file.unlink()
        with sqlite3.connect(file) as database:
            database.execute("CREATE TABLE answers (other TEXT)")
            database.execute(f"PRAGMA user_version = {99 if damage == 'other form' else cache_module.FORM}")
        database.close()


def test_damage_that_comes_while_it_is_open_is_no_crash(file: Path) -> None:
    cache = AnswerCache(file)
    for number in range(200):
        cache.put(f"k{number}", Kept("x" * 500, Usage()))
    cache._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
    with file.open("r+b") as handle:
        handle.write(os.urandom(file.stat().st_size))
    for number in range(200):
        assert cache.get(f"k{number}") in (None, Kept("x" * 500, Usage()))
    cache.put("k", KEPT)
    assert cache.get("k") == KEPT


def test_a_flipped_bit_in_an_answer_is_not_believed(file: Path) -> None:
    cache = AnswerCache(file)
    cache.put("k", Kept("a pan that lasts", Usage()))
    cache.close()
    content = file.read_bytes()
    assert content.count(b"a pan that lasts") == 1
    file.write_bytes(content.replace(b"a pan that lasts", b"a pan that rusts"))
    cache = AnswerCache(file)
    assert cache.get("k") is None
    cache.put("k", KEPT)
    assert cache.get("k") == KEPT


def test_a_held_file_is_waited_for_and_then_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "PATIENCE_S", 0.05)
    cache = AnswerCache(file)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(WorkspaceBusy, match="another process"):
        cache.put("k", KEPT)
    other.execute("ROLLBACK")
    cache.put("k", KEPT)
    assert cache.get("k") == KEPT
    assert not list(file.parent.glob("*damaged*"))


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "answers.sqlite").mkdir()
    with pytest.raises(WorkspaceUnwritable, match=r"answers\.sqlite"):
        AnswerCache(tmp_path / "answers.sqlite")


def test_a_full_disk_is_named_and_loses_nothing(file: Path) -> None:
    cache = AnswerCache(file)
    cache.put("k", KEPT)
    cache._database.execute("PRAGMA max_page_count = 4")  # type: ignore[union-attr]
    with pytest.raises(WorkspaceUnwritable, match="full"):
        cache.put("big", Kept("x" * 100_000, Usage()))
    assert cache.get("k") == KEPT
    assert not list(file.parent.glob("*damaged*"))


def test_many_threads_and_two_openers_write_at_once(file: Path) -> None:
    caches = AnswerCache(file), AnswerCache(file)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: caches[number % 2].put(f"k{number}", Kept(str(number), Usage())), range(200)))
    assert [caches[0].get(f"k{number}") for number in range(200)] == [Kept(str(number), Usage()) for number in range(200)]


def test_who_wants_the_same_answer_waits_and_others_do_not(file: Path) -> None:
    cache = AnswerCache(file)
    inside, done = Event(), []
    with ThreadPoolExecutor(2) as threads:
        with cache.alone("k"):
            waiting = threads.submit(lambda: inside.set() or done.append("waited") if cache_turn(cache, "k") else None)
            threads.submit(lambda: cache_turn(cache, "other")).result(5)
            assert not waiting.done()
            assert not done
        waiting.result(5)
    assert done == ["waited"]
    assert not cache._turns


def cache_turn(cache: AnswerCache, key: str) -> bool:
    with cache.alone(key):
        return True


WRITER = """
import sys
from pathlib import Path
from persona_core.llm.cache import AnswerCache, Kept
from persona_core.llm.protocol import Usage

cache = AnswerCache(Path(sys.argv[1]))
for number in range(10**9):
    cache.put(f"k{number}", Kept(f"answer {number} " + "x" * (number * 37 % 3000), Usage(number, 1, 0.5)))
    print(number, flush=True)
"""


def test_a_kill_loses_no_answer_that_was_put_in(file: Path) -> None:
    seen = -1
    for round_ in range(3):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(file)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert writer.stdout
        for line in writer.stdout:
            seen = int(line)
            if seen == 40 * (round_ + 1):
                os.kill(writer.pid, signal.SIGKILL)
        writer.wait(10)
        cache = AnswerCache(file)
        for number in range(seen + 1):
            expected = f"answer {number} " + "x" * (number * 37 % 3000)
            assert cache.get(f"k{number}") == Kept(expected, Usage(number, 1, 0.5))
        cache.close()
    assert not list(file.parent.glob("*damaged*"))


def test_what_can_be_read_of_a_torn_file_is_not_paid_for_again(file: Path) -> None:
    cache = AnswerCache(file)
    for number in range(400):
        cache.put(f"k{number}", Kept(f"answer {number} " * 20, Usage(1, 2, 3.0)))
    cache.close()
    content = file.read_bytes()
    file.write_bytes(content[: len(content) * 3 // 4])
    left = AnswerCache(file)
    found = [left.get(f"k{number}") for number in range(400)]
    kept = [number for number, one in enumerate(found) if one is not None]
    assert len(kept) > 200
    assert all(found[number].text == f"answer {number} " * 20 for number in kept)  # type: ignore[union-attr]
    assert [one.name for one in file.parent.iterdir() if "salvage" in one.name] == []
