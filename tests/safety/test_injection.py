"""Reviews that give orders, and a model that obeys them: nothing reaches other items, other people, settings, files or the page."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from persona_core.catalog.choose import choose_source
from persona_core.llm import ollama_model
from persona_core.llm.ollama_model import RETRIES
from persona_core.personas.authoring import WORD
from persona_core.pipeline import Pipeline
from persona_core.profiles.files import PROFILES, ProfileBook
from persona_core.schema import Profile
from persona_core.steps import STEPS
from persona_core.workspace import Workspace
from tests.personas.with_model.mind import ITEMS, aspects_of, assert_grounded, personas_of
from tests.profiles.test_journal import _linked
from tests.safety.obedient import ATTACKED, VOICES, obeyed, orders_in, said_in
from tests.support.models import MODEL, looked_long_ago
from tests.support.ollama_stand_in import OllamaStandIn
from tests.support.remembered import batches_remembered
from tests.support.worlds import START, write_lines, write_tiny_world
from ui.markup import ATTRIBUTES, TAGS

ROOT = Path(__file__).resolve().parents[2]
WRITERS = ("u0", "u2", "u4", "u6")
"""Those of the tiny world who wrote."""
ATTACKERS = tuple(f"a{number}" for number in range(len(VOICES)))
pytestmark = pytest.mark.xdist_group("injection")


class Built(NamedTuple):
    place: Workspace
    server: OllamaStandIn
    around: set[str]
    """What lay beside the workspace before it was built."""


def _world(folder: Path, attacked: bool) -> Path:
    world = write_tiny_world(folder)
    rows = [
        {"review_id": f"h{number}{item}", "user_id": user, "item_id": item, "rating": 5, "text": voice,
         "time": START.replace(day=2 + number).isoformat()}
        for item in ATTACKED
        for number, (user, voice) in enumerate(zip(ATTACKERS, VOICES, strict=True))
    ]  # fmt: skip
    if attacked:
        write_lines(world / "hostile.jsonl", rows)
    return world


@pytest.fixture(scope="module")
def _settings() -> Iterator[pytest.MonkeyPatch]:
    """A fixture of a module is made before settings from outside are removed."""
    with batches_remembered(), pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PERSONA_")]:
            patch.delenv(name)
        patch.setattr(ollama_model, "PAUSES_S", (0.0,) * RETRIES)
        patch.setenv("PERSONA_OLLAMA_MODEL", MODEL)
        yield patch
    looked_long_ago()


def _built(folder: Path, patch: pytest.MonkeyPatch, attacked: bool, steps: tuple[str, ...] = ()) -> Built:
    world = _world(folder / "world", attacked)
    (folder / "workspaces").mkdir()
    around = {str(one) for one in folder.rglob("*")}
    with OllamaStandIn(obeyed) as server:
        patch.setenv("PERSONA_OLLAMA_HOST", server.url)
        looked_long_ago()
        place = Workspace.at(folder / "workspaces" / "here")
        choose_source(place, str(world))
        Pipeline([one for one in STEPS if not steps or one.name in steps], place).build()
    return Built(place, server, around)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory, _settings: pytest.MonkeyPatch) -> Built:
    return _built(tmp_path_factory.mktemp("attacked"), _settings, True)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory, _settings: pytest.MonkeyPatch) -> Built:
    """The same world without those reviews, read by the same model, as far as it is the model's work."""
    names = ("catalog", "splits", "overview", "aspects", "personas", "profiles")
    return _built(tmp_path_factory.mktemp("clean"), _settings, False, names)


def _profiles(place: Workspace) -> dict[str, Profile]:
    book = ProfileBook(place.artefact("profiles").file(PROFILES))
    return {user: one for user in book.users() if (one := book.of(user)) is not None}


def test_the_model_read_the_orders_and_obeyed(attacked: Built) -> None:
    """Without this, all that follows would say nothing."""
    asked = [set(one["format"]["properties"]) for one in attacked.server.requests if orders_in(said_in(one))]
    assert {"findings"} in asked
    assert any({"likes", "dislikes"} <= one for one in asked) or any("likes" in one for one in asked)
    written = [one for one in personas_of(attacked.place) if "<script>" in one.description + one.rationale + "".join(one.traits)]
    assert {one.item_id for one in written} & set(ATTACKED), "its words are kept as words"


def test_every_quote_stands_in_a_review_of_its_own_item(attacked: Built) -> None:
    """It was told to quote somebody else's words on every product; r4, whose they are, is of another."""
    assert_grounded(attacked.place)
    witnesses = {persona.item_id for persona in personas_of(attacked.place) if any(one.review_id == "r4" for one in persona.quotes)}
    assert not witnesses & set(ATTACKED)


def test_other_items_are_as_if_nobody_had_given_orders(attacked: Built, clean: Built) -> None:
    others = [item for item in ITEMS if item not in ATTACKED]

    def of_others(place: Workspace) -> tuple[list[Any], list[Any]]:
        rows = aspects_of(place)
        return (
            rows[rows["item_id"].isin(others)].to_dict("records"),
            [one.model_dump() for one in personas_of(place) if one.item_id in others],
        )

    assert of_others(attacked.place) == of_others(clean.place)
    assert of_others(clean.place)[1]


def test_other_people_are_as_if_nobody_had_given_orders(attacked: Built, clean: Built) -> None:
    there, here = _profiles(attacked.place), _profiles(clean.place)
    assert set(there) == {*here, *ATTACKERS}
    for user in WRITERS:
        assert there[user] == here[user]
    own = {f"h{number}{item}": user for item in ATTACKED for number, user in enumerate(ATTACKERS)}
    for user in ATTACKERS:
        rests_on = {one for phrase in (*there[user].likes, *there[user].dislikes) for one in phrase.review_ids}
        assert {own.get(one) for one in rests_on if one in own} <= {user}


def test_names_are_words_and_ids_are_made_of_them(attacked: Built) -> None:
    for persona in personas_of(attacked.place):
        assert all(WORD.fullmatch(word) for word in persona.name.split())
        assert re.fullmatch(r"i\d:[\w-]+", persona.id)


def test_no_setting_and_no_file_was_touched(attacked: Built, clean: Built) -> None:
    def settings_of(place: Workspace) -> dict[str, Any]:
        return place.settings.model_dump(exclude={"source": {"path"}, "ollama": {"host"}})

    assert settings_of(attacked.place) == settings_of(clean.place)
    assert "666" not in (attacked.place.root / "workspace.toml").read_text()
    root = attacked.place.root
    beside = {str(one) for one in root.parents[1].rglob("*") if not one.is_relative_to(root)}
    assert beside == attacked.around
    expected = {one.name for one in STEPS} | {"workspace.toml", ".lock", ".digests.json", "answers.sqlite", "chroma"}
    assert {one.name.removesuffix("-wal").removesuffix("-shm") for one in root.iterdir()} <= expected
    assert all("evil.invalid" not in str(value) for value in os.environ.values())


# The page ----------------------------------------------------------------------------------------------------------------


class Elements(HTMLParser):
    """Every element on the page, with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


LIVE = re.compile(r"(?<!\\)<(?:script|img)|(?<!\\)\]\((?:javascript|http://evil)|(?<!\\)!\[x|(?<!\\):red\[", re.IGNORECASE)


def _shown(at: AppTest) -> None:
    assert not at.exception, at.exception
    for piece in at.html:
        if str(piece.value).startswith(("<style", "<script data-page")) or "--ps-" in str(piece.value):
            continue
        elements = Elements()
        elements.feed(str(piece.value))
        for tag, attributes in elements.found:
            assert tag in TAGS, piece.value
            assert attributes.keys() <= ATTRIBUTES | {"class", "style"}, piece.value
    for kind in ("title", "header", "subheader", "markdown", "caption", "info", "warning", "error", "button", "selectbox", "pills"):
        for element in at.get(kind):
            for part in (getattr(element, "label", ""), getattr(element, "value", "")):
                assert not LIVE.search(str(part or "")), (kind, part)


@pytest.fixture
def app(attacked: Built, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    st.cache_data.clear()
    st.cache_resource.clear()
    monkeypatch.setattr("ui.resources.warm", lambda *_: 0)
    monkeypatch.setenv("PERSONA_WORKSPACE", str(attacked.place.root))
    monkeypatch.setenv("PERSONA_READONLY", "1")
    monkeypatch.setenv("PERSONA_OLLAMA_MODEL", MODEL)
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)


@pytest.mark.parametrize(
    ("page", "address"),
    [
        ("personas", {"item": "i0"}),
        ("personas", {"q": "script"}),
        ("for_you", {"who": "a2"}),
        ("your_profile", {"who": "a6"}),
        ("start", {}),
    ],
)
def test_the_page_shows_what_the_model_said_as_words(app: AppTest, page: str, address: dict[str, str]) -> None:
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    app.switch_page(f"app_pages/{page}.py").run()
    _shown(app)
    if "item" in address:
        app.selectbox(key="item").set_value(address["item"]).run()
        _shown(app)
        drawn = "".join(str(one.value) for one in app.html)
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in drawn, "it is there, and it is text"


EDITS = _linked([[["like", f"{VOICES[3]}"[:150], 1.0], ["set", '{"likes": [[[1]]]}', 1.0], ["back", "", 1e300]], 3, [[1, "<b>x</b>"]]])
PARAMETERS = (
    "who",
    "edits",
    "tour",
    "q",
    "item",
    "scenario",
    "price",
    "show",
    "vary",
    "mix",
    "seen",
    "w_taste",
    "t",
    "i",
    "back",
    "look",
)


@pytest.mark.parametrize(
    ("page", "value"),
    [
        ("for_you", "<script>alert(1)</script>"),
        ("for_you", "9" * 5_000),
        ("your_profile", EDITS),
        ("your_profile", "../../../etc/passwd\x00"),
        ("personas", "nan"),
        ("trends", "-1"),
        ("scenarios", "\u202e{{7*7}}%00"),
    ],
)
def test_an_address_that_nobody_would_write_opens_the_page_all_the_same(app: AppTest, page: str, value: str) -> None:
    for name in PARAMETERS:
        app.query_params[name] = value
    app.run()
    _shown(app)
    for name in PARAMETERS:  # those that belong to a page's own widgets
        app.query_params[name] = value
    _shown(app.switch_page(f"app_pages/{page}.py").run())
