"""Chroma in a folder: building, swapping in, breaking, and questions larger than it bears."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from persona_core.errors import ArtefactBroken, WorkspaceMissing
from persona_core.personas.store import ChromaStore, build_embedded, open_store
from persona_core.personas.store import chroma as chroma_module
from tests.support.stores import MEND, MODEL, by_hand, question, same, world

pytestmark = pytest.mark.xdist_group("chroma")


@pytest.fixture
def asked() -> np.ndarray:
    return question()


def test_an_index_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceMissing) as missing:
        open_store("chroma", tmp_path / "none", mend=MEND)
    assert missing.value.mend == MEND
    assert not (tmp_path / "none").exists()


def test_a_folder_may_be_swapped_in_by_renaming_it(tmp_path: Path, asked: np.ndarray) -> None:
    build_embedded(tmp_path / "work", *world(), MODEL)
    (tmp_path / "work").rename(tmp_path / "v1")
    store = open_store("chroma", tmp_path / "v1")
    same(store.nearest(asked, 5), by_hand(*world(), asked, lambda _: True)[:5])
    store.close()


def test_a_build_that_was_stopped_is_refused_and_begins_again(tmp_path: Path) -> None:
    def stop(done: int, _: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_embedded(tmp_path / "index", *world(), MODEL, tell=stop)
    with pytest.raises(ArtefactBroken, match="not whole") as broken:
        open_store("chroma", tmp_path / "index", mend=MEND)
    assert broken.value.mend == MEND
    told: list[tuple[int, int]] = []
    build_embedded(tmp_path / "index", *world(), MODEL, tell=lambda *at: told.append(at))
    total = len(world()[0])
    assert told[-1] == (total, total)
    store = open_store("chroma", tmp_path / "index")
    assert store.count() == total
    store.close()


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear reader")
    with pytest.raises(ValueError, match="other things"):
        build_embedded(tmp_path, *world(), MODEL)
    assert (tmp_path / "letter.txt").exists()


def test_damaged_files_are_told_in_our_words(tmp_path: Path) -> None:
    build_embedded(tmp_path / "index", *world(), MODEL)
    (tmp_path / "index" / "chroma.sqlite3").write_bytes(b"not a database, whatever its name says" * 100)
    with pytest.raises(ArtefactBroken) as broken:
        open_store("chroma", tmp_path / "index", mend=MEND)
    assert broken.value.mend == MEND


def test_more_items_than_one_question_bears(tmp_path: Path, asked: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    build_embedded(tmp_path / "index", *world(), MODEL)
    store = open_store("chroma", tmp_path / "index")
    monkeypatch.setattr(chroma_module, "ITEMS_A_QUESTION", 7)
    monkeypatch.setattr(chroma_module, "EXACT_ITEMS", 10)
    monkeypatch.setattr(chroma_module, "PAGE", 5)
    items = [f"i{n:02d}" for n in range(30)]
    wanted = by_hand(*world(), asked, lambda p: p.item_id in items)
    same(store.nearest(asked, 12, items=items), wanted[:12])
    same(sorted(store.score(asked, items).values(), key=lambda hit: -hit.cosine), wanted)
    same(store.nearest(asked, 90), by_hand(*world(), asked, lambda _: True))
    store.close()


def test_forty_thousand_items_in_one_call(tmp_path: Path, asked: np.ndarray) -> None:
    build_embedded(tmp_path / "index", *world(), MODEL)
    store = open_store("chroma", tmp_path / "index")
    strangers = [f"stranger {n}" for n in range(40_000)]
    assert store.score(asked, [*strangers, "i07"]).keys() == {"i07"}
    assert [hit.item_id for hit in store.nearest(asked, 3, items=[*strangers, "i07"])] == ["i07"]
    store.close()


def test_no_embedding_function_is_ever_attached(tmp_path: Path) -> None:
    build_embedded(tmp_path / "index", *world(), MODEL)
    store = open_store("chroma", tmp_path / "index")
    assert isinstance(store, ChromaStore)
    assert store._collection._embedding_function is None
    assert store._collection.configuration["hnsw"]["space"] == "cosine"
    store.close()
