"""The Workshop's part on ways to see people: begun here, drawn where something was judged, silent where nothing was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from streamlit.testing.v1 import AppTest

from persona_core.profiles.ways.choices import remember
from persona_core.profiles.ways.judging import Worth
from persona_core.profiles.ways.work import CARD, WORTH
from persona_core.workspace import Workspace
from tests.app.conftest import PAGES, Opened, sound, words_of
from ui.jobs import BuildJob
from ui.workshop import ways


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
    assert frame["style"].tolist() == ["What they look for in all they did", "X (m)"]
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
