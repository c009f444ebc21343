"""Data of one's own in the Workshop: uploaded, previewed, mapped, built; and neighbours to turn to."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from persona_core.errors import PersonaError
from persona_core.workspace import Workspace
from tests.app.conftest import Shown, pages_html, sound, words_of
from tests.app.workshop import button, everything
from tests.support.worlds import table
from ui.workshop import elsewhere, guesses, own_data, uploads

# Data of one's own -------------------------------------------------------------------------------------------------------


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace whose neighbours are ours alone."""
    place = Workspace.at(tmp_path / "spaces" / "here")
    place.root.mkdir(parents=True)
    monkeypatch.setenv("PERSONA_WORKSPACE", str(place.root))
    return place


def upload(at: AppTest, name: str, content: bytes) -> AppTest:
    return sound(at.file_uploader(key="own_file").upload(name, content).run())


def test_a_table_is_previewed_mapped_named_and_built_in_a_process_of_its_own(
    tmp_path: Path, beside: Workspace, show: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple[str, tuple[str, ...]]] = []
    monkeypatch.setattr("ui.jobs.BuildJob.start", lambda self, *words: started.append((self.workspace.root.name, words)))
    table(tmp_path, "csv")
    at = upload(show(beside, "Your own data"), "../../etc/<b>shop.csv", (tmp_path / "shop.csv").read_bytes())
    assert at.dataframe[0].value.shape == (5, 6)
    assert button(at, "own_build").disabled
    at.text_input(key="own_name").set_value("my-shop")
    at = sound(at.text_input(key="own_scenario").set_value("brushes").run())
    sound(button(at, "own_build").click().run())
    ((name, words),) = started
    new = beside.root.parent / "my-shop"
    assert name == "my-shop"
    assert words[:3] == ("build", "--from", str(new / "uploads" / "reviews.csv"))
    assert {"user=who", "item=what", "time=when", "rating=stars", "text=words", "user_name=called"} <= set(words)
    assert words[-2:] == ("--scenario", "brushes")
    assert (new / "uploads" / "reviews.csv").read_bytes() == (tmp_path / "shop.csv").read_bytes()


BAD = {
    "empty.csv": b"",
    "blank.csv": b"\n\n  \n",
    "header.csv": b"user,item,time\n",
    "twins.csv": b"a,a,b\n1,2,3\n",
    "binary.csv": b"\x00\x01\x02" * 99,
    "utf16.csv": "who,what,when\na,b,c\n".encode("utf-16"),
    "latin.csv": "who,what,when\nJos\u00e9,b,c\n".encode("latin-1"),
    "torn.csv.gz": gzip.compress(b"who,what,when\n" * 99)[:40],
    "false.parquet": b"PAR1 is what it says, and no more",
    "words.json": b"just words\n",
    "list.json": b"[1, 2, 3]\n",
    "program.exe.csv": b"MZ\x90\x00\x03",
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_cannot_be_used_is_refused_kindly(beside: Workspace, show: Shown, name: str) -> None:
    said = everything(upload(show(beside, "Your own data"), name, BAD[name]))
    assert "This cannot be used as it is" in said
    assert "What helps" in said
    assert "Error" not in said


def test_a_small_file_that_unpacks_into_a_huge_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_UNPACKED", 2**21)
    bomb = tmp_path / "bomb.csv.gz"
    bomb.write_bytes(gzip.compress(b"who,what,when\n" + b"a" * 2**23))
    with pytest.raises(PersonaError, match="unpacks to more than"):
        uploads.look_at(bomb, bounded=True)


def test_rows_are_bounded_and_a_path_on_this_machine_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_ROWS", 10)
    table(tmp_path, "csv")
    with pytest.raises(PersonaError, match="more than 10 rows"):
        uploads.look_at(tmp_path / "shop.csv", bounded=True)
    assert uploads.look_at(tmp_path / "shop.csv", bounded=False).is_table


def test_formulas_and_markup_are_shown_as_text(beside: Workspace, show: Shown) -> None:
    nasty = ['=HYPERLINK("http://example.invalid","x")', "<img src=x onerror=alert(1)>", "**bold** :red[x]"]
    content = "user,item,time,<b>text</b>\n" + "".join(f'u,i,2025-01-01,"{text.replace(chr(34), chr(34) * 2)}"\n' for text in nasty)
    at = upload(show(beside, "Your own data"), "x.csv", content.encode())
    assert list(at.dataframe[0].value["<b>text</b>"]) == nasty
    assert all(text not in words_of(at) for text in nasty)
    assert "onerror" not in "".join(pages_html(at))


@pytest.mark.parametrize("name", ["", "Up", "a/b", "..", "a b", "-a", "x" * 41, "here", "taken", "é"])
def test_a_name_that_cannot_be_is_not_built_under(tmp_path: Path, beside: Workspace, name: str) -> None:
    (beside.root.parent / "taken").mkdir()
    table(tmp_path, "csv")
    reviews = uploads.look_at(tmp_path / "shop.csv", bounded=True)
    columns = guesses.guessed(reviews.columns, list(guesses.REVIEWS))
    wanted = own_data.Wanted(reviews, None, False, columns)
    assert own_data._fault(wanted, name)
    assert not own_data._fault(wanted, "good-1")


@pytest.mark.parametrize("path", ["/nowhere/x.csv", "relative.csv", "\x00", "~nobody-at-all/x", "/etc"])
def test_a_path_that_leads_nowhere_is_refused_kindly(beside: Workspace, show: Shown, path: str) -> None:
    at = show(beside, "Your own data", own_way=own_data.PATH)
    at = sound(at.text_input(key="own_path").set_value(path).run())
    assert "This cannot be used as it is" in words_of(at)


def test_a_known_form_is_recognised_at_a_path(tiny_world: Path, beside: Workspace, show: Shown) -> None:
    at = show(beside, "Your own data", own_way=own_data.PATH)
    at = sound(at.text_input(key="own_path").set_value(str(tiny_world)).run())
    assert "a folder in the demo world's form" in words_of(at)


def test_columns_are_guessed_by_their_names_and_none_twice() -> None:
    found = guesses.guessed(["Customer ID", "ASIN", "Review Date", "Stars", "review", "x"], list(guesses.REVIEWS))
    assert found == {"user": "Customer ID", "item": "ASIN", "time": "Review Date", "rating": "Stars", "text": "review"}
    assert [guesses.scale_for(highest) for highest in (None, 5.0, 4.5, 10.0, 97.0, 1.0)] == ["5", "5", "5", "10", "100", "1"]


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "parquet"])
def test_tables_of_every_form_are_previewed(tmp_path: Path, form: str) -> None:
    table(tmp_path, form)
    looked = uploads.look_at(tmp_path / f"shop.{form}", bounded=True)
    assert looked.is_table
    assert {"who", "what", "stars", "when", "words", "called"} == set(looked.columns)
    assert len(looked.rows) == 5
    assert (looked.highest or {})["stars"] == 5.0


@pytest.mark.parametrize("name", ["a", "a.exe", "a.gz", "a.zip", "a.csv.zip", "", "...", "/"])
def test_a_file_of_another_kind_has_no_ending_of_ours(name: str) -> None:
    with pytest.raises(PersonaError, match="kind"):
        uploads.suffix_of(name)


def test_a_session_can_look_at_a_neighbour_and_come_back(shared: Workspace, show: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Workspace.at(shared.root.parent / "other")
    place.root.mkdir(exist_ok=True)
    (place.root / "workspace.toml").write_text((shared.root / "workspace.toml").read_text())
    (place.root / "ranking").mkdir(exist_ok=True)
    (place.root / "ranking" / "current").write_text("x\n")
    at = show(shared, "Your own data")
    at = sound(button(at, "own_look_other").click().run())
    assert at.session_state["_workspace"] == "other"


@pytest.mark.parametrize("name", [None, 7, "", "..", "../x", "/etc", "Upper", "missing", "here"])
def test_only_a_workspace_beside_ours_can_be_turned_to(beside: Workspace, monkeypatch: pytest.MonkeyPatch, name: object) -> None:
    monkeypatch.setattr(elsewhere.st, "session_state", {"_workspace": name})
    assert elsewhere.chosen_workspace() is None


def test_a_link_is_not_followed_out_of_the_folder(tmp_path: Path, beside: Workspace) -> None:
    (tmp_path / "away").mkdir()
    (beside.root.parent / "link").symlink_to(tmp_path / "away")
    assert elsewhere.beside("link") is None
