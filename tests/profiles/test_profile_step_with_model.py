"""The profiles' step with a language model, whole: it asks about all who wrote, fails, goes away, and nothing is asked twice."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator

import pytest

from persona_core.catalog.store import Catalog
from persona_core.errors import ModelUnavailable
from persona_core.llm.choice import RETRY
from persona_core.pipeline import Pipeline, StepStatus
from persona_core.profiles.files import PROFILES, ProfileBook
from persona_core.profiles.steps import PROFILE_STEP
from persona_core.schema import Profile
from persona_core.steps import STEPS
from persona_core.workspace import Workspace
from tests.support.models import MODEL, appears, built_template, copied_template, goes_away, no_pauses  # noqa: F401 - fixtures work by being here
from tests.support.ollama_stand_in import OllamaStandIn, Request
from tests.support.steps import held_still
from tests.support.worlds import tiny_reviews

WRITERS = {"u0", "u2", "u4", "u6"}
"""Of the tiny world's eight people, those who wrote texts."""
LIKE, DISLIKE = "wants a grip that holds", "handles that come off"
HEAD = re.compile(r"^\d+\. (\[“Thing \d”, \d of 5 stars)", re.MULTILINE)
LINE = re.compile(r"^(\d+)\. \[“Thing \d”, \d of 5 stars, (.*?)\] (.*)$", re.MULTILINE)


def text_of(request: Request) -> str:
    return str(request["messages"][-1]["content"])


def is_about(request: Request, user: str) -> bool:
    """Everybody in the tiny world says the same; what they say it of, and with how many stars, tells who it is."""
    wrote = [one for one in reversed(tiny_reviews()) if one["user_id"] == user and one["text"]]
    heads = [f"[“Thing {one['item_id'][1:]}”, {one['rating']} of 5 stars" for one in wrote]
    return heads == list(dict.fromkeys(HEAD.findall(text_of(request))))


def good(request: Request) -> str:
    lines = LINE.findall(text_of(request))
    first, last = int(lines[0][0]), int(lines[-1][0])
    return json.dumps(
        {
            "likes": [{"cites": [first, last], "phrase": LIKE, "strength": 3}],
            "dislikes": [{"cites": [first], "phrase": DISLIKE, "fault": True}],
            "text": "They want a firm grip.",
        }
    )


@pytest.fixture
def server() -> Iterator[OllamaStandIn]:
    with OllamaStandIn(good) as stand_in:
        yield stand_in


@pytest.fixture
def _with_model(server: OllamaStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    appears(monkeypatch, server)


def pipeline(place: Workspace) -> Pipeline:
    """All steps up to the profiles; those before them are built, and here hold still, whether or not there is a model."""
    still = {"aspects", "personas"}
    steps = [step for step in STEPS if step.name in {"catalog", "splits", "overview", "profiles"} | still]
    return Pipeline([held_still(step) if step.name in still else step for step in steps], place)


def built(place: Workspace) -> dict[str, Profile]:
    pipeline(place).build()
    return profiles_of(place)


def profiles_of(place: Workspace) -> dict[str, Profile]:
    book = ProfileBook(place.artefact("profiles").file(PROFILES))
    return {user: one for user in book.users() if (one := book.of(user)) is not None}


def by_model(place: Workspace) -> set[str]:
    return {user for user, one in profiles_of(place).items() if LIKE in [like.text for like in one.likes]}


def counts(place: Workspace) -> dict[str, int | float | str]:
    return place.artefact("profiles").manifest.counts


def status(place: Workspace) -> StepStatus:
    return {one.step.name: one for one in pipeline(place).status()}["profiles"]


# ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_with_model")
def test_everybody_who_wrote_is_asked_about_once_and_the_others_are_left_to_extraction(
    place: Workspace, server: OllamaStandIn
) -> None:
    before = profiles_of(place)
    after = built(place)
    assert len(server.requests) == len(WRITERS)
    assert by_model(place) == WRITERS
    assert {user: one for user, one in after.items() if user not in WRITERS} == {
        user: one for user, one in before.items() if user not in WRITERS
    }
    assert {user: one.history for user, one in after.items()} == {user: one.history for user, one in before.items()}
    found = counts(place)
    assert (found["by"], found["people asked"], found[RETRY], found["refused"], found["people by extraction"]) == (MODEL, 4, 0, 0, 4)
    assert status(place).state == "done"


@pytest.mark.usefixtures("_with_model")
def test_every_phrase_stands_on_reviews_of_its_own_person(place: Workspace) -> None:
    built(place)
    texts = {review.id: review for review in Catalog.of(place.artefact("catalog")).texts()}
    for user in WRITERS:
        one = profiles_of(place)[user]
        assert one.text == f"They want a firm grip. They would rather not have {DISLIKE}."
        for phrase in (*one.likes, *one.dislikes):
            assert phrase.review_ids
            assert {texts[review].user_id for review in phrase.review_ids} == {user}
        assert len(one.likes[0].review_ids) == 2
        newest = max((review for review in texts.values() if review.user_id == user), key=lambda review: review.time)
        assert one.dislikes[0].review_ids == (newest.id,)


@pytest.mark.usefixtures("_with_model")
def test_nothing_is_asked_twice_even_if_all_that_was_made_of_it_is_gone(place: Workspace, server: OllamaStandIn) -> None:
    first = built(place)
    content = place.artefact("profiles").manifest.content
    built(place)
    shutil.rmtree(place.step_folder("profiles"))
    assert built(place) == first
    assert place.artefact("profiles").manifest.content == content
    assert len(server.requests) == len(WRITERS)


@pytest.mark.usefixtures("_with_model")
@pytest.mark.parametrize("rubbish", ["As a small model I would rather not.", '{"likes": [], "dislikes": [], "text": ""}'])
def test_who_the_model_fails_at_or_says_nothing_of_gets_extraction_and_is_asked_about_again(
    rubbish: str, place: Workspace, server: OllamaStandIn
) -> None:
    before = profiles_of(place)
    server.answer = lambda request: rubbish if is_about(request, "u2") else good(request)
    after = built(place)
    assert by_model(place) == WRITERS - {"u2"}
    assert after["u2"] == before["u2"]
    assert (counts(place)[RETRY], counts(place)["people by extraction"]) == (1, 5)
    assert status(place).state == "stale"
    assert "asks again" in status(place).why

    del server.requests[:]
    server.answer = good
    built(place)
    assert [is_about(request, "u2") for request in server.requests] == [True]
    assert by_model(place) == WRITERS
    assert (counts(place)[RETRY], status(place).state) == (0, "done")


@pytest.mark.usefixtures("_with_model")
def test_what_cites_nothing_is_counted_and_not_asked_for_again(place: Workspace, server: OllamaStandIn) -> None:
    lie = {"cites": [99], "phrase": "wants it gilded", "strength": 3}
    server.answer = lambda request: json.dumps({"likes": [lie], "dislikes": [], "text": "They want it gilded."})
    before = profiles_of(place)
    assert built(place) == before
    assert (counts(place)["refused"], counts(place)[RETRY], counts(place)["people by extraction"]) == (4, 0, 8)
    assert b"gilded" not in place.artefact("profiles").file(PROFILES).read_bytes()
    assert status(place).state == "done"  # it answered in form: to ask the same again would be answered the same


def test_a_model_that_appears_is_used_and_what_it_made_outlasts_it(
    place: Workspace, server: OllamaStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (status(place).state, counts(place)["by"]) == ("done", "extraction")
    appears(monkeypatch, server)
    assert (status(place).state, status(place).why) == ("stale", "changed since: file model, file prompt")
    made = built(place)
    goes_away(server)
    assert status(place).state == "done"
    assert built(place) == made

    monkeypatch.setenv("PERSONA_RANKING_HALF_LIFE_DAYS", "100")
    with pytest.raises(ModelUnavailable, match="PERSONA_OLLAMA_USE=never"):
        built(place)
    assert profiles_of(place) == made
    monkeypatch.setenv("PERSONA_OLLAMA_USE", "never")
    built(place)
    assert (counts(place)["by"], by_model(place)) == ("extraction", set())


def test_without_a_model_nobody_is_asked(place: Workspace, server: OllamaStandIn) -> None:
    built(place)
    assert (server.asked, by_model(place), counts(place)["by"]) == ([], set(), "extraction")
    assert RETRY not in counts(place)


def test_the_step_names_the_code_that_its_answers_depend_on() -> None:
    assert {"persona_core.llm", "persona_core.profiles", "persona_core.personas.asking"} <= set(PROFILE_STEP.code)
    assert PROFILE_STEP in STEPS
