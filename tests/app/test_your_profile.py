"""Your profile: every edit moves the list and says why, can be undone, named, compared, taken along and brought back; and the tour."""

from __future__ import annotations

import re
from html import unescape

import orjson
import pytest
from streamlit.testing.v1 import AppTest

from persona_core.engine import Engine
from persona_core.profiles.journal import from_link, to_file
from persona_core.workspace import Workspace
from tests.app.conftest import PAGES, Opened, pages_html, sound, words_of
from ui import state, tour
from ui.profile import phrases
from ui.profile.changed import FIRST, rows

PAGE = PAGES["your_profile"]
WHO = "u0012"


@pytest.fixture
def page(built_demo: Workspace, open_app: Opened) -> AppTest:
    return sound(sound(open_app(built_demo, {"who": WHO})).switch_page(PAGE).run())


def button(at: AppTest, label: str, of: str = "") -> object:
    return next(one for one in at.button if one.label == label and of in str(one.key))


def pressed(at: AppTest, label: str, of: str = "") -> AppTest:
    return sound(button(at, label, of).click().run())  # type: ignore[attr-defined]


def likes(at: AppTest) -> list[str]:
    return [unescape(text) for html in pages_html(at) for text in re.findall(r'class="ps-phrase">(.*?)</div>', html, re.DOTALL)]


def test_nothing_has_changed_at_first(page: AppTest) -> None:
    assert "Nothing is changed yet" in words_of(page)
    assert all(button(page, name).disabled for name in ("Undo", "Redo", "Reset"))  # type: ignore[attr-defined]


def test_an_added_like_moves_the_list_says_why_and_is_undone(page: AppTest) -> None:
    at = sound(page.text_input(key="add_like").set_value("a tent in the rain").run())
    assert "a tent in the rain" in likes(at)
    assert "Of the first 10" in words_of(at)
    moves = [html for html in pages_html(at) if "ps-moves" in html]
    assert moves
    assert "a tent in the rain" in moves[0]
    at = pressed(at, "Undo")
    assert "a tent in the rain" not in likes(at)
    assert "Nothing is changed yet" in words_of(at)
    assert "a tent in the rain" in likes(pressed(at, "Redo"))


def test_each_phrase_can_be_strengthened_turned_round_and_taken_away(page: AppTest) -> None:
    first = next(one for one in page.button if str(one.key).startswith("like_") and str(one.key).endswith("_more"))
    key = str(first.key).removesuffix("_more")
    at = sound(first.click().run())
    assert any("counts" in html for html in pages_html(at))
    at = sound(at.button(key=f"{key}_flip").click().run())
    turned = f"dis{key}"
    at = sound(at.button(key=f"{turned}_drop").click().run())
    assert not any(str(one.key).startswith((key, turned)) for one in at.button)
    assert len(from_link(str(_one(at.query_params["edits"]))).acts) == 3
    at = pressed(at, "Reset")
    assert any(str(one.key).startswith(key) for one in at.button)


def _one(value: object) -> object:
    return value[0] if isinstance(value, list) else value


def test_the_text_counts_too(page: AppTest) -> None:
    at = sound(page.text_area(key=phrases.TEXT).set_value("They want a tent that stands in a storm.").run())
    assert "1 edit by you" in words_of(at)
    assert "you changed your text" in "".join(pages_html(at))


def test_what_a_phrase_rests_on_are_the_persons_own_reviews(built_demo: Workspace) -> None:
    engine = Engine.open(built_demo)
    profile = engine.profile(WHO)
    found = [review for like in profile.likes for review in engine.reviews(like.review_ids)]
    assert found
    assert {review.user_id for review in found} == {WHO}


def test_versions_have_names_and_one_can_go_back(built_demo: Workspace, open_app: Opened) -> None:
    at = open_app(built_demo, {"who": WHO})
    at.session_state["versions"] = True  # the expander is open
    at = sound(at.switch_page(PAGE).run())
    at = sound(at.text_input(key="add_like").set_value("old maps").run())
    at = sound(at.text_input(key="version_name").set_value("me on holiday").run())
    assert "me on holiday" in words_of(at)
    at = sound(at.button(key="back_0").click().run())
    assert "old maps" not in likes(at)
    at = sound(at.button(key="back_1").click().run())
    assert "old maps" in likes(at)
    assert "Compare two versions" in words_of(at)


def test_a_profile_is_taken_along_and_brought_back(page: AppTest, built_demo: Workspace) -> None:
    other = Engine.open(built_demo).profile("u0034")
    at = sound(page.file_uploader(key="profile_file").set_value(("p.json", to_file(other), "application/json")).run())
    assert [one.text for one in other.likes] == [text for text in likes(at) if text in {one.text for one in other.likes}]
    assert "1 edit by you" in words_of(at)


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"\xff\xfe", orjson.dumps({"personascope profile": 1, "likes": [{"text": "x" * 999}]})]
)
def test_a_file_that_is_no_profile_is_refused_kindly(page: AppTest, raw: bytes) -> None:
    before = likes(page)
    at = sound(page.file_uploader(key="profile_file").set_value(("p.json", raw, "application/json")).run())
    assert likes(at) == before
    assert at.toast
    assert "Traceback" not in at.toast[0].value


def test_too_long_a_phrase_is_refused_in_words(page: AppTest) -> None:
    at = sound(page.text_input(key="add_like").set_value("x" * 500).run())
    assert "x" * 500 not in likes(at)
    assert "200" in str(state.refusal("like", "x" * 500))


def test_the_slopes_show_both_ends_of_everything_among_the_first_ten(built_demo: Workspace) -> None:
    from persona_core.profiles.edits import with_like

    engine = Engine.open(built_demo)
    profile = engine.profile(WHO)
    before, after = engine.rank(profile), engine.rank(with_like(profile, "a tent in the rain", 3.0))
    frame = rows(engine, before, after)
    assert set(frame.groupby("title").size()) == {2}
    for end, ranked in (("before", before), ("now", after)):
        shown = frame[(frame["end"] == end) & (frame["rank"] <= FIRST)].sort_values("rank")
        assert shown["title"].tolist() == [engine.items[int(item)].title for item in ranked.order[:FIRST]]


def test_strengths_go_up_and_down_the_same_steps() -> None:
    for strength in (0.1, 0.59, 1.0, 1.54, 3.0):
        up, down = phrases.stepped(strength, 1), phrases.stepped(strength, -1)
        assert down <= strength <= up
    assert phrases.stepped(3.0, 1) == 3.0
    assert phrases.stepped(0.1, -1) == 0.1


def test_the_tour_leads_over_all_pages_and_ends(built_demo: Workspace, open_app: Opened) -> None:
    at = sound(open_app(built_demo))
    at = pressed(at, "Take the tour")
    seen = []
    for number, stop in enumerate(tour.STOPS, start=1):
        said = words_of(at)
        assert f"Tour, {number} of {len(tour.STOPS)}" in said
        assert stop.title in said
        seen.append(at.title[0].value)
        at = sound(at.button(key="tour_next").click().run())
    assert "Tour," not in words_of(at)
    assert {"For you", "Your profile", "Personas", "Trends", "Workshop"} <= set(seen)


def test_every_stop_of_the_tour_points_at_something_on_its_page(built_demo: Workspace, open_app: Opened) -> None:
    at = sound(open_app(built_demo))
    at = pressed(at, "Take the tour")
    for stop in tour.STOPS:
        keys = {getattr(one, "key", None) for one in at.main}
        assert stop.target in keys, f"{stop.page}: nothing is called {stop.target}"
        at = sound(at.button(key="tour_next").click().run())


def test_no_model_and_a_stale_workspace_change_nothing(
    built_tiny: Workspace, open_app: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERSONA_SPLITS_TEST_SHARE", "0.2")
    at = sound(sound(open_app(built_tiny)).switch_page(PAGE).run())
    assert "Your profile" in words_of(at)


def test_a_broken_workspace_is_explained_with_what_to_press(built_tiny: Workspace, open_app: Opened) -> None:
    (built_tiny.root / "workspace.toml").write_text("sede = 3\n")
    at = sound(sound(open_app(built_tiny)).switch_page(PAGE).run())
    assert "sede" in words_of(at)
