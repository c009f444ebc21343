"""The Workshop's part on ways to see people: begun here, drawn where something was judged, silent where nothing was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from streamlit.testing.v1 import AppTest

from persona_core.profiles.ways.choices import remember
from persona_core.profiles.ways.judging import Worth
from persona_core.profiles.ways.second import AGREEMENTS
from persona_core.profiles.ways.teaching import MOVED
from persona_core.profiles.ways.work import CARD, WORTH
from persona_core.workspace import Workspace
from tests.app.conftest import PAGES, Opened, sound, words_of
from ui.jobs import BuildJob
from ui.workshop import teaching, ways


def learning(open_app: Opened, place: Workspace) -> AppTest:
    at = sound(open_app(place))
    at.session_state["workshop_part"] = "Learning"
    return sound(at.switch_page(PAGES["workshop"]).run())


def pressed(at: AppTest) -> Any:
    return next(one for one in at.button if one.key == "workshop_ways")


class Made:
    """An artefact with these files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def file(self, name: str) -> Path:
        return self.folder / name


def worth(gain: float) -> dict[str, Any]:
    return Worth(gain=gain, error=0.1, found=1, cases=2, gains=(gain, gain)).model_dump(mode="json")


@pytest.fixture
def judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cut world in which two people were judged."""
    rows = [
        {"user_id": user, "moment": 0, "cases": 2, "found without": 0, "ways": {"extraction: needs": worth(gain), "m: x": worth(0.0)}}
        for user, gain in (("u1", 0.2), ("u2", 0.4))
    ]
    (tmp_path / WORTH).write_bytes(b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows))
    (tmp_path / CARD).write_bytes(orjson.dumps({"pairs": 1_234, "people": 56}))

    class Cut:
        root = tmp_path

        def artefact(self, name: str) -> Made:
            return Made(tmp_path)

    monkeypatch.setattr(ways, "cut_place", lambda *_: Cut())
    return tmp_path


def test_where_nobody_judged_it_says_so_and_begins_at_a_press(
    built_demo: Workspace, open_app: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[tuple[str, ...]] = []
    monkeypatch.setattr(BuildJob, "start", lambda self, *words: begun.append(words))
    at = learning(open_app, built_demo)
    assert "Nobody has tried yet which ways to see people" in words_of(at)
    sound(pressed(at).click().run())
    assert begun == [("profiles", "pairs")]


def test_what_was_judged_is_drawn_with_its_pairs(
    built_demo: Workspace, open_app: Opened, judged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ways, "FEWEST", 2)
    at = learning(open_app, built_demo)
    said = words_of(at)
    assert "1,234 preference pairs" in said
    assert "Nobody has tried yet which ways" not in said
    frame = ways.gains_in(built_demo)
    assert frame["style"].tolist() == ["Wishes, from everything done", "X (m)"]
    assert frame["gain"].tolist() == pytest.approx([0.3, 0.0])
    assert (frame["low"] <= frame["gain"]).all()


@pytest.mark.parametrize("damage", [b"{", b"[1]", b'{"user_id": "u"}'])
def test_what_is_no_judgement_is_left_aside(built_demo: Workspace, judged: Path, damage: bytes) -> None:
    (judged / WORTH).write_bytes(damage)
    (judged / CARD).write_bytes(b"[]")
    assert ways.gains_in(built_demo).empty
    assert ways.card_in(built_demo) == {}


def test_a_read_only_app_begins_nothing(built_demo: Workspace, open_app: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA_READONLY", "1")
    monkeypatch.setattr(BuildJob, "start", lambda *_: pytest.fail("it began"))
    assert pressed(learning(open_app, built_demo)).disabled


def test_what_people_chose_can_be_taken_along(tmp_path: Path, open_app: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Workspace.at(tmp_path)
    remember(place, "u", "adopt", "k", "way", "mine")
    shown: list[str] = []
    monkeypatch.setattr(ways.st, "download_button", lambda label, *_, **__: shown.append(label))
    ways._choices(place)
    assert shown == ["What people chose themselves (1)"]


# Teaching ----------------------------------------------------------------------------------------------------------------


def taught_with(at: AppTest, path: str) -> AppTest:
    at.text_input[-1].set_value(path)
    return sound(next(one for one in at.button if one.label == "Teach").click().run())


def test_a_generator_is_taught_from_weights_that_are_there(
    built_demo: Workspace, open_app: Opened, judged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[tuple[str, ...]] = []
    monkeypatch.setattr(BuildJob, "start", lambda self, *words: begun.append(words))
    at = taught_with(learning(open_app, built_demo), "/nowhere/at/all.gguf")
    assert not begun
    assert "There is nothing at that path" in " ".join(one.value for one in at.error)
    taught_with(at, str(judged))
    assert begun == [("profiles", "align", "--weights", str(judged))]


def test_what_came_of_teaching_is_drawn(
    built_demo: Workspace, open_app: Opened, judged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = {"sft": [{"loss": 3.0}, {"loss": 1.0}], "dpo": [{"rewards/accuracies": 0.5}, {"rewards/accuracies": 0.8}]}
    found = {"model": "tiny", "pairs": 30, "held": 8, MOVED: 0.75, "curves": rows}
    monkeypatch.setattr(teaching, "curves_in", lambda _: found)
    said = words_of(learning(open_app, built_demo))
    assert "learned from 30 pairs" in said
    assert "towards the better profile in 75%" in said
    assert list(teaching.points_of(found, "sft", "loss")["value"]) == [3.0, 2.0]
    assert teaching.points_of({"curves": {"sft": [{"loss": "x"}, 3]}}, "sft", "loss").empty


def test_judges_that_were_heard_are_told_of(built_demo: Workspace, open_app: Opened, judged: Path) -> None:
    row = {"judge": "tiny, reading on", "people": 9, "pairs": 80, "same": 0.6, "low": 0.5, "high": 0.7}
    (judged / AGREEMENTS).write_bytes(orjson.dumps([row]))
    assert "tiny, reading on finds the same way better as the ranking does in 60% of 80 pairs" in words_of(
        learning(open_app, built_demo)
    )
