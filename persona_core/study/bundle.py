"""A study as one file to hand over: tables, what each column means, the design, what was shown and with what, and the results.

Whoever imports it elsewhere has the same events, and so the same figures.
"""

from __future__ import annotations

import io
import json
import tomllib
import zipfile
from pathlib import Path
from typing import Any, Final

import orjson
import pandas as pd

from persona_core import __version__
from persona_core.engine import STEPS, WITHOUT
from persona_core.errors import ArtefactBroken, WorkspaceMissing
from persona_core.files import no_formula
from persona_core.study.analysis import analysed
from persona_core.study.design import MEASURED, Study, study_in
from persona_core.study.questionnaires import Questionnaire
from persona_core.study.store import StudyStore
from persona_core.study.tables import Tables, tables_of
from persona_core.study.unpacking import DESIGN, FILE, BundleRefused, people_in, refused, unpacked
from persona_core.workspace import Workspace

WHEN: Final = (2020, 1, 1, 0, 0, 0)
"""All files in a bundle carry this date, so that the same study gives the same bytes."""
HERE = Path(__file__).parent
FREE: Final = {("free_text", "free_text"), ("events", "payload")}


def bundle(study: Study, text: str, store: StudyStore, place: Workspace, *, rehearsals: bool = False) -> bytes:
    """The whole study as a zip file; `text` is the study's file."""
    tables = tables_of(study, store, rehearsals=rehearsals)
    results = analysed(study, tables).as_dict() | {"within": study.within, "factors": list(study.factors)}
    files: dict[str, bytes] = {
        "README.md": _readme(study, tables).encode(), FILE: text.encode(), DESIGN: _json(study.model_dump(mode="json", by_alias=True)),
        "results.json": _json(results), "codebook.csv": _codebook(study, tables).to_csv(index=False).encode(),
        "versions.json": _json({"personascope": __version__, "content": study.content, "workspace": place.root.name}),
        "analyse.py": (HERE / "reproduce.py").read_bytes(), "contrasts.py": (HERE / "contrasts.py").read_bytes(),
        "requirements.txt": b"pandas\nscipy\nstatsmodels\n",
    }  # fmt: skip
    for name, table in tables.named().items():
        files[f"tables/{name}.csv"] = _csv(table)
        files[f"tables/{name}.parquet"] = _parquet(table)
    files |= {f"manifests/{step}.json": content for step, content in _manifests(place).items()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in sorted(files):
            packed.writestr(zipfile.ZipInfo(f"{study.id}/{name}", WHEN), files[name], zipfile.ZIP_DEFLATED)
    return out.getvalue()


def take_over(content: bytes, store: StudyStore) -> tuple[Study, str, int]:
    """Puts a bundle's people and events into this store; gives the study, its file's text, and how many came. Raises BundleRefused."""
    files = unpacked(content)
    try:
        text = files[FILE].decode()
    except UnicodeDecodeError as error:
        raise refused(f"{FILE}: {error}") from error
    study = study_in(text, "The study in this bundle")
    if not _is_same(study, files[DESIGN]):
        raise BundleRefused("The study's file in this bundle is not the one that was run.", mend="export it anew")
    people = people_in(study, files)
    here = {one.number: one.id for one in store.participants(study.id)}
    if any(here.get(one.number, one.id) != one.id for one, _ in people):
        raise BundleRefused(
            "Other people took part in this study here.", why="Two would have the same number.", mend="bring it into another workspace"
        )
    for one, events in people:
        store.restore(one, events)
    return study, text, len(people)


def _is_same(study: Study, design: bytes) -> bool:
    try:
        return Study.model_validate(orjson.loads(design)).content == study.content
    except ValueError:
        return False


# What lies in it ---------------------------------------------------------------------------------------------------------


def _codebook(study: Study, tables: Tables) -> pd.DataFrame:
    """Every column of every table: what it means, and whether it may hold words that somebody could be known by."""
    items = {item.measures: f"mean of {asked.title!r}, {len(asked.scale)} steps; {asked.source}"
             for asked in _asked(study) for item in asked.items if item.kind == "scale"}  # fmt: skip
    factors = {f"factor_{name}": f"one of {', '.join(levels)}" for name, levels in study.factors.items()}
    known = {**items, **MEASURED, **factors, **tomllib.loads((HERE / "codebook.toml").read_text("utf-8"))}
    rows = [
        {"table": name, "column": column, "meaning": known.get(column, ""), "free_text": (name, column) in FREE}
        for name, table in tables.named().items()
        for column in table.columns
    ]
    for asked in _asked(study):
        for item in asked.items:
            said = "; ".join(item.options or asked.scale)
            rows.append({"table": f"question {asked.id} v{asked.version}", "column": item.id, "free_text": item.kind == "text",
                         "meaning": f"{item.text} [{said}]{' (reversed)' if item.reverse else ''}"})  # fmt: skip
    return pd.DataFrame(rows)


def _asked(study: Study) -> list[Questionnaire]:
    return [study.questionnaires[name] for name in dict.fromkeys(step.of for step in study.path if step.kind == "questionnaire")]


def _manifests(place: Workspace) -> dict[str, bytes]:
    """Of everything that was shown: what it was made from, by what."""
    found = {}
    for step in (*STEPS, *WITHOUT):
        try:
            version = place.version_now(step)
            found[step] = (place.step_folder(step) / version / "manifest.json").read_bytes()
        except (WorkspaceMissing, ArtefactBroken, OSError):
            continue
    return found


def _readme(study: Study, tables: Tables) -> str:
    planned = "\n".join(f"- {one.words}" for one in study.hypotheses) or "- nothing: all differences are exploratory"
    counted = int(tables.participants["kept"].sum()) if len(tables.participants) else 0
    return f"""# {study.title}

{len(tables.participants)} people came; {counted} count in the analysis.

- `study.toml`: the design as it was run; `study.json` the same for machines.
- `tables/`: one row a thing, as CSV and Parquet. `units` is what is analysed: a row for each condition of each person.
  `codebook.csv` says what every column means, and which may hold somebody's own words (`free_text`): look at those before
  you share them. In the CSV files a `'` stands before what a spreadsheet would take for a formula.
- `manifests/`: what everything that was shown had been made from.
- `results.json`: all figures. `pip install -r requirements.txt && python analyse.py` works out every difference anew from
  `tables/units.csv` and says where that is not what is reported.
- On another machine with Personascope: `python -m persona_core study import THIS_FILE` gives the same events and figures.

Planned before anybody took part:
{planned}
"""


def _parquet(table: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    table.to_parquet(out, index=False)
    return out.getvalue()


def _csv(table: pd.DataFrame) -> bytes:
    """For spreadsheets, which must not run what somebody wrote; in Parquet it stands letter for letter."""
    text: str = table.map(lambda cell: no_formula(cell) if isinstance(cell, str) else cell).to_csv(index=False)
    return text.encode()


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True).encode()
