"""Who is like a persona, what curators changed as the engine sees it, and the phrases that need not be encoded again."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from persona_core.alignment.phrases import PHRASES, PhraseBook, read_phrases, save_phrases
from persona_core.alignment.steps import phrases_said
from persona_core.engine import Engine
from persona_core.personas import curation
from persona_core.schema import Stance
from persona_core.workspace import Workspace
from tests.support.shops import USERS, FakeBook, built_shop
from tests.support.tastes import encode


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return built_shop(tmp_path_factory.mktemp("admirers"))


@pytest.fixture
def copy(shop: Workspace, tmp_path: Path) -> Workspace:
    shutil.copytree(shop.root, tmp_path / "copy")
    return Workspace.at(tmp_path / "copy")


def opened(place: Workspace) -> Engine:
    engine = Engine.open(place)
    engine.book = FakeBook()  # type: ignore[assignment]
    return engine


def test_admirers_are_those_whose_own_match_is_highest(shop: Workspace) -> None:
    engine = opened(shop)
    for row, persona in enumerate(engine.personas[:9]):
        found = engine.admirers(persona.id, USERS)
        matches = {}
        for user in engine.profiles.users():
            ranked = engine.rank(engine.profile(user))
            matches[user] = float((ranked.alarms if persona.stance is Stance.DISAPPOINTS else ranked.suits)[row])
        assert dict(found) == pytest.approx({user: match for user, match in matches.items() if match > 0}, abs=1e-5)
        assert [match for _, match in found] == sorted((match for _, match in found), reverse=True)
        assert engine.admirers(persona.id, 2) == found[:2]
        assert engine.admirers(persona.id, 0) == engine.admirers(persona.id, -1) == []


def test_several_threads_get_the_same_answer(shop: Workspace) -> None:
    engine = opened(shop)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: engine.admirers(engine.personas[0].id, 5), range(8)))
    assert all(one == answers[0] for one in answers)


# Curation ----------------------------------------------------------------------------------------------------------------


def test_a_hidden_persona_neither_matches_nor_is_there_and_comes_back_as_it_was(copy: Workspace) -> None:
    before = opened(copy)
    user = before.profile("u03")
    first = next(one.match for one in before.recommend(user) if one.match)
    persona = before.persona(first.persona_id)
    entry = curation.hide(copy, persona)
    after = opened(copy)
    assert persona.id not in {one.id for one in after.personas}
    assert all(one.match is None or one.match.persona_id != persona.id for one in after.recommend(user, k=100))
    others = [one for one in before.personas if one.id != persona.id]
    assert list(after.personas) == others
    assert all(np.array_equal(before.direction_of(one.id), after.direction_of(one.id)) for one in others)
    curation.undo(copy, persona, entry)
    assert opened(copy).recommend(user) == before.recommend(user)


def test_a_renamed_persona_matches_as_before_under_its_new_name(copy: Workspace) -> None:
    before = opened(copy)
    persona = before.personas[0]
    curation.rename(copy, persona, "Somebody else")
    after = opened(copy)
    assert after.persona(persona.id).name == "Somebody else"
    assert np.array_equal(before.direction_of(persona.id), after.direction_of(persona.id))
    assert after.recommend(after.profile("u03")) == before.recommend(before.profile("u03"))


def test_an_item_whose_personas_are_all_hidden_still_ranks(copy: Workspace) -> None:
    before = opened(copy)
    user = before.profile("u03")
    item = before.recommend(user)[0].item_id
    for persona in before.personas_of(item):
        curation.hide(copy, persona)
    after = opened(copy)
    assert after.personas_of(item) == []
    places = [one.item_id for one in after.recommend(user, k=100)]
    assert item in places


def test_a_workspace_with_everybody_hidden_still_answers(copy: Workspace) -> None:
    for persona in opened(copy).personas:
        curation.hide(copy, persona)
    engine = opened(copy)
    assert engine.personas == ()
    assert len(engine.recommend(engine.profile("u03"))) == 10


# Phrases -----------------------------------------------------------------------------------------------------------------


class Counting:
    """An encoder that counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def topics(self, texts: list[str]) -> np.ndarray:
        self.asked.append(list(texts))
        return encode(texts)


def test_a_book_ahead_encodes_the_unknown_in_one_go_and_leaves_the_first_as_it_was() -> None:
    encoder = Counting()
    book = PhraseBook(encoder)  # type: ignore[arg-type]
    book.learn(["a"], encode(["a"]))
    ahead = book.ahead(["a", "b", "c", "b"])
    assert encoder.asked == [["b", "c"]]
    assert np.array_equal(ahead.vectors(["b", "a"]), encode(["b", "a"]))
    assert len(encoder.asked) == 1
    book.vectors(["b"])
    assert encoder.asked[1:] == [["b"]]


def test_phrases_are_kept_and_read_back(tmp_path: Path) -> None:
    texts = ["one", "two “quoted”", "drei\n"]
    for name in ("a", "b"):
        save_phrases(tmp_path / name, texts, encode(texts))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    back, vectors = read_phrases(tmp_path / "a")
    assert back == texts
    assert np.array_equal(vectors, encode(texts))


def test_an_older_workspace_without_phrases_opens(shop: Workspace) -> None:
    assert PHRASES not in shop.artefact("alignment").manifest.files
    assert Engine.open(shop).personas


def test_a_built_workspace_knows_what_built_profiles_say(built_tiny: Workspace) -> None:
    engine = Engine.open(built_tiny)
    encoder = Counting()
    engine.book._encoder = encoder  # type: ignore[assignment]
    engine.book.vectors(phrases_said())
    for user in engine.profiles.users():
        engine.taste(engine.profile(user))
    assert engine.admirers(engine.personas[0].id, 3) is not None
    assert encoder.asked == []
