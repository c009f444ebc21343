"""What a person brings back: profiles, links, and the files of a workspace; and the names that they choose."""

from __future__ import annotations

import base64
import json
import os
import re
import tempfile
import zlib
from functools import cache
from pathlib import Path

from hypothesis import strategies as st

from persona_core.personas import curation
from persona_core.profiles.journal import Journal, from_file, from_link, in_words, to_file, to_link
from persona_core.schema import Phrase, Profile
from persona_core.settings import load, save_source
from persona_core.study.design import StudyRefused, study_in
from persona_core.study.questionnaires import NAME
from persona_core.study.writing import as_file
from persona_core.text.encoder import DIMENSION
from persona_core.text.stored import Stored
from persona_core.workspace import Workspace
from tests.safety.doors import Target
from tests.study.made import study
from tests.support.odd import ODD_TEXTS, VALUES, as_json, mutated, odd_lines, odd_table
from tests.support.steps import two_steps
from ui.workshop import elsewhere

Files = dict[str, bytes]

BUILT = Profile(
    user_id="u1", version=1, text="They read in the evening.", likes=(Phrase(text="quiet evenings", review_ids=("r1",)),),
    dislikes=(Phrase(text="long chapters", fault=True),), history=("i1",),
)  # fmt: skip


@st.composite
def _profile_files(draw: st.DrawFn) -> bytes:
    good = to_file(BUILT)
    if draw(st.booleans()):
        return draw(mutated(good))
    phrases = st.lists(odd_table({"text": "rain", "strength": 1.0, "fault": None, "review_ids": ["r1"]}) | VALUES, max_size=4)
    made = {"personascope profile": 1, "text": draw(ODD_TEXTS | VALUES), "likes": draw(phrases), "dislikes": draw(phrases)}
    return as_json(draw(odd_table(made)))


def _bring_profile(content: bytes, folder: Path) -> None:
    _replay(Journal().did(from_file(content)))


def _replay(journal: Journal) -> None:
    for version in journal.versions(BUILT):
        assert len(version.profile.likes) <= 41
        to_file(version.profile).decode()
    assert all(in_words(act) for act in journal.acts)
    link = to_link(journal, BUILT)
    assert not link or from_link(link).profile(BUILT).likes == journal.profile(BUILT).likes


KINDS = ["like", "dislike", "drop", "weigh", "flip", "say", "set", "back", "eval"]


@st.composite
def _links(draw: st.DrawFn) -> str:
    if not draw(st.integers(0, 4)):
        return draw(ODD_TEXTS)
    act = st.tuples(st.sampled_from(KINDS), ODD_TEXTS | st.sampled_from(["quiet evenings", '{"likes": [[1]]}']), st.floats() | VALUES)
    given = [
        draw(st.lists(act, max_size=4)),
        draw(st.integers(0, 4) | VALUES),
        draw(st.lists(st.tuples(st.integers(), ODD_TEXTS)) | VALUES),
    ]
    raw = as_json(given if draw(st.integers(0, 5)) else draw(VALUES))
    packed = zlib.compress(draw(st.just(raw) | mutated(raw)))
    return base64.urlsafe_b64encode(draw(st.just(packed) | mutated(packed))).decode().rstrip("=")


def _follow(link: str, folder: Path) -> None:
    _replay(from_link(link))


# The workspace's own files -----------------------------------------------------------------------------------------------

SETTINGS = b"""seed = 7
[source]
reader = "table"
path = "/tmp/reviews.csv"
[source.columns]
user = "who"
[ollama]
model = "qwen3:4b"
"""


def _settings(content: bytes, folder: Path) -> None:
    (folder / "workspace.toml").write_bytes(content)
    found = load(folder, {})
    if found.source is not None:
        save_source(folder, found.source)
        assert load(folder, {}).source == found.source


@cache
def _step() -> Files:
    """What a step left: its pointer, its manifest and a file."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        two_steps(Workspace.at(root)).build("one")
        files = [one for one in (root / "one").rglob("*") if one.is_file()]
        return {str(one.relative_to(root)): one.read_bytes() for one in files}


@st.composite
def _steps(draw: st.DrawFn) -> Files:
    files = dict(_step())
    name = draw(st.sampled_from(sorted(files)))
    if name.endswith("manifest.json") and draw(st.booleans()):
        return files | {name: as_json(draw(odd_table(json.loads(files[name]))))}
    return files | {name: draw(mutated(files[name]))}


def _open_step(files: Files, folder: Path) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    artefact = Workspace.at(folder).artefact("one", deep=True)
    assert all(artefact.file(name).resolve().is_relative_to(folder.resolve()) for name in artefact.manifest.files)


def _curation(content: bytes, folder: Path) -> None:
    (folder / curation.FILE).write_bytes(content)
    curation.held([], curation.read_entries(folder))


def _vectors(content: bytes, folder: Path) -> None:
    file = folder / "vectors.safetensors"
    file.write_bytes(content)
    found = Stored(file)
    assert found[range(min(3, len(found)))].shape[1] == DIMENSION


@st.composite
def _vector_files(draw: st.DrawFn) -> bytes:
    rows = bytes(2 * 2 * DIMENSION)
    holds = {"dtype": "F16", "shape": [2, DIMENSION], "data_offsets": [0, len(rows)]}
    said = as_json(draw(odd_table({"vectors": draw(odd_table(holds))})))
    return draw(mutated(len(said).to_bytes(8, "little") + said + rows))


CURATED = (
    b'{"time":"2026-01-01T00:00:00Z","item_id":"i","persona_id":"i:x","quotes":["r"],"action":"rename","name":"New","note":""}\n' * 2
)


@st.composite
def _names(draw: st.DrawFn) -> str:
    return draw(
        ODD_TEXTS | st.text("abz09-_./\\~\n\x00 ", max_size=12) | st.sampled_from(["..", ".", "a/../b", "shop\n", "con", "~root"])
    )


def _name(name: str, folder: Path) -> None:
    """Names of workspaces, studies and steps lead nowhere but to their place."""
    os.environ["PERSONA_WORKSPACE"] = str(folder / "here")
    found = elsewhere.beside(name)
    assert found is None or (found.root.parent == folder.resolve() and found.root.name == name)
    assert not re.fullmatch(NAME, name) or (folder / f"{name}.toml").resolve().parent == folder.resolve()
    try:
        found_id = study_in(as_file(study()).replace('id = "reasons"', f"id = {json.dumps(name)}", 1)).id
        assert (folder / f"{found_id}.toml").resolve().parent == folder.resolve()
    except StudyRefused:
        pass


OWN = (
    Target("profile import", _profile_files, _bring_profile, 50),
    Target("link of edits", _links, _follow, 50),
    Target("workspace.toml", lambda: mutated(SETTINGS), _settings),
    Target("manifest of a step", _steps, _open_step),
    Target("curation", lambda: mutated(CURATED) | odd_lines(CURATED), _curation),
    Target("vectors", _vector_files, _vectors, 50),
    Target("names", _names, _name, 50),
)
