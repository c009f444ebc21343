"""The commands about people: a profile, what suits them, why, and the training behind it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from persona_core.cli import main
from persona_core.workspace import Workspace
from tests.support.worlds import build_from, write_tiny_world


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The tiny world, built; only read here."""
    folder = tmp_path_factory.mktemp("ranking")
    return build_from(write_tiny_world(folder / "tiny"), folder / "workspace")


def asked(place: Workspace, *words: str, fails: bool = False) -> dict[str, Any]:
    """The JSON object that the command ends with."""
    ran = CliRunner().invoke(main, [*words, "--workspace", str(place.root), "--json"])
    assert (ran.exit_code != 0) is fails, ran.output
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


def said(place: Workspace, *words: str) -> str:
    ran = CliRunner().invoke(main, [*words, "--workspace", str(place.root)])
    assert ran.exit_code == 0, ran.output
    return ran.stdout


def test_a_profile_is_shown_with_what_it_rests_on(place: Workspace) -> None:
    profile = asked(place, "profile", "u1")["profile"]
    assert profile["user_id"] == "u1"
    assert "things in their past" in said(place, "profile", "u1")


def test_somebody_unknown_is_an_error_that_names_some_who_are_known(place: Workspace) -> None:
    for words in (("profile", "nobody"), ("recommend", "nobody"), ("explain", "nobody", "i1")):
        error = asked(place, *words, fails=True)
        assert "nobody" in json.dumps(error)
        assert "u0" in json.dumps(error)


def test_recommendations_add_up_and_leave_out_what_is_known(place: Workspace) -> None:
    found = asked(place, "recommend", "u1", "-k", "3")
    seen = set(found["profile"]["history"])
    for one in found["recommendations"]:
        assert one["item_id"] not in seen
        assert one["score"] == pytest.approx(sum(part["value"] for part in one["parts"]))


def test_somebody_new_is_known_by_phrases_alone(place: Workspace) -> None:
    found = asked(place, "recommend", "--like", "a good handle", "--dislike", "things that break", "--scenario", "kitchen")
    assert [one["text"] for one in found["profile"]["likes"]] == ["a good handle"]
    assert [one["text"] for one in found["profile"]["dislikes"]] == ["things that break"]
    assert {one["item_id"] for one in found["recommendations"]} <= {"i1", "i4"}  # the tiny world's kitchen
    assert "1. Thing" in said(place, "recommend", "--like", "a good handle")


def test_an_empty_phrase_is_refused_in_words(place: Workspace) -> None:
    assert "nothing to add" in json.dumps(asked(place, "recommend", "--like", "  ", fails=True))


def test_an_item_is_explained_by_words_of_its_title(place: Workspace) -> None:
    found = asked(place, "explain", "u1", "thing 3")
    assert found["explanation"]["item_id"] == "i3"
    assert found["what if"]
    assert "Thing 3" in said(place, "explain", "u1", "thing 3")


def test_training_says_where_it_left_its_card_and_curve(place: Workspace) -> None:
    found = asked(place, "train")
    assert json.loads(Path(found["card"]).read_text("utf-8"))["encoder"]
    assert Path(found["curve"]).read_text("utf-8").startswith("<svg")
