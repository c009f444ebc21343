"""Sizes are looked at before anything is read; what once broke a reader, or would have, is an error of our own, and is kept here."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from persona_core.catalog import lines
from persona_core.catalog.cleaning import LONGEST_ID
from persona_core.catalog.fields import Reject
from persona_core.catalog.ingest import LONGEST_TITLE, ingest
from persona_core.catalog.lines import delimited_rows, json_rows
from persona_core.catalog.parquet import measured
from persona_core.errors import ArtefactBroken, SettingsError, SourceError
from persona_core.llm.reading import LONGEST_ANSWER, Unreadable, value_in
from persona_core.personas.asking import Findings
from persona_core.profiles.edits import EditRefused
from persona_core.profiles.journal import from_file, from_link
from persona_core.settings import SourceSettings, load
from persona_core.study.bundle import take_over
from persona_core.study.design import StudyRefused, study_in
from persona_core.study.store import StudyStore
from persona_core.study.unpacking import BundleRefused
from persona_core.study.writing import as_file
from persona_core.toml import LARGEST_FILE, NotToml, table_in
from persona_core.workspace import Workspace
from tests.profiles.test_journal import _linked
from tests.safety.study_doors import _bundle, _members
from tests.study.made import study
from tests.support.steps import two_steps
from tests.support.worlds import write_tiny_world
from ui.workshop import uploads

DEEP = b"[" * 980 + b"]" * 980

# Lines and rows ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [False, True])
def test_a_line_without_end_is_passed_over_and_the_next_one_read(
    packed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "LONGEST_LINE", 100)
    content = b'{"a": 1}\n' + b'{"b": "' + b"x" * 1_000 + b'"}\n{"c": 3}\n'
    (tmp_path / "x.jsonl").write_bytes(gzip.compress(content) if packed else content)
    rows = list(json_rows(tmp_path / "x.jsonl"))
    assert [number for number, _ in rows] == [1, 2, 3]
    assert (rows[0][1], rows[2][1]) == ({"a": 1}, {"c": 3})
    assert isinstance(rows[1][1], Reject)
    assert rows[1][1].reason == "line too long"


def test_a_table_with_a_line_without_end_is_refused_by_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST_LINE", 100)
    (tmp_path / "x.csv").write_bytes(b"a,b\n1,2\n" + b"1," * 500)
    with pytest.raises(SourceError, match="line 3"):
        list(delimited_rows(tmp_path / "x.csv", ","))


def _ingested(tmp_path: Path, review: bytes, item: bytes = b"", user: bytes = b"") -> dict[str, int | float | str]:
    """The counts of a small world with one more line in each file."""
    world = write_tiny_world(tmp_path / "world")
    for name, line in (("reviews", review), ("items", item), ("users", user)):
        with (world / f"{name}.jsonl").open("ab") as file:
            file.write(line + b"\n" if line else b"")
    out = tmp_path / "out"
    out.mkdir()
    return ingest(SourceSettings(reader="demo", path=world), out, lambda *_: None)


ROW: dict[str, Any] = {"review_id": "x", "user_id": "u1", "item_id": "i1", "rating": 4, "time": "2025-01-01", "text": "Good."}


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("rating", DEEP, "unreadable rating"),
        ("text", DEEP, "unreadable text"),
        ("time", DEEP, "unreadable date"),
        ("user_id", DEEP, "no user"),
        ("review_id", DEEP, "unreadable review id"),
        ("item_id", b'"%s"' % (b"i" * (LONGEST_ID + 1)), "id too long"),
        ("time", b'"%s"' % (b"9" * 400), "impossible date"),
        ("time", b'"%s"' % (b"9" * 5_000), "unreadable date"),
    ],
)
def test_a_row_that_would_break_its_reader_is_refused_for_a_reason(field: str, value: bytes, reason: str, tmp_path: Path) -> None:
    line = json.dumps(ROW | {field: "@"}).encode().replace(b'"@"', value)
    counts = _ingested(tmp_path, line)
    assert (counts["reviews"], counts[f"rejected: {reason}"]) == (40, 1)


@pytest.mark.parametrize(
    "item", [b'{"title": "no id"}', b'{"item_id": %s}' % DEEP, b'{"item_id": "%s"}' % (b"i" * 999), b'{"item_id": null}']
)
def test_an_item_without_a_usable_id_is_counted_and_not_met(item: bytes, tmp_path: Path) -> None:
    counts = _ingested(tmp_path, b"", item)
    assert counts["rejected"] == 1


def test_what_is_known_of_an_item_is_bounded_and_may_be_of_any_form(tmp_path: Path) -> None:
    told = {"item_id": "i9", "title": "t" * 9_999, "price": "@", "attributes": "@", "maker": "m" * 9_999}
    item = json.dumps(told).encode().replace(b'"@"', DEEP)
    _ingested(tmp_path, json.dumps(ROW | {"item_id": "i9"}).encode(), item, b'{"name": "no id"}\n{"user_id": %s}' % DEEP)
    rows = {row["item_id"]: row for row in pq.read_table(tmp_path / "out" / "items.parquet").to_pylist()}
    assert len(rows["i9"]["title"]) == LONGEST_TITLE
    assert len(rows["i9"]["maker"]) == 200
    assert (rows["i9"]["price"], rows["i9"]["attributes"]) == (None, "{}")


# Parquet -----------------------------------------------------------------------------------------------------------------


def _bomb(path: Path, rows: int = 100_000, letters: int = 1_000_000) -> Path:
    """One text, kept once, in every row: some kilobytes that are a hundred gigabytes."""
    text = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["x" * letters]))
    pq.write_table(pa.table({"who": text, "what": text, "when": text}), path)
    assert path.stat().st_size < 1_000_000
    return path


def test_a_parquet_file_that_unpacks_into_a_huge_one_is_refused_before_it_does(tmp_path: Path) -> None:
    bomb = _bomb(tmp_path / "bomb.parquet")
    with pytest.raises(SourceError, match="unpacks to more than"):
        uploads.look_at(bomb, bounded=True)


def test_a_parquet_file_is_measured_by_what_it_holds(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": ["xy", None, "z"], "b": [1, 2, 3], "c": [["p"], [], None]}), tmp_path / "x.parquet")
    rows, size = measured(tmp_path / "x.parquet", "x", 10, 10**6)
    assert rows == 3
    assert 27 <= size < 200


@pytest.mark.parametrize("at", [0, 4, 200, -1, -8, -200])
def test_a_wounded_parquet_file_is_an_error_of_ours(at: int, tmp_path: Path) -> None:
    file = tmp_path / "x.parquet"
    pq.write_table(pa.table({"who": ["a"] * 500, "what": ["b"] * 500, "when": ["2025-01-01"] * 500}), file, compression="none")
    content = bytearray(file.read_bytes())
    content[at] ^= 0x55
    file.write_bytes(content)
    (tmp_path / "out").mkdir()
    source = SourceSettings(reader="table", path=file, columns={"user": "who", "item": "what", "time": "when"})
    with suppress(SourceError):
        ingest(source, tmp_path / "out", lambda *_: None)


# TOML --------------------------------------------------------------------------------------------------------------------

SLOW = (
    ".".join("a" * 200_000) + " = 1",
    "[" + ".".join("a" * 200_000) + "]",
    "x = {" + " . ".join("a" * 100_000) + " = 1}",
    '",".' * 100_000 + "a = 1",
    "'#'." * 100_000 + "a = 1",
)


@pytest.mark.parametrize("text", SLOW, ids=range(len(SLOW)))
def test_a_key_that_would_keep_the_parser_busy_for_hours_is_refused_at_once(text: str) -> None:
    with pytest.raises(NotToml, match="parts"):
        table_in(text)


@pytest.mark.parametrize("text", ["x = " + "[" * 5_000, "x = " + "{a=" * 5_000, "x = " + "9" * 5_000, "x" * (LARGEST_FILE + 1)])
def test_what_breaks_the_parser_is_no_toml(text: str) -> None:
    with pytest.raises(NotToml):
        table_in(text)


def test_dots_in_texts_and_comments_are_no_keys() -> None:
    dots = "." * 500
    assert table_in(f'# {dots} = 1\na.b.c = "{dots} = \\" x"\nd = """{dots}\n= {dots}"""\ne = \'{dots}\'')["a"]["b"]["c"].startswith(
        "..."
    )


@pytest.mark.parametrize("content", [b"x = " + b"[" * 5_000, b"seed = " + b"9" * 5_000, b"#" * (LARGEST_FILE + 1), b"\xff"])
def test_settings_that_cannot_be_read_are_an_error_of_ours(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "workspace.toml").write_bytes(content)
    with pytest.raises(SettingsError):
        load(tmp_path, {})


@pytest.mark.parametrize(
    "line", ["seed = -1", f"seed = {10**30}", f"version = {10**30}", "retention_days = 999999999", f"quota = {10**30}"]
)
def test_a_study_with_numbers_that_fit_nowhere_is_refused(line: str) -> None:
    kept = [one for one in as_file(study()).splitlines() if not one.startswith(f"{line.split(maxsplit=1)[0]} =")]
    with pytest.raises(StudyRefused, match="no study that could be run"):
        study_in("\n".join([line, *kept]))


# A step's manifest -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../out.txt", "/etc/passwd", "a/b", ".hidden", "", "x" * 200, "a\x00"])
def test_a_manifest_names_files_and_no_paths(name: str, workspace: Workspace) -> None:
    two_steps(workspace).build("one")
    manifest = workspace.artefact("one").folder / "manifest.json"
    told = json.loads(manifest.read_bytes())
    manifest.write_text(json.dumps(told | {"files": {name: told["files"]["out.txt"]}}))
    with pytest.raises(ArtefactBroken, match="is damaged"):
        workspace.artefact("one")


@pytest.mark.parametrize("version", ["..", "../two/x", "a\x00b", "x" * 5_000, ".work-1", "a b"])
def test_a_version_is_a_name_and_no_path(version: str, workspace: Workspace) -> None:
    two_steps(workspace).build("one")
    (workspace.step_folder("one") / "current").write_text(version)
    with pytest.raises(ArtefactBroken, match="names no version"):
        workspace.artefact("one")


# Profiles and links ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["text", "likes", "dislikes"])
@pytest.mark.parametrize("value", [DEEP, b"[" * 260 + b"]" * 260, b'[{"text": %s}]' % DEEP, b"7", b"{}"])
def test_a_deep_or_strange_profile_is_refused_in_words(field: str, value: bytes) -> None:
    with pytest.raises(EditRefused):
        from_file(b'{"personascope profile": 1, "%s": %s}' % (field.encode(), value))


@pytest.mark.parametrize(
    "told",
    [
        [[["like", "x", 1]], "one", []],
        [[["like", "x", 1]], None, []],
        [[["like", "x", 1]], [1], []],
        [[["like", {"deep": []}, 1]], 1, []],
        [[["like", "x", 1]], 1, [["x", "name"]]],
        [[["like", "x", 1]], 1, [[1, "n"]] * 300],
    ],
)
def test_a_link_of_another_form_is_refused_in_words(told: object) -> None:
    with pytest.raises(EditRefused, match="not understood"):
        from_link(_linked(told))


def test_a_deep_profile_in_a_link_changes_nothing() -> None:
    from tests.safety.own_doors import BUILT

    journal = from_link(_linked([[["set", f'{{"text": {DEEP.decode()}}}', 1]], 1, []]))
    assert journal.profile(BUILT) == BUILT


# Bundles -----------------------------------------------------------------------------------------------------------------


def _packed(files: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return out.getvalue()


def _refused(content: bytes, says: str) -> None:
    store = StudyStore("sqlite://")
    with pytest.raises(BundleRefused) as caught:
        take_over(content, store)
    assert says in str(caught.value)
    assert not store.participants("reasons"), "nothing of it is kept"
    store.close()


def test_the_bundle_itself_is_taken() -> None:
    store = StudyStore("sqlite://")
    assert take_over(_bundle(), store)[2] == 3
    store.close()


def test_a_bundle_that_lies_about_its_size_is_not_unpacked_beyond_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list says ten bytes where there are fifty megabytes."""
    monkeypatch.setattr("persona_core.study.unpacking.LARGEST", 2**21)
    content = bytearray(_packed(_members() | {"reasons/study.json": b" " * 50_000_000}))
    for place in _every(content, (50_000_000).to_bytes(4, "little")):
        content[place : place + 4] = (10).to_bytes(4, "little")
    _refused(bytes(content), "no bundle of a study")
    _refused(_packed(_members() | {"reasons/study.json": b" " * 50_000_000}), "unpacks to more than")


def _every(content: bytes | bytearray, wanted: bytes) -> list[int]:
    places, at = [], content.find(wanted)
    while at >= 0:
        places.append(at)
        at = content.find(wanted, at + 1)
    return places


def test_a_bundle_whose_list_fills_memory_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    content = _packed(_members() | {f"reasons/{number}": b"" for number in range(3_000)})
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("its list was read"))
    _refused(content, "too many files")


def test_a_bundle_packed_in_another_way_is_refused() -> None:
    _refused(_packed(_members(), zipfile.ZIP_LZMA), "packed in another way")


def _with_rows(name: str, change: dict[str, Any], at: int = 0) -> bytes:
    files = _members()
    rows = pq.read_table(io.BytesIO(files[f"reasons/tables/{name}.parquet"])).to_pylist()
    rows[at] |= change
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out)
    return _packed(files | {f"reasons/tables/{name}.parquet": out.getvalue()})


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("participants", {"participant": "../../x"}),
        ("participants", {"number": -1}),
        ("participants", {"number": 1}),
        ("participants", {"arrived": "0001-01-01T00:00:00+00:00"}),
        ("participants", {"left": "soon"}),
        ("participants", {"origin": "<b>link</b>"}),
        ("events", {"participant": "f" * 32}),
        ("events", {"seq": 1}),
        ("events", {"key": "k" * 999}),
        ("events", {"payload": "7"}),
        ("events", {"payload": "{"}),
        ("events", {"payload": f'{{"a": {DEEP.decode()}}}'}),
        ("events", {"kind": "done", "payload": '{"step": "consent", "answers": {"agreed": "perhaps"}}'}),
        ("events", {"kind": "done", "payload": '{"step": ["consent"], "answers": {}}'}),
        ("events", {"kind": "answered", "payload": '{"step": "consent"}'}),
        ("events", {"kind": "shown", "payload": '{"things": [7]}'}),
    ],
)
def test_what_cannot_have_happened_is_refused_and_nothing_of_the_bundle_kept(name: str, change: dict[str, Any]) -> None:
    _refused(_with_rows(name, change), "no bundle of a study")


def test_no_spreadsheet_takes_what_somebody_wrote_for_a_formula() -> None:
    import pandas as pd

    from persona_core.study.bundle import _csv

    table = pd.DataFrame({"free_text": ["=HYPERLINK(1)", "@x", "fine"], "score": [-1.5, 2.0, None]})
    assert _csv(table).decode().splitlines() == ["free_text,score", "'=HYPERLINK(1),-1.5", "'@x,2.0", "fine,"]


def test_two_people_never_get_one_number() -> None:
    store = StudyStore("sqlite://")
    made = study()
    store.enrol(made.id, made.content)
    with pytest.raises(BundleRefused, match="Other people took part"):
        take_over(_bundle(), store)
    assert len(store.participants(made.id)) == 1
    store.close()


# A model's answers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["```json" + " " * 500_000 + "x", "```" + "\n" * 500_000 + "```", '{"findings": []' + " " * LONGEST_ANSWER + "}"]
)
def test_an_answer_of_blanks_without_end_is_unreadable_at_once(text: str) -> None:
    with pytest.raises(Unreadable):
        value_in(text, Findings)


def test_a_wrapped_answer_is_read() -> None:
    for text in ('```json\n{"findings": []}\n```', '```{"findings": []}```', '<think>```</think>\n```JSON {"findings": []} ```'):
        assert value_in(text, Findings).findings == []
    assert orjson.loads(value_in('{"findings": []}', Findings).model_dump_json()) == {"findings": []}
