"""The one file of pickled things that a library keeps among ours: whatever lies in it, nothing of it is run."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from persona_core.personas.store import build_embedded
from tests.support.stores import MODEL, world

pytestmark = pytest.mark.xdist_group("chroma")

ASKED = """
import sys
found = []
sys.addaudithook(lambda event, args: found.append((event, args)) if event == "pickle.find_class" else None)
from pathlib import Path
from persona_core.errors import PersonaError
from persona_core.personas.store import open_store
from tests.support.stores import question
try:
    store = open_store("chroma", Path(sys.argv[1]))
    print(len(store.nearest(question(), 5)), "hits")
    store.close()
except PersonaError as error:
    print("refused:", error.what)
print("of a stranger's making:", [one for one in found if "system" in str(one)])
"""


class Harm:
    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.proof}",)


def test_chromas_pickle_is_data_to_it_and_never_a_program(tmp_path: Path) -> None:
    personas, matrix = world()
    many = [one.__class__(f"{one.id}:{again}", *(getattr(one, name) for name in ("item_id", "scenario", "stance", "name")))
            for again in range(4) for one in personas]  # fmt: skip
    build_embedded(tmp_path / "index", many, np.concatenate([matrix] * 4), MODEL)
    kept = list((tmp_path / "index").rglob("*.pickle"))
    assert kept, "the library keeps one, once there are a thousand rows"
    harm = pickle.dumps(Harm(tmp_path / "proof"))
    for file in kept:
        file.write_bytes(harm)
    done = subprocess.run(
        [sys.executable, "-c", ASKED, str(tmp_path / "index")], capture_output=True, text=True, check=False, timeout=120
    )
    assert not (tmp_path / "proof").exists()
    assert "of a stranger's making: []" in done.stdout, done.stderr[-2_000:]
    pickle.loads(harm)
    assert (tmp_path / "proof").exists(), "it would have done harm, had anybody unpickled it"
