"""The exact store beside brute force, and its two files."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persona_core.errors import ArtefactBroken, WorkspaceMissing
from persona_core.personas.store import PERSONAS, VECTORS, Hit, MemoryStore, StoredPersona
from tests.support.stores import MEND, MODEL, by_hand, units, world


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[StoredPersona], np.ndarray, np.ndarray]:
    """Few dimensions and whole numbers, so that ties are common."""
    dimension = draw(st.integers(2, 4))
    whole = st.lists(st.integers(-2, 2), min_size=dimension, max_size=dimension).filter(any)
    rows = draw(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("xy"), st.sampled_from("+-"), whole), max_size=40))
    numbers = draw(st.permutations(range(len(rows))))
    personas = [
        StoredPersona(f"{number:02d}", item, scenario, stance, "")
        for number, (item, scenario, stance, _) in zip(numbers, rows, strict=True)
    ]
    matrix = units(np.array([row[3] for row in rows], float)) if rows else np.empty((0, dimension), np.float32)
    return personas, matrix, np.array(draw(whole), float)


def tied_alike(found: Sequence[Hit], wanted: Sequence[Hit]) -> None:
    """Equal but for the order of what differs by less than float32 can tell."""
    assert len(found) == len(wanted)
    assert [hit.cosine for hit in found] == pytest.approx([hit.cosine for hit in wanted], abs=1e-6)
    for one, other in zip(found, wanted, strict=True):
        assert one.persona_id == other.persona_id or abs(one.cosine - other.cosine) < 1e-6


@settings(max_examples=150, deadline=None)
@given(
    worlds(),
    st.integers(0, 9),
    st.none() | st.sampled_from("xyz"),
    st.none() | st.sets(st.sampled_from("+-")),
    st.none() | st.sets(st.sampled_from("abcdefg")),
)
def test_memory_equals_brute_force(
    drawn: tuple[list[StoredPersona], np.ndarray, np.ndarray],
    k: int,
    scenario: str | None,
    stances: set[str] | None,
    items: set[str] | None,
) -> None:
    personas, matrix, vector = drawn
    store = MemoryStore.of(personas, matrix, MODEL)

    def passes(p: StoredPersona, scenario: str | None) -> bool:
        return (
            (scenario is None or p.scenario == scenario)
            and (stances is None or p.stance in stances)
            and (items is None or p.item_id in items)
        )

    wanted = by_hand(personas, matrix, vector, lambda p: passes(p, scenario))
    tied_alike(store.nearest(vector, k, scenario=scenario, stances=stances, items=items), wanted[:k])
    if items is not None:
        scored = by_hand(personas, matrix, vector, lambda p: passes(p, None))
        tied_alike(list(store.score(vector, sorted(items), stances=stances).values()), scored)


def test_equal_vectors_have_equal_cosines_wherever_they_lie() -> None:
    rng = np.random.default_rng(1)
    matrix = units(rng.normal(size=(5003, 384)))
    places = rng.choice(5003, 60, replace=False)
    matrix[places] = matrix[0]
    personas = [StoredPersona(f"p{n:04d}", f"i{n}", "s", "fan", "") for n in range(5003)]
    found = MemoryStore.of(personas, matrix, MODEL).nearest(rng.normal(size=384) + matrix[0] * 20, 60)
    assert len({hit.cosine for hit in found}) == 1
    assert [hit.persona_id for hit in found] == sorted(hit.persona_id for hit in found)


@pytest.mark.parametrize("name", [VECTORS, PERSONAS])
def test_memory_files_that_are_gone_or_damaged(tmp_path: Path, name: str) -> None:
    MemoryStore.of(*world(), MODEL).save(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([VECTORS, PERSONAS])
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ArtefactBroken, match="cannot be used") as broken:
        MemoryStore.open(tmp_path, mend=MEND)
    assert broken.value.mend == MEND
    (tmp_path / name).unlink()
    with pytest.raises(WorkspaceMissing):
        MemoryStore.open(tmp_path)


def test_memory_files_that_do_not_belong_together(tmp_path: Path) -> None:
    personas, matrix = world()
    MemoryStore.of(personas[:9], matrix[:9], MODEL).save(tmp_path / "other")
    MemoryStore.of(personas, matrix, MODEL).save(tmp_path)
    shutil.copy(tmp_path / "other" / PERSONAS, tmp_path / PERSONAS)
    with pytest.raises(ArtefactBroken, match="beside 9 personas"):
        MemoryStore.open(tmp_path)
