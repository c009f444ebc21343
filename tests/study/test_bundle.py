"""A study handed over: another machine has the same events and figures, and the script in it needs nothing of ours."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from persona_core.engine import Engine
from persona_core.errors import PersonaError
from persona_core.study.analysis import analysed
from persona_core.study.bundle import bundle, take_over
from persona_core.study.design import Study
from persona_core.study.sitting import Hall
from persona_core.study.store import StudyStore
from persona_core.study.synthetic import Crowd, Effect, simulate
from persona_core.study.tables import tables_of
from persona_core.study.writing import as_file
from tests.study.test_analysis import asked

SECRET = "my name is Bond"


@pytest.fixture(scope="module")
def made() -> Study:
    return asked()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, made: Study, engine: Engine) -> Iterator[StudyStore]:
    one = StudyStore(f"sqlite:///{tmp_path_factory.mktemp('bundle')}/study.sqlite")
    hall = Hall(made, one)
    simulate(hall, engine, 14, Crowd((Effect("control", "explanation", "persona", 1.5),), careless=0.1))
    gone, _ = hall.admit(origin="simulated")
    hall.leave(gone)
    yield one
    one.close()


@pytest.fixture(scope="module")
def packed(made: Study, store: StudyStore, engine: Engine) -> bytes:
    return bundle(made, as_file(made), store, engine.workspace, rehearsals=True)


def files_in(packed: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(packed)) as found:
        return {one.partition("/")[2]: found.read(one) for one in found.namelist()}


def test_it_holds_what_a_stranger_needs(packed: bytes, made: Study) -> None:
    files = files_in(packed)
    for name in ("README.md", "study.toml", "study.json", "results.json", "codebook.csv", "analyse.py", "contrasts.py"):
        assert files[name]
    for name in ("participants", "units", "answers", "free_text", "ratings", "shown", "events"):
        table = pd.read_parquet(io.BytesIO(files[f"tables/{name}.parquet"]))
        assert len(table) == len(pd.read_csv(io.BytesIO(files[f"tables/{name}.csv"]))) if len(table.columns) else True
    assert "manifests/catalog.json" in files
    codebook = pd.read_csv(io.BytesIO(files["codebook.csv"])).fillna("")
    assert set(codebook.loc[codebook["free_text"], "column"]) == {"free_text", "payload", "remarks"}
    blank = codebook[(codebook["meaning"] == "")]
    assert blank.empty, blank
    assert "control: more under explanation persona than none" in files["README.md"].decode()


def test_the_same_study_gives_the_same_bytes(packed: bytes, made: Study, store: StudyStore, engine: Engine) -> None:
    assert bundle(made, as_file(made), store, engine.workspace, rehearsals=True) == packed


def test_elsewhere_it_gives_the_same_figures_and_the_same_bundle(
    packed: bytes, made: Study, store: StudyStore, engine: Engine, tmp_path: Path
) -> None:
    other = StudyStore(f"sqlite:///{tmp_path}/other.sqlite")
    for _ in range(2):  # a second time changes nothing
        study, text, many = take_over(packed, other)
    assert (study, many) == (made, 15)
    there, here = (tables_of(made, one, rehearsals=True) for one in (other, store))
    assert analysed(made, there).as_dict() == analysed(made, here).as_dict()
    assert bundle(study, text, other, engine.workspace, rehearsals=True) == packed
    assert [one.withdrawn is None for one in other.participants(made.id)][-1] is False, "a tombstone comes along"
    other.close()


def test_its_script_reproduces_every_difference_without_us(packed: bytes, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(packed)) as found:
        found.extractall(tmp_path)
    folder = next(tmp_path.iterdir())
    command = [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(folder)!r}); sys.argv = ['x', {str(folder)!r}]\n"
               f"exec(open({str(folder / 'analyse.py')!r}).read())"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads((folder / "results.json").read_text())
    assert f"{len(told['findings'])} of {len(told['findings'])} differences are as reported" in done.stdout
    told["findings"][0]["contrast"]["p"] = 0.5
    (folder / "results.json").write_text(json.dumps(told))
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 1, "what is not so is said"


def _without(packed: bytes, name: str, instead: bytes | None = None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as again:
        for one, content in files_in(packed).items():
            if one != name:
                again.writestr(f"x/{one}", content)
            elif instead is not None:
                again.writestr(f"x/{one}", instead)
    return out.getvalue()


@pytest.mark.parametrize("name", ["study.json", "study.toml", "tables/events.parquet", "tables/participants.parquet"])
def test_what_is_no_bundle_is_refused(packed: bytes, tmp_path: Path, name: str) -> None:
    other = StudyStore(f"sqlite:///{tmp_path}/other.sqlite")
    for content in (_without(packed, name), _without(packed, name, b"nonsense"), b"no zip at all", b""):
        with pytest.raises(PersonaError):
            take_over(content, other)
    other.close()
