"""The Workshop: what is built from what, its actions, how it learned, its health, and data of one's own."""

from __future__ import annotations

import gzip
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from persona_core.errors import PersonaError, SettingsError
from persona_core.steps import STEPS
from persona_core.workspace import Workspace
from tests.app.conftest import PAGES, ROOT, pages_html, sound, words_of
from tests.support.ollama_stand_in import OllamaStandIn
from tests.support.toy_cli import TOY
from tests.support.worlds import build_from, table, write_tiny_world
from ui import resources
from ui.workshop import elsewhere, evaluations, graph, guesses, learning, models, own_data, rejected, steps, uploads

Shown = Callable[..., AppTest]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The tiny world, built; only looked at here."""
    folder = tmp_path_factory.mktemp("workshop")
    return build_from(write_tiny_world(folder / "tiny"), folder / "here")


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Shown:
    """The Workshop at once: the start page would begin to build."""

    def shown(place: Workspace, part: str = "Steps", **state: Any) -> AppTest:
        monkeypatch.setenv("PERSONA_WORKSPACE", str(place.root))
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        for name, value in {"workshop_part": part, **state}.items():
            at.session_state[name] = value
        return sound(at.switch_page(PAGES["workshop"]).run())

    return shown


def everything(at: AppTest) -> str:
    return words_of(at) + "\n".join(pages_html(at))


def button(at: AppTest, key: str) -> Any:
    return next(one for one in at.button if one.key == key)


# Steps -------------------------------------------------------------------------------------------------------------------


def test_every_step_is_listed_with_its_state_in_words_and_drawn(shared: Workspace, show: Shown) -> None:
    at = show(shared)
    said = everything(at)
    for step in STEPS:
        assert step.title in said
    assert f"All {len(STEPS)} steps are ready." in said
    assert said.count("ready</span>") == len(STEPS)
    assert "by rules, without a language model" in said
    assert "Every row of the data could be used." in said
    assert button(at, "workshop_build").disabled
    assert button(at, "workshop_train").disabled
    assert "Training again would give exactly the same" in said


def test_nothing_built_is_said_calmly_and_one_press_builds_the_demo_world(
    workspace: Workspace, show: Shown, tiny_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.jobs.DEMO", str(tiny_world))
    job = resources.build_job(str(workspace.root))
    job.command = TOY
    at = show(workspace)
    assert "Nothing is built yet." in everything(at)
    assert not job.running  # looking builds nothing
    workspace.root.mkdir(exist_ok=True)
    (workspace.root / "hold").touch()
    assert button(at, "workshop_build").label == "Build the demo world"
    at = sound(button(at, "workshop_build").click().run())
    assert job.running
    assert "Building" in words_of(at)
    assert button(at, "workshop_build").disabled
    at = sound(button(at, "stop-workspace").click().run())
    assert job.wait(30)
    assert "goes on from there" in words_of(sound(at.run()))


def test_late_steps_say_why_and_training_alone_is_offered_where_it_is_of_use(
    shared: Workspace, show: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERSONA_RANKING_HALF_LIFE_DAYS", "99")  # what training depends on, and what it reads does not
    at = show(shared)
    said = everything(at)
    assert "Changed since then: the settings." in said
    assert "out of date" in said
    started: list[tuple[str, ...]] = []
    monkeypatch.setattr("ui.jobs.BuildJob.start", lambda self, *words: started.append(words))
    sound(button(at, "workshop_train").click().run())
    sound(button(show(shared), "workshop_build").click().run())
    assert started == [("train",), ()]


def test_a_damaged_step_is_told_without_a_trace_of_the_program(tmp_path: Path, tiny_world: Path, show: Shown) -> None:
    place = build_from(tiny_world, tmp_path / "here")
    place.artefact("alignment").file("card.json").write_text("{")
    at = show(place)
    said = everything(at)
    assert "damaged" in said
    assert "Traceback" not in said
    assert not button(at, "workshop_build").disabled
    assert "Nothing has been learned here yet" in everything(show(place, "Learning"))


def test_settings_that_are_not_understood_leave_the_health_to_be_read(tiny_world: Path, workspace: Workspace, show: Shown) -> None:
    workspace.root.mkdir()
    (workspace.root / "workspace.toml").write_text("sede = 3\n")
    said = everything(show(workspace))
    assert "Something needs mending" in said
    assert "sede" in said
    assert "needs mending" in said


def test_a_read_only_app_shows_all_and_does_nothing(shared: Workspace, show: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA_READONLY", "1")
    monkeypatch.setenv("PERSONA_SPLITS_TEST_SHARE", "0.2")
    at = show(shared)
    assert "only reads" in words_of(at)
    for key in ("workshop_build", "workshop_train"):
        assert button(at, key).disabled
        button(at, key).proto.disabled = False  # as a tampered page would
        sound(button(at, key).click().run())
    assert not resources.build_job(str(shared.root)).running
    at = show(shared, "Your own data")
    assert "only reads" in words_of(at)
    assert not at.get("file_uploader")


@pytest.mark.parametrize(
    "state", [{"workshop_part": "nowhere"}, {"workshop_model": "rm -rf"}, {"_workspace": 7}, {"_workspace": "../.."}]
)
def test_session_values_that_make_no_sense_are_left_aside(shared: Workspace, show: Shown, state: dict[str, Any]) -> None:
    assert "Workshop" in words_of(show(shared, **state))


# Models ------------------------------------------------------------------------------------------------------------------


def test_a_model_that_is_found_can_be_chosen_and_the_choice_is_kept(
    tmp_path: Path, tiny_world: Path, show: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = build_from(tiny_world, tmp_path / "here")
    started: list[tuple[str, ...]] = []
    monkeypatch.setattr("ui.jobs.BuildJob.start", lambda self, *words: started.append(words))
    with OllamaStandIn(models=("tiny:1b", "other:2b")) as server:
        monkeypatch.setenv("PERSONA_OLLAMA_HOST", server.url)
        at = show(place)
        chooser = at.selectbox(key="workshop_model")
        assert "tiny:1b" in chooser.options
        at = sound(chooser.set_value("tiny:1b").run())
        at = sound(button(at, "workshop_build").click().run())
    assert started == [()]
    assert place.settings.ollama.model == "tiny:1b"
    assert place.settings.source is not None


def test_without_ollama_it_is_said_that_all_is_well(shared: Workspace, show: Shown) -> None:
    assert "No Ollama answers here. That is fine" in words_of(show(shared))


def test_what_the_environment_decides_cannot_be_chosen(shared: Workspace, show: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA_OLLAMA_USE", "never")
    at = show(shared)
    assert at.selectbox(key="workshop_model").disabled
    assert "PERSONA_OLLAMA_USE" in words_of(at)


@pytest.mark.parametrize(
    "before",
    ["", "seed = 3\n", "[ollama]\nmodel = 'a'\ncontext = 4096\n[splits]\ntest_share = 0.2\n", "# [ollama]\n[chroma]\nurl = ''"],
)
def test_the_choice_is_written_beside_what_people_wrote(workspace: Workspace, before: str) -> None:
    workspace.root.mkdir()
    file = workspace.root / "workspace.toml"
    file.write_text(before)
    models.remember(workspace, 'we"ird\\:1b')
    kept = tomllib.loads(file.read_text())
    assert kept["ollama"]["model"] == 'we"ird\\:1b'
    models.remember(workspace, models.NONE)
    kept = tomllib.loads(file.read_text())
    assert kept["ollama"]["use"] == "never"
    asked = tomllib.loads(before)
    assert {name: value for name, value in kept.items() if name != "ollama"} == {k: v for k, v in asked.items() if k != "ollama"}
    assert kept["ollama"].get("context") == asked.get("ollama", {}).get("context")


def test_settings_in_a_form_of_their_own_are_left_to_people(workspace: Workspace) -> None:
    workspace.root.mkdir()
    file = workspace.root / "workspace.toml"
    file.write_text('ollama = {model = "a"}\n')
    with pytest.raises(SettingsError, match="cannot be written"):
        models.remember(workspace, "b:1")
    assert file.read_text() == 'ollama = {model = "a"}\n'


# Learning, measuring, health ---------------------------------------------------------------------------------------------


def test_learning_is_shown_in_numbers_and_curves(shared: Workspace, show: Shown) -> None:
    at = show(shared, "Learning")
    assert [metric.label for metric in at.metric] == ["Before learning", "After learning", "Rounds through the data"]
    said = words_of(at)
    assert "Taught by hindsight" in said
    assert "evaluate personas" in said  # nothing was measured: the command that does it


@pytest.mark.parametrize("card", [None, {}, {"curve": 3}, {"curve": [3, {"number": "x", "ndcg": 1}, {"number": 1, "ndcg": None}]}])
def test_a_card_of_another_form_has_no_points(card: Any) -> None:
    assert learning.points_of(card) == []


def test_what_was_measured_is_drawn_and_what_is_no_result_is_left_aside(
    tmp_path: Path, shared: Workspace, show: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "evaluations"
    folder.mkdir()
    rows = [{"reviews": "all <b>", "count": 3, "F1": 0.5}, {"reviews": "new", "count": 2, "F1": 0.25}]
    (folder / "aspects.json").write_text(json.dumps({"rows": rows, "measured": "2026-01-02T00:00:00"}))
    for name, text in {"a": "{", "b": "[]", "c": '{"rows": [1]}', "d": '{"rows": []}', "e": "[" * 100_000}.items():
        (folder / f"{name}.json").write_text(text)
    monkeypatch.setattr(evaluations, "files_of", lambda place: sorted(folder.glob("*.json")))
    at = show(shared, "Learning")
    assert "How well reviews were read" in words_of(at)
    assert list(evaluations.shares_of(rows)["value"]) == [0.5, 0.25]
    assert evaluations.table_of(folder / "e.json") is None


def test_health_is_told_in_plain_words_with_what_to_do(shared: Workspace, show: Shown) -> None:
    said = everything(show(shared, "Health"))
    assert "Everything that is needed is there." in said
    for name in ("Language model", "Persona index", "Disk space"):
        assert name in said
    assert "ollama serve" in said


def test_why_is_told_with_the_steps_called_by_their_titles() -> None:
    titles = {"catalog": "Reading the data", "personas": "Writing"}
    assert (
        steps.why_in_words("changed since: code, step catalog", titles)
        == "Changed since then: the program, what “Reading the data” left."
    )
    assert steps.why_in_words("catalog, personas must be built first", titles) == "First must come: reading the data, writing."
    assert steps.why_in_words("after catalog", titles) == "Its turn comes after: reading the data."
    assert steps.why_in_words("2 answers of the model failed", titles) == "2 answers of the model failed"


def test_the_picture_has_every_step_once_and_only_direct_edges() -> None:
    places = graph.places_of(STEPS)
    assert len(set(places.values())) == len(STEPS)
    edges = graph.edges_of(STEPS)
    assert ("aspects", "personas") in edges
    assert ("catalog", "personas") not in edges  # it follows from catalog → aspects → personas
    for start, end in edges:
        assert places[start][0] < places[end][0]


def test_every_reason_for_leaving_a_row_out_has_words() -> None:
    import re

    source = "".join(file.read_text() for file in Path(rejected.__file__).parents[2].glob("persona_core/catalog/**/*.py"))
    assert set(re.findall(r'Reject\("([^"]+)"', source)) <= set(rejected.REASONS)


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
