"""Studies: their files, bundles from other machines, the addresses that participants come by, and what they answer."""

from __future__ import annotations

import io
import json
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from persona_core.errors import PersonaError
from persona_core.study import entry
from persona_core.study.analysis import analysed
from persona_core.study.bundle import bundle, take_over
from persona_core.study.design import Study, read_study, study_in
from persona_core.study.sitting import Hall, Sitting
from persona_core.study.store import StudyStore
from persona_core.study.tables import tables_of
from persona_core.study.writing import _value, as_file
from persona_core.workspace import Workspace
from tests.safety.doors import Target
from tests.study.made import DRAFT, study
from tests.support.odd import ODD_BYTES, ODD_TEXTS, VALUES, as_json, mutated, odd_table
from ui import tour

TEMPLATE = Path(entry.__file__).with_name("template.toml")

# The study's file --------------------------------------------------------------------------------------------------------


@st.composite
def _files(draw: st.DrawFn) -> bytes:
    if draw(st.booleans()):
        return draw(mutated(TEMPLATE.read_bytes()))
    table = draw(odd_table(DRAFT | {"version": 1, "quota": 5, "retention_days": 9, "within": True, "words": {}, "hypotheses": []}))
    lines = [f"{name} = {_value(value)}" for name, value in table.items() if value is not None]
    return "\n".join(lines).encode("utf-8", "replace")


def _read(content: bytes, folder: Path) -> None:
    file = folder / "mine.toml"
    file.write_bytes(content)
    found = read_study(file)
    assert found.content
    assert found.path
    assert found.conditions
    assert study_in(as_file(found)) == found, "what the desk's form writes is the same study"
    one = StudyStore("sqlite://")
    Hall(found, one).admit()
    one.close()


# A bundle ----------------------------------------------------------------------------------------------------------------


def _answers(sitting: Sitting, all_of: Study) -> dict[str, Any]:
    step = sitting.step
    assert step is not None
    if step.kind == "consent":
        return {"agreed": True, "version": all_of.consent.version}
    if step.kind == "profile":
        return {"phrases": ["rain"]}
    if step.kind == "task":
        return {"chosen": "i1", "ratings": {"i1": {"before": 3, "after": 4, "read": 2}}}
    if step.kind == "questionnaire":
        return {one.id: 1 for one in all_of.questionnaires[step.of].items if one.needed and one.kind != "text"}
    return {"answer": 2} if step.kind == "check" else {}


@cache
def _bundle() -> bytes:
    """A small study in which somebody came some way, somebody only came, and somebody left."""
    made, store = study(), StudyStore("sqlite://")
    hall = Hall(made, store)
    first, _ = hall.admit()
    while first.step is not None:
        hall.draft(first, "x", "y")
        first = hall.finish(first, first.step.id, _answers(first, made))
    hall.admit()
    hall.leave(hall.admit()[0])
    packed = bundle(made, as_file(made), store, Workspace(Path("/nowhere")))
    store.close()
    return packed


def _members() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(_bundle())) as packed:
        return {one: packed.read(one) for one in packed.namelist()}


@st.composite
def _bundles(draw: st.DrawFn) -> bytes:
    how = draw(st.sampled_from(["bytes", "member", "rows", "rows", "rows", "names"]))
    if how == "bytes":
        return draw(mutated(_bundle()))
    files = dict(_members())
    if how == "names":
        files = {
            draw(st.sampled_from([name, f"../../{name}", f"/tmp/{name}", name.upper(), "x" * 60_000])): one
            for name, one in files.items()
        }
    elif how == "member":
        wanted = [name for name in files if name.endswith((".parquet", "study.json", "study.toml"))]
        name = draw(st.sampled_from(wanted))
        files[name] = draw(mutated(files[name]) | st.sampled_from(ODD_BYTES))
    else:
        name = draw(st.sampled_from(["reasons/tables/participants.parquet", "reasons/tables/events.parquet"]))
        files[name] = draw(_odd_rows(files[name]))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2]))) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return out.getvalue()


@st.composite
def _odd_rows(draw: st.DrawFn, content: bytes) -> bytes:
    """The table with odd values in some rows; payloads that are JSON, but not such as pages write."""
    rows = pq.read_table(io.BytesIO(content)).to_pylist()
    at = draw(st.integers(0, len(rows) - 1))
    if "payload" in rows[at] and draw(st.booleans()):
        rows[at]["payload"] = as_json(draw(odd_table(json.loads(rows[at]["payload"])) | VALUES)).decode("utf-8", "replace")
    else:
        name = draw(st.sampled_from(sorted(rows[at])))
        value = draw(st.just(rows[at - 1][name]) | ODD_TEXTS | st.integers(-(2**63), 2**63 - 1) | st.none())
        column = [row[name] for row in rows]
        column[at] = value
        if len({type(one) for one in column if one is not None}) > 1:
            column = [None if one is None else str(one) for one in column]
        for row, one in zip(rows, column, strict=True):
            row[name] = one
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out)
    return out.getvalue()


def _take(content: bytes, folder: Path) -> None:
    store = StudyStore("sqlite://")
    try:
        found, text, many = take_over(content, store)
        assert study_in(text) == found
        tables = tables_of(found, store, rehearsals=True)
        assert len(tables.participants) == many
        analysed(found, tables)
        bundle(found, text, store, Workspace(folder), rehearsals=True)
        assert (folder / f"{found.id}.toml").parent == folder
    finally:
        store.close()


# Participants ------------------------------------------------------------------------------------------------------------


@st.composite
def _addresses(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    names = st.sampled_from(["t", "i", "PROLIFIC_PID", "tour", "who", "edits"]) | ODD_TEXTS
    values = ODD_TEXTS | st.from_regex(r"[A-Za-z0-9_-]{8,40}(\.[0-9a-f]{32})?", fullmatch=True) | st.text(st.characters(), max_size=20)
    return draw(st.sampled_from(["open", "invited", "panel"])), draw(st.dictionaries(names, values, max_size=4))


def _arrive(example: tuple[str, dict[str, str]], folder: Path) -> None:
    how, address = example
    store = StudyStore("sqlite://")
    try:
        hall = Hall(study(entry=how), store)
        assert hall.enter(address.get(entry.TOKEN, "")) is None, "nobody came yet, so no token is anybody's"
        found = entry.door(hall.study, store, address)
        assert how != "invited" or found is None, "no invitation was made"
        if found is not None:
            hall.admit(found.source, found.origin)
        assert tour._number(address.get(tour.PARAMETER, "")) is None or address[tour.PARAMETER].isdigit()
    finally:
        store.close()


@st.composite
def _answered(draw: st.DrawFn) -> list[dict[str, Any]]:
    """For each page: what is answered beside, or in place of, what is asked for."""
    names = st.sampled_from(["agreed", "version", "phrases", "dislikes", "items", "chosen", "ratings", "answer", "control_1", "age"])
    rating = odd_table({"before": 3, "after": 4, "read": 2}) | VALUES
    values = VALUES | st.dictionaries(ODD_TEXTS, rating, max_size=3) | st.lists(ODD_TEXTS, max_size=45) | st.integers(0, 9)
    return draw(st.lists(st.dictionaries(names | ODD_TEXTS, values, max_size=2), min_size=1, max_size=8))


def _answer(pages: list[dict[str, Any]], folder: Path) -> None:
    """Odd answers first, then those that let them go on; in the end the tables of all that was kept can be made."""
    store = StudyStore("sqlite://")
    try:
        made = study()
        hall = Hall(made, store)
        sitting, _ = hall.admit()
        for odd in pages:
            if sitting.step is None:
                break
            right = _answers(sitting, made)
            for answers in (right | odd, right):
                sitting = _tried(hall, sitting, answers)
        analysed(made, tables_of(made, store))
    finally:
        store.close()


def _tried(hall: Hall, sitting: Sitting, answers: dict[str, Any]) -> Sitting:
    try:
        return sitting if sitting.step is None else hall.finish(sitting, sitting.step.id, answers)
    except PersonaError:
        return sitting


STUDIES = (
    Target("study file", _files, _read),
    Target("bundle import", _bundles, _take),
    Target("address of a participant", _addresses, _arrive),
    Target("answers of a participant", _answered, _answer),
)
