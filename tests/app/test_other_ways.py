"""Other ways to see you: side by side, taken, added, put away; what was tried is said, and what was not is not made up."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from persona_core.engine import Engine
from persona_core.errors import PersonaError
from persona_core.profiles.ways.exploring import Way
from persona_core.profiles.ways.judging import Worth
from persona_core.profiles.ways.now import Explorer, Standing
from persona_core.schema import Phrase, Profile
from persona_core.workspace import Workspace
from tests.app.conftest import PAGES, Opened, pages_html, sound, words_of
from tests.support.scripted import Scripted
from ui.profile import ways

PAGE, WHO, WROTE = PAGES["your_profile"], "u0012", "u0006"


@pytest.fixture
def remembered(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """The demo world is read only; what would be kept of the choices is here."""
    kept: list[tuple[Any, ...]] = []
    monkeypatch.setattr("ui.profile.ways.remember", lambda place, *what: kept.append(what))
    return kept


@pytest.fixture
def page(built_demo: Workspace, open_app: Opened, remembered: list[tuple[Any, ...]]) -> AppTest:
    return opened_for(open_app, built_demo, WHO)


def opened_for(open_app: Opened, place: Workspace, who: str) -> AppTest:
    at = sound(open_app(place, {"who": who}))
    at.session_state["ways"] = True  # the expander is open
    return sound(at.switch_page(PAGE).run())


def pressed(at: AppTest, kind: str) -> AppTest:
    return sound(next(one for one in at.button if str(one.key).startswith(f"way_{kind}_")).click().run())


def shown(at: AppTest) -> list[str]:
    return [str(one.key) for one in at.button if str(one.key).startswith("way_adopt_")]


def test_closed_it_makes_nothing(built_demo: Workspace, open_app: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.profile.ways._explorer", lambda _: pytest.fail("it was opened"))
    at = sound(sound(open_app(built_demo, {"who": WHO})).switch_page(PAGE).run())
    assert not shown(at)


def test_three_are_shown_at_first_and_all_at_a_press(page: AppTest) -> None:
    assert len(shown(page)) == ways.AT_FIRST
    assert "Each is made from what you did until" in words_of(page)
    at = sound(page.toggle(key=ways.ALL).set_value(True).run())
    assert len(shown(at)) > ways.AT_FIRST


def test_one_that_is_taken_is_the_profile_and_undo_brings_back_the_former(page: AppTest, remembered: list[tuple[Any, ...]]) -> None:
    before = [html for html in pages_html(page) if 'class="ps-phrase"' in html]
    at = pressed(page, "adopt")
    assert [html for html in pages_html(at) if 'class="ps-phrase"' in html] != before
    assert "Of the first 10" in words_of(at)
    assert [what[:2] for what in remembered] == [(WHO, "adopt")]
    undo = next(one for one in at.button if one.label == "Undo")
    at = sound(undo.click().run())
    assert [html for html in pages_html(at) if 'class="ps-phrase"' in html] == before


def test_one_that_is_put_away_is_gone_for_this_person(page: AppTest, remembered: list[tuple[Any, ...]]) -> None:
    first = shown(page)[0]
    at = pressed(page, "reject")
    assert first not in shown(at)
    assert remembered[0][1] == "reject"


def phrases(at: AppTest) -> int:
    return sum(html.count('class="ps-phrase"') for html in pages_html(at))


def test_a_single_phrase_is_added_or_all_of_them(page: AppTest, remembered: list[tuple[Any, ...]]) -> None:
    before = phrases(page)
    one = next(one for one in page.button if str(one.key).startswith("way_add_"))
    at = sound(one.click().run())
    assert phrases(at) == before + 1
    assert remembered[0][1] == "merge"
    assert phrases(pressed(at, "merge")) > before + 1


def test_a_disk_that_is_full_is_said_and_the_profile_is_taken_all_the_same(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise PersonaError("There is no room on the disk.", mend="make some")

    monkeypatch.setattr("ui.profile.ways.remember", full)
    at = pressed(page, "adopt")
    assert any("There is no room on the disk." in toast.value for toast in at.toast)
    assert "Of the first 10" in words_of(at)


def test_somebody_new_has_no_other_ways(built_demo: Workspace, open_app: Opened) -> None:
    at = sound(open_app(built_demo, {"who": "new"}))
    at.session_state["ways"] = True
    assert not shown(sound(at.switch_page(PAGE).run()))


def test_somebody_of_whom_little_is_known_is_told_so(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Explorer, "ways", lambda *_: ())
    assert "Too little is known of this person" in words_of(sound(page.run()))


def test_without_judging_it_says_so(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Explorer, "standing", lambda *_: None)
    text = words_of(sound(page.run())) + " ".join(pages_html(page))
    assert "Nobody has tried yet" in text
    assert "It was not tried on what came next." in text


# Models ------------------------------------------------------------------------------------------------------------------


def asked(at: AppTest) -> AppTest:
    return sound(at.button(key="ways_ask").click().run())


def test_without_a_server_it_says_how_to_start_one(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA_OLLAMA_USE", "auto")
    monkeypatch.setattr(ways, "reachable_models", lambda *_: [])
    at = asked(sound(page.run()))
    assert any("ollama serve" in one.label for one in at.status)
    assert len(shown(at)) == ways.AT_FIRST


def test_what_models_write_stands_beside_the_others_and_is_asked_once(
    page: AppTest, built_demo: Workspace, open_app: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = {"likes": [{"cites": [1], "phrase": "sings while walking", "strength": 2}], "dislikes": [], "text": ""}
    model = Scripted(answer, name="bard:1b")
    monkeypatch.setenv("PERSONA_OLLAMA_USE", "auto")
    monkeypatch.setattr(ways, "reachable_models", lambda *_: ["bard:1b@feed"])
    monkeypatch.setattr(ways, "opened_models", lambda *_: [model])
    at = asked(sound(page.run()))
    assert not model.asked
    assert any("nothing in your own words" in one.label for one in at.status)
    at = asked(opened_for(open_app, built_demo, WROTE))
    assert model.asked
    at = sound(at.toggle(key=ways.ALL).set_value(True).run())
    assert "bard:1b" in " ".join(pages_html(at))
    assert "sings while walking" in " ".join(pages_html(at))
    assert not [one for one in at.button if one.key == "ways_ask"]


# In words ----------------------------------------------------------------------------------------------------------------


def way(style: str = "broad", unborne: tuple[str, ...] = ()) -> Way:
    likes = (Phrase(text="wants it to last"), Phrase(text="loves <b>opera</b>"))
    profile = Profile(user_id="u", version=1, text="", likes=likes)
    return Way(user_id="u", boundary=0, source="extraction", style=style, profile=profile, unborne=unborne, borne_out=1.0, lines="l")


def worth(found: int) -> Worth:
    return Worth(gain=0.5, error=0.1, found=found, cases=10, gains=(0.5,) * 10)


def test_worth_is_told_beside_the_one_in_use() -> None:
    standing = Standing(0, 10, 4, {"extraction: broad": worth(7), "extraction: needs": worth(5)})
    told = ways.worth_in_words(way(), standing)
    assert told == "Puts 7 of your next 10 choices in the top 20; the way your profile is built: 5."
    assert "Without any profile: 4." in ways.worth_in_words(way("needs"), standing)
    assert "not tried" in ways.worth_in_words(way("other"), standing)
    assert "not tried" in ways.worth_in_words(way(), None)


def test_what_nothing_bears_out_is_not_taken_over() -> None:
    one = way(unborne=("loves <b>opera</b>",))
    assert [like.text for like in ways.adopted(one).likes] == ["wants it to last"]
    own = Profile(user_id="u", version=1, text="mine", dislikes=(Phrase(text="wants it to last"),))
    assert ways.merged(own, one).likes == ()
    assert [like.text for like in ways.merged(own, way()).likes] == ["loves <b>opera</b>"]
    assert ways.merged(own, way()).text == "mine"


def test_the_explorer_gives_the_most_worthy_first(built_demo: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    explorer = Explorer.open(built_demo, Engine.open(built_demo).book)
    keys = [one.key for one in explorer.ways(WHO)]
    last = keys[-1]
    rows = {WHO: {"moment": 0, "cases": 10, "found without": 1, "ways": {last: worth(9)}}}
    again = Explorer(explorer.pasts, explorer.boundaries, explorer.newest, explorer.book, rows)
    assert again.ways(WHO)[0].key == last
    assert explorer.ways("nobody") == ()
