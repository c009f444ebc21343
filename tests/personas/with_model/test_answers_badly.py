"""What a model gets wrong is dropped and counted, falls back to extraction, and is asked again."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from persona_core.catalog.store import Catalog
from persona_core.llm.choice import RETRY
from persona_core.llm.ollama_model import RETRIES
from persona_core.pipeline import in_words
from persona_core.workspace import Workspace
from tests.personas.with_model.mind import (
    ALL,
    FENCED,
    ITEMS,
    LABELS,
    Mind,
    about,
    aspects_of,
    assert_grounded,
    by_model,
    counts,
    draft,
    finding,
    good,
    name_for,
    personas_of,
    phases,
    pipeline_of,
    read_by_model,
    states,
    status,
    text_of,
)
from tests.support.models import comes_back, goes_away
from tests.support.ollama_stand_in import OllamaStandIn, Request, Turn

# Bad answers -----------------------------------------------------------------------------------------------------------


def rubbish_about(item: str) -> Callable[[Request], Turn | None]:
    """No JSON, however often one asks for the personas of this item."""
    return lambda request: "As a small model I would rather not." if about(request) == item else None


def rubbish_on_reading(review: str) -> Callable[[Request], Turn | None]:
    """No JSON, however often one asks what the reviews in this review's batch say."""
    return lambda request: "{}" if about(request) is None and review in text_of(request) else None


@pytest.mark.usefixtures("_with_model")
def test_an_item_whose_personas_fail_falls_back_and_is_asked_for_again(place: Workspace, server: OllamaStandIn, mind: Mind) -> None:
    mind.other = rubbish_about("i3")
    pipeline_of(place).build()
    assert len(server.requests) == ALL + RETRIES
    assert (counts(place, "personas")[RETRY], counts(place, "personas")["items by extraction"]) == (1, 1)
    assert counts(place, "aspects")[RETRY] == 0
    assert by_model(place) == set(ITEMS) - {"i3"}
    assert any(one.item_id == "i3" for one in personas_of(place))
    assert_grounded(place)
    found = status(place)
    assert (found["aspects"].state, found["personas"].state) == ("done", "stale")
    assert "the next build asks again" in found["personas"].why
    assert "To mend it: choose another model with PERSONA_OLLAMA_MODEL" in found["personas"].why
    assert "PERSONA" not in in_words(counts(place, "personas"))

    goes_away(server)  # nobody to ask: that is as good as it gets
    assert states(place) == {"done"}
    comes_back(server)
    assert status(place)["personas"].state == "stale"

    del server.requests[:]
    mind.other = lambda request: None
    assert (phases(place)["aspects"], phases(place)["personas"]) == ("skipped", "skipped")
    assert [about(request) for request in server.requests] == ["i3"]
    assert (counts(place, "personas")[RETRY], counts(place, "personas")["items by extraction"]) == (0, 0)
    assert by_model(place) == set(ITEMS)
    assert states(place) == {"done"}


@pytest.mark.usefixtures("_with_model")
def test_reviews_that_the_model_fails_to_read_fall_back_and_are_asked_about_again(
    place: Workspace, server: OllamaStandIn, mind: Mind
) -> None:
    first = next(iter(Catalog.of(place.artefact("catalog")).texts()))
    mind.other = rubbish_on_reading(first.text)
    pipeline_of(place).build()
    assert counts(place, "aspects")[RETRY] == 1
    assert read_by_model(place) == set(ITEMS) - {first.item_id}
    assert first.item_id in set(aspects_of(place)["item_id"])
    assert_grounded(place)
    found = status(place)
    assert (found["aspects"].state, found["personas"].state) == ("stale", "stale")
    assert "the next build asks again" in found["aspects"].why

    del server.requests[:]
    mind.other = lambda request: None
    pipeline_of(place).build()
    # its aspects, and since they are others now, its personas
    assert [about(request) for request in server.requests] == [None, first.item_id]
    assert first.text in text_of(server.requests[0])
    assert counts(place, "aspects")[RETRY] == 0
    assert read_by_model(place) == by_model(place) == set(ITEMS)
    assert states(place) == {"done"}


@pytest.mark.usefixtures("_with_model")
def test_what_failed_is_asked_again_also_after_a_build_without_the_model(
    place: Workspace, mind: Mind, monkeypatch: pytest.MonkeyPatch
) -> None:
    mind.other = rubbish_about("i3")
    pipeline_of(place).build()
    assert counts(place, "personas")[RETRY] == 1
    with monkeypatch.context() as patch:
        patch.setenv("PERSONA_OLLAMA_USE", "never")
        pipeline_of(place).build()
        assert (counts(place, "personas")["by"], states(place)) == ("extraction", {"done"})
    mind.other = lambda request: None
    pipeline_of(place).build()
    assert by_model(place) == set(ITEMS)
    assert states(place) == {"done"}


@pytest.mark.usefixtures("_with_model")
def test_a_model_that_goes_on_failing_does_not_keep_the_build_from_ending(place: Workspace, server: OllamaStandIn) -> None:
    server.answer = lambda request: "As a small model I would rather not."
    for _ in range(2):
        del server.requests[:]
        pipeline_of(place).build()
        assert len(server.requests) == ALL * (RETRIES + 1)
        assert counts(place, "aspects")[RETRY] == counts(place, "personas")[RETRY] == len(ITEMS)
        assert by_model(place) == set()
        assert {one.item_id for one in personas_of(place)} == set(ITEMS)
        assert_grounded(place)


# Lies ------------------------------------------------------------------------------------------------------------------


INVENTED = "It cured my cat of the flu within a week"


def lies(request: Request) -> Turn:
    """One invented quote for each review beside a true one, and personas that stand on nothing, however often one asks."""
    item = about(request)
    if item:
        return json.dumps({"personas": [draft(item, []), draft(item, [99, -1, 0])]})
    findings = json.loads(good(request))["findings"]
    for number, _, _ in FENCED.findall(text_of(request)):
        findings.append(finding(number, INVENTED, "cured cat", "positive"))
    return json.dumps({"findings": findings})


@pytest.mark.usefixtures("_with_model")
def test_what_the_model_invents_is_dropped_and_counted_and_the_items_left_to_extraction(place: Workspace, mind: Mind) -> None:
    mind.other = lies
    pipeline_of(place).build()
    reviews = len(Catalog.of(place.artefact("catalog")).texts())
    assert counts(place, "aspects")["dropped"] == reviews
    assert counts(place, "aspects")["aspects"] == 2 * reviews
    assert set(aspects_of(place)["label"]) == LABELS
    assert counts(place, "personas")["refused"] == 2 * len(ITEMS)
    assert counts(place, "personas")["items by extraction"] == len(ITEMS)
    personas = personas_of(place)
    assert {one.item_id for one in personas} == set(ITEMS)
    assert not {one.name for one in personas} & {name_for(item) for item in ITEMS}
    assert_grounded(place)
    for step in ("aspects", "personas"):
        for file in place.artefact(step).folder.iterdir():
            assert b"cured" not in file.read_bytes(), f"{step}/{file.name}"
    assert states(place) == {"done"}  # it answered in form: to ask the same again would be answered the same


@pytest.mark.usefixtures("_with_model")
def test_one_that_cites_nothing_is_asked_for_once_more_and_may_be_mended(place: Workspace, server: OllamaStandIn, mind: Mind) -> None:
    def careless(request: Request) -> Turn | None:
        item = about(request)
        return json.dumps({"personas": [draft(item, [])]}) if item and "cannot be used" not in text_of(request) else None

    mind.other = careless
    pipeline_of(place).build()
    assert len(server.requests) == ALL + len(ITEMS)
    assert (counts(place, "personas")["refused"], counts(place, "personas")["items by extraction"]) == (0, 0)
    assert by_model(place) == set(ITEMS)
    assert_grounded(place)
