"""The map: every persona once, the same each time, and regions whose names differ."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persona_core.personas import map as maps
from persona_core.personas.map import MAP, REGIONS, placed, read_map, write_map
from persona_core.personas.needs import read_needs
from persona_core.personas.regions import MOST, how_many, names_of, read_themes, regions_of
from persona_core.schema import Persona, Stance
from persona_core.workspace import Workspace
from tests.support.tastes import persona_of, random_units, vector_of


def crowd(number: int, kinds: int = 4) -> tuple[list[Persona], np.ndarray]:
    """Personas of a few kinds, each near its kind's direction."""
    needs = [need.phrase for need in read_needs()][:kinds]
    noise = random_units(max(1, number), seed=5)
    people = [
        persona_of(f"i{n // 3}", n, Stance.SUITS).model_copy(update={"traits": (needs[n % kinds], "tent")}) for n in range(number)
    ]
    vectors = np.array([vector_of(needs[n % kinds]) + 0.5 * noise[n] for n in range(number)], np.float32).reshape(-1, 384)
    return people, vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def drawn(folder: Path, number: int, seed: int = 7) -> tuple[bytes, bytes]:
    folder.mkdir(parents=True)
    people, vectors = crowd(number)
    points, labels = placed(vectors, seed)
    write_map(folder, people, points, labels, regions_of(people, points, labels))
    return (folder / MAP).read_bytes(), (folder / REGIONS).read_bytes()


@pytest.mark.parametrize("number", [0, 1, 3, 60])
def test_the_same_seed_gives_the_same_bytes_and_everybody_is_placed_once(tmp_path: Path, number: int) -> None:
    assert drawn(tmp_path / "one", number) == drawn(tmp_path / "two", number)
    frame = pd.read_parquet(tmp_path / "one" / MAP)
    assert frame["persona_id"].tolist() == [one.id for one in crowd(number)[0]]
    assert np.isfinite(frame[["x", "y"]].to_numpy()).all()
    regions = orjson.loads((tmp_path / "one" / REGIONS).read_bytes())
    assert sum(one["count"] for one in regions) == number
    assert {one["name"] for one in regions} == set(frame["region"])


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 40), st.integers(1, 5), st.booleans())
def test_odd_worlds_are_drawn_too(number: int, kinds: int, alike: bool) -> None:
    people, vectors = crowd(number, kinds)
    if alike:
        vectors[:] = vectors[:1]
    points, labels = placed(vectors, 3)
    assert points.shape == (number, 2)
    assert np.isfinite(points).all()
    assert np.abs(points).max(initial=0) <= maps.WIDTH + 1e-6
    names = [one.name for one in regions_of(people, points, labels)]
    assert len(set(names)) == len(names) <= MOST


def test_those_who_want_alike_lie_together() -> None:
    _, vectors = crowd(80)
    points, _ = placed(vectors, 7)
    kinds = np.arange(80) % 4
    between = np.linalg.norm(points[:, None] - points[None], axis=2)
    near = between.argsort(1)[:, 1]
    assert (kinds[near] == kinds).mean() > 0.95


def test_in_a_large_world_the_others_lie_beside_their_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maps, "MOST_TO_FIT", 50)
    _, vectors = crowd(120)
    points, labels = placed(vectors, 7)
    again, same = placed(vectors, 7)
    assert (points == again).all()
    assert (labels == same).all()
    kinds = np.arange(120) % 4
    middles = np.array([np.median(points[kinds == kind], axis=0) for kind in range(4)])
    nearest = np.linalg.norm(points[:, None] - middles[None], axis=2).argmin(1)
    assert (nearest == kinds).mean() > 0.9


def test_every_need_has_a_theme_of_a_few_plain_words() -> None:
    themes = read_themes()
    assert themes.keys() == {need.id for need in read_needs()}
    assert len(set(themes.values())) == len(themes)
    assert all(1 <= len(theme.split()) <= 3 for theme in themes.values())


def test_regions_are_named_after_what_sets_them_apart() -> None:
    def told(*traits: str) -> Persona:
        return persona_of("i").model_copy(update={"traits": traits})

    groups = [
        [told("wants it easy to clean")] * 6 + [told("wants good value for money")],
        [told("wants to sleep well")] * 3 + [told("wants to unwind and be calm")] * 3,
        [told("mountain huts", "long ridges")] * 4,  # as a model might write
        [told("wants it easy to clean")] * 6,
        [persona_of("i").model_copy(update={"name": "…"})],
    ]
    names = names_of(groups)
    assert names[0] == "Easy cleaning"
    assert names[1] in ("Calm and sleep", "Sleep and calm")
    assert "mountain" in names[2].lower() or "ridge" in names[2].lower() or "hut" in names[2].lower()
    assert len(set(names)) == len(names)
    assert all(name[0].isupper() or not name[0].isalpha() for name in names)


@pytest.mark.parametrize(("personas", "regions"), [(0, 1), (4, 1), (12, 2), (100, 6), (634, 12), (50_000, 12)])
def test_there_are_as_many_regions_as_can_be_read(personas: int, regions: int) -> None:
    assert how_many(personas) == regions


def test_the_step_leaves_a_map_of_the_built_personas(built_tiny: Workspace) -> None:
    frame, regions = read_map(built_tiny.artefact("map"))
    assert len(frame) == built_tiny.artefact("personas").manifest.counts["personas"]
    assert sum(one.count for one in regions) == len(frame)
