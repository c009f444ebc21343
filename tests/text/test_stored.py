"""Vectors on disk are read as they were written, whatever rows are asked for."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

from persona_core.personas.files import write_vectors
from persona_core.text.encoder import DIMENSION, Matrix
from persona_core.text.stored import Stored, StoredWriter, blocks_of

ROWS = 40


@pytest.fixture(scope="module")
def whole() -> Matrix:
    rows: Matrix = np.random.default_rng(5).normal(0, 0.05, (ROWS, DIMENSION)).astype(np.float16).astype(np.float32)
    return rows


@pytest.fixture(scope="module")
def stored(whole: Matrix, tmp_path_factory: pytest.TempPathFactory) -> Stored:
    path = tmp_path_factory.mktemp("stored") / "vectors.safetensors"
    with StoredWriter(path) as file:
        file.write(whole[:7])
        file.write(whole[7:7])
        file.write(whole[7:])
    return Stored(path)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, ROWS - 1), max_size=30))
def test_any_rows_in_any_order(stored: Stored, whole: Matrix, rows: list[int]) -> None:
    np.testing.assert_array_equal(stored[rows], whole[rows] if rows else np.zeros((0, DIMENSION)))


def test_all_of_it(stored: Stored, whole: Matrix) -> None:
    assert (len(stored), stored.shape) == (ROWS, whole.shape)
    np.testing.assert_array_equal(stored[3:9], whole[3:9])
    np.testing.assert_array_equal(np.concatenate([stored[block] for block in blocks_of(stored)]), whole)
    np.testing.assert_allclose(stored.mean(0), whole.mean(0), atol=1e-6)
    with pytest.raises(IndexError, match="among 40"):
        stored[[ROWS]]


def test_it_is_a_file_like_any_other(stored: Stored, whole: Matrix, tmp_path: Path) -> None:
    np.testing.assert_array_equal(load_file(stored.path)["vectors"].astype(np.float32), whole)
    write_vectors(tmp_path / "full.safetensors", whole)
    np.testing.assert_array_equal(Stored(tmp_path / "full.safetensors")[[5, 4]], whole[[5, 4]])


def test_it_travels_and_outlives_its_file_being_replaced(whole: Matrix, tmp_path: Path) -> None:
    path = tmp_path / "vectors.safetensors"
    write_vectors(path, whole)
    one = Stored(path)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(one))[[1]], whole[[1]])
    path.unlink()
    np.testing.assert_array_equal(one[[2]], whole[[2]])


def test_none_at_all(tmp_path: Path) -> None:
    with StoredWriter(tmp_path / "empty.safetensors"):
        pass
    none = Stored(tmp_path / "empty.safetensors")
    assert none.shape == (0, DIMENSION)
    assert not none.mean(0).any()
    assert none[[]].shape == (0, DIMENSION)
