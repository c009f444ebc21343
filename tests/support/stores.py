"""A small world of personas to fill stores with, what must come out of them the slow way, and Chroma's own server."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from persona_core.personas.store import Hit, StoredPersona
from tests.support.server import free_port

CHROMA = shutil.which("chroma")
MODEL, DIMENSION, MEND = "mini", 16, "python -m persona_core build --only personas"


def units(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def world() -> tuple[list[StoredPersona], np.ndarray]:
    """60 items with 2 to 5 personas each, and one whose 300 near-duplicates crowd the middle of the world."""
    rng = np.random.default_rng(7)
    personas, vectors = [], []
    for item in range(60):
        centre = rng.normal(size=DIMENSION)
        for number in range(2 + item % 4):
            persona_id, name = f"i{item:02d}:p{number}", f"person {number}"
            personas.append(StoredPersona(persona_id, f"i{item:02d}", f"s{item % 3}", ("fan", "critic")[number % 2], name))
            vectors.append(centre + rng.normal(size=DIMENSION))
    for number in range(300):
        personas.append(StoredPersona(f"crowd:p{number:03d}", "crowd", "s0", "fan", ""))
        vectors.append(crowd_vector() + 1e-3 * rng.normal(size=DIMENSION))
    return personas, units(np.array(vectors))


def crowd_vector() -> np.ndarray:
    return np.random.default_rng(8).normal(size=DIMENSION)


def by_hand(rows: Sequence[StoredPersona], matrix: np.ndarray, vector: np.ndarray, keep: Callable[[StoredPersona], bool]) -> list[Hit]:
    """What must come out, the slow way."""
    asked = vector.astype(np.float32).astype(np.float64)
    cosines = (matrix.astype(np.float64) @ asked) / (np.linalg.norm(asked) or 1.0)
    hits = [Hit(p.id, p.item_id, p.stance, float(c)) for p, c in zip(rows, cosines, strict=True) if keep(p)]
    best: dict[str, Hit] = {}
    for hit in sorted(hits, key=lambda hit: (-hit.cosine, hit.persona_id)):
        best.setdefault(hit.item_id, hit)
    return list(best.values())


def same(found: Sequence[Hit], wanted: Sequence[Hit]) -> None:
    assert [replace(hit, cosine=0) for hit in found] == [replace(hit, cosine=0) for hit in wanted]
    assert [hit.cosine for hit in found] == pytest.approx([hit.cosine for hit in wanted], abs=1e-5)


def question() -> np.ndarray:
    return np.random.default_rng(9).normal(size=DIMENSION)


@contextmanager
def chroma_serving(folder: Path, port: int | None = None) -> Iterator[str]:
    """Chroma's own server on this port of the loopback, or a free one; yields its address."""
    assert CHROMA is not None
    port = port or free_port()
    command = [CHROMA, "run", "--path", str(folder), "--host", "127.0.0.1", "--port", str(port)]
    quiet = os.environ | {"ANONYMIZED_TELEMETRY": "False"}
    process = subprocess.Popen(command, cwd=folder, env=quiet, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/api/v2/heartbeat", process)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        assert process.poll() is None, "the server ended before it answered"
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server did not answer")
