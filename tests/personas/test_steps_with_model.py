"""The persona steps with a language model, whole: it reads, writes, fails, goes away, and nothing that it did is lost."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pandas as pd
import pytest

from persona_core.catalog.choose import choose_source
from persona_core.catalog.store import Catalog
from persona_core.errors import ModelUnavailable
from persona_core.llm import choice, ollama_model
from persona_core.llm.choice import RETRY
from persona_core.llm.ollama_model import RETRIES
from persona_core.personas.aspects import ASPECTS, read_aspects
from persona_core.personas.files import PERSONAS, read_personas
from persona_core.pipeline import Pipeline, StepStatus
from persona_core.progress import Progress
from persona_core.schema import Persona
from persona_core.steps import STEPS
from persona_core.text.encoder import BaseEncoder, Matrix
from persona_core.workspace import Workspace
from tests.support.ollama_stand_in import Drops, OllamaStandIn, Request, Turn
from tests.support.worlds import build_from, write_tiny_world

MODEL = "tiny:1b"
ITEMS = [f"i{number}" for number in range(6)]
"""The tiny world's; each has few enough reviews for one batch, so a build asks twice an item."""
ALL = 2 * len(ITEMS)
OURS = ("catalog", "splits", "overview", "aspects", "personas", "index")
"""The steps up to the personas; those after them ask the model questions of their own."""
LABELS = {"doing its job", "loose handle"}
"""Extraction labels with words of the reviews; these are the model's own."""
FENCED = re.compile(r"^<<data review_(\d+) ([0-9a-f]+)>>\n(.*?)\n<<end \2>>$", re.MULTILINE | re.DOTALL)


# The model -------------------------------------------------------------------------------------------------------------


def text_of(request: Request) -> str:
    return str(request["messages"][-1]["content"])


def about(request: Request) -> str | None:
    """The item of which personas are wanted; None where reviews are to be read."""
    found = re.search(r"^Title: Thing (\d)$", text_of(request), re.MULTILINE)
    return f"i{found[1]}" if found else None


def name_for(item: str) -> str:
    """A different one for each item, and none that extraction would give."""
    return f"Grip Watcher {item[1:]}"


def draft(item: str, cites: list[int]) -> dict[str, object]:
    return {
        "cites": cites, "name": name_for(item), "description": "They look at how a handle is made.",
        "rationale": "Here the handle came off in their hands.", "stance": "disappoints", "traits": ["looks at handles"],
    }  # fmt: skip


def finding(review: str, quote: str, label: str, feeling: str = "neutral") -> dict[str, object]:
    kind = "purpose" if feeling == "neutral" else "quality"
    return {"review": int(review), "kind": kind, "quote": quote, "sentiment": feeling, "label": label}


def good(request: Request) -> str:
    """What a good model would say: two true quotes from each review, and one persona of each item that cites two passages."""
    item = about(request)
    if item:
        return json.dumps({"personas": [draft(item, [1, 2])]})
    findings = []
    for number, _, said in FENCED.findall(text_of(request)):
        findings.append(finding(number, said[: said.index(",")], "doing its job"))  # its first words are no other review's
        findings.append(finding(number, "then the handle came off in my hand", "loose handle", "negative"))
    return json.dumps({"findings": findings})


class Mind:
    """Answers well unless `other` has something else to say, and remembers what it answered well."""

    def __init__(self) -> None:
        self.other: Callable[[Request], Turn | None] = lambda request: None
        self.answered: list[str] = []

    def __call__(self, request: Request) -> Turn:
        other = self.other(request)
        if other is not None:
            return other
        said = good(request)
        self.answered.append(json.dumps(request["messages"]))
        return said


@pytest.fixture
def mind() -> Mind:
    return Mind()


@pytest.fixture
def server(mind: Mind) -> Iterator[OllamaStandIn]:
    with OllamaStandIn(mind) as stand_in:
        yield stand_in


# The workspace ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", autouse=True)
def _each_batch_encoded_once() -> Iterator[None]:
    """MiniLM takes most of a build's time, says the same each time, and is not in question here."""
    forward = BaseEncoder._forward
    known: dict[tuple[str, ...], tuple[Matrix, Matrix]] = {}

    def remembered(self: BaseEncoder, texts: list[str]) -> tuple[Matrix, Matrix]:
        if tuple(texts) not in known:
            known[tuple(texts)] = forward(self, texts)
        return known[tuple(texts)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseEncoder, "_forward", remembered)
        yield


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The tiny world, built without a model; never changed, only copied: to build it takes longer than most tests here."""
    folder = tmp_path_factory.mktemp("template")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PERSONA_OLLAMA_USE", "never")  # a fixture of a module is made before settings from outside are removed
        return build_from(write_tiny_world(folder / "tiny"), folder / "workspace")


@pytest.fixture
def place(template: Workspace, tmp_path: Path) -> Workspace:
    """The tiny world, built without a model; tests may do with it what they like."""
    shutil.copytree(template.root, tmp_path / "workspace")
    return Workspace.at(tmp_path / "workspace")


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server that fails is asked again at once."""
    monkeypatch.setattr(ollama_model, "PAUSES_S", (0.0,) * RETRIES)
    yield
    looked_long_ago()


def looked_long_ago() -> None:
    """What servers said of themselves is believed for a while; now it is not."""
    choice._looked.cache_clear()


@pytest.fixture
def _with_model(server: OllamaStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    appears(monkeypatch, server)


def appears(monkeypatch: pytest.MonkeyPatch, *servers: OllamaStandIn) -> None:
    monkeypatch.setenv("PERSONA_OLLAMA_HOST", ",".join(one.url for one in servers))
    monkeypatch.setenv("PERSONA_OLLAMA_MODEL", MODEL)
    looked_long_ago()


def goes_away(server: OllamaStandIn) -> None:
    server.stop()
    looked_long_ago()


def comes_back(server: OllamaStandIn) -> None:
    server.start()
    looked_long_ago()


def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that every answer is kept before the next is asked for, and a test knows which was under way."""
    monkeypatch.setenv("PERSONA_OLLAMA_PARALLEL", "1")
    monkeypatch.setenv("PERSONA_WORKERS", "1")


def pipeline_of(place: Workspace) -> Pipeline:
    return Pipeline([step for step in STEPS if step.name in OURS], place)


def phases(place: Workspace) -> dict[str, str]:
    """Builds, and says how each step ended."""
    heard: list[Progress] = []
    pipeline_of(place).build(listener=heard.append)
    return {one.step: one.phase for one in heard}


def status(place: Workspace) -> dict[str, StepStatus]:
    return {one.step.name: one for one in pipeline_of(place).status()}


def states(place: Workspace) -> set[str]:
    return {one.state for one in status(place).values()}


def counts(place: Workspace, step: str) -> dict[str, int | float | str]:
    return place.artefact(step).manifest.counts


def contents(place: Workspace) -> dict[str, str]:
    return {name: place.artefact(name, deep=True).manifest.content for name in ("aspects", "personas", "index")}


def aspects_of(place: Workspace) -> pd.DataFrame:
    return read_aspects(place.artefact("aspects").file(ASPECTS))


def personas_of(place: Workspace) -> list[Persona]:
    return read_personas(place.artefact("personas").file(PERSONAS))


def by_model(place: Workspace) -> set[str]:
    """The items all of whose personas are the model's."""
    personas = personas_of(place)
    return {one.item_id for one in personas} - {one.item_id for one in personas if one.name != name_for(one.item_id)}


def read_by_model(place: Workspace) -> set[str]:
    """The items all of whose aspects are the model's."""
    rows = aspects_of(place)
    return set(rows["item_id"]) - set(rows[~rows["label"].isin(LABELS)]["item_id"])


def assert_grounded(place: Workspace) -> None:
    """Everything quoted stands in its review, letter for letter, and that review is of the item."""
    reviews = {review.id: review for review in Catalog.of(place.artefact("catalog")).texts()}
    rows, personas = aspects_of(place), personas_of(place)
    assert len(rows)
    assert personas
    for row in rows.itertuples():
        assert reviews[row.review_id].text[row.start : row.end] == row.text
        assert reviews[row.review_id].item_id == row.item_id
    for persona in personas:
        for quote in persona.quotes:
            assert quote.stands_in(reviews[quote.review_id])
            assert reviews[quote.review_id].item_id == persona.item_id


# With a model ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_with_model")
def test_a_build_with_a_model_is_all_the_models_work(tiny_world: Path, tmp_path: Path, server: OllamaStandIn) -> None:
    place = Workspace.at(tmp_path / "workspace")
    choose_source(place, str(tiny_world))
    pipeline_of(place).build()
    for step in ("aspects", "personas"):
        assert (counts(place, step)["by"], counts(place, step)[RETRY]) == (MODEL, 0)
    assert counts(place, "aspects")["dropped"] == counts(place, "personas")["refused"] == 0
    assert counts(place, "personas")["items by extraction"] == 0
    assert read_by_model(place) == by_model(place) == set(ITEMS)
    assert {len(one.quotes) for one in personas_of(place)} == {2}
    assert_grounded(place)
    assert states(place) == {"done"}

    assert len(server.requests) == ALL
    assert set(phases(place).values()) == {"skipped"}
    assert len(server.requests) == ALL


@pytest.mark.usefixtures("_with_model")
def test_what_was_answered_is_not_asked_again_even_if_all_that_was_made_of_it_is_gone(place: Workspace, server: OllamaStandIn) -> None:
    pipeline_of(place).build()
    before = contents(place)
    assert len(server.requests) == ALL
    for step in ("aspects", "personas"):
        shutil.rmtree(place.step_folder(step))
    pipeline_of(place).build()
    assert contents(place) == before
    assert len(server.requests) == ALL


# It comes and goes -----------------------------------------------------------------------------------------------------


def test_a_model_that_appears_is_used_and_what_it_made_outlasts_it(
    place: Workspace, server: OllamaStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert states(place) == {"done"}
    assert counts(place, "personas")["by"] == "extraction"
    assert by_model(place) == set()

    appears(monkeypatch, server)
    assert (status(place)["aspects"].state, status(place)["aspects"].why) == ("stale", "changed since: file model, file prompt")
    assert {status(place)[step].state for step in ("personas", "index")} == {"stale"}
    assert phases(place) == {
        "catalog": "skipped", "splits": "skipped", "overview": "skipped",
        "aspects": "finished", "personas": "finished", "index": "finished",
    }  # fmt: skip
    assert by_model(place) == set(ITEMS)
    made = contents(place)

    goes_away(server)
    assert states(place) == {"done"}
    assert set(phases(place).values()) == {"skipped"}
    assert contents(place) == made
    assert counts(place, "personas")["by"] == MODEL


@pytest.mark.usefixtures("_with_model")
def test_without_its_model_a_step_is_not_made_again_unless_one_says_so(
    place: Workspace, server: OllamaStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline_of(place).build()
    made, personas = contents(place), personas_of(place)
    goes_away(server)
    choose_source(place, str(write_tiny_world(tmp_path / "more", number=60)), replace=True)

    with pytest.raises(ModelUnavailable) as caught:
        pipeline_of(place).build()
    assert "ollama serve" in str(caught.value)
    assert f"PERSONA_OLLAMA_USE=never {place.command('build')}" in caught.value.mend
    assert status(place)["aspects"].state == "stale"
    assert contents(place) == made
    assert personas_of(place) == personas

    monkeypatch.setenv("PERSONA_OLLAMA_USE", "never")
    pipeline_of(place).build()
    assert states(place) == {"done"}
    assert counts(place, "aspects")["by"] == counts(place, "personas")["by"] == "extraction"
    assert counts(place, "aspects")["reviews with text"] == 30
    assert by_model(place) == set()
    assert_grounded(place)


@pytest.mark.usefixtures("_with_model")
def test_a_server_that_dies_between_being_seen_and_being_asked_leaves_no_extraction_under_its_name(
    place: Workspace, server: OllamaStandIn
) -> None:
    def dies(progress: Progress) -> None:
        if (progress.step, progress.phase) == ("aspects", "started"):
            goes_away(server)

    made = contents(place)
    with pytest.raises(ModelUnavailable, match="ollama serve"):
        pipeline_of(place).build(listener=dies)
    assert contents(place) == made
    comes_back(server)
    pipeline_of(place).build()
    assert by_model(place) == set(ITEMS)


@pytest.mark.usefixtures("_with_model")
def test_a_server_that_dies_at_work_is_waited_for_and_asked_only_for_the_rest(
    place: Workspace, server: OllamaStandIn, mind: Mind, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_at_a_time(monkeypatch)
    came = count(1)

    def dies_at_the_fourth(request: Request) -> Turn | None:
        if next(came) == 4:
            server.stop()
            return Drops()
        return None

    made = contents(place)
    mind.other = dies_at_the_fourth
    with pytest.raises(ModelUnavailable, match="run the same command again"):
        pipeline_of(place).build()
    assert contents(place) == made
    assert len(mind.answered) == 3

    comes_back(server)
    pipeline_of(place).build()
    assert len(mind.answered) == len(set(mind.answered)) == ALL
    assert by_model(place) == set(ITEMS)
    assert states(place) == {"done"}


def test_where_one_of_two_servers_dies_the_other_does_its_work(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    mortal, steady = Mind(), Mind()
    with OllamaStandIn(mortal) as first, OllamaStandIn(steady) as second:
        came = count(1)

        def dies_at_the_third(request: Request) -> Turn | None:
            number = next(came)
            if number == 3:
                first.stop()
            return None if number < 3 else Drops()

        mortal.other = dies_at_the_third
        appears(monkeypatch, first, second)
        pipeline_of(place).build()
        assert len(first.requests) >= 3
        assert 1 <= len(mortal.answered) <= 2
        assert set(mortal.answered) | set(steady.answered) == {json.dumps(one["messages"]) for one in first.requests + second.requests}
        assert len({*mortal.answered, *steady.answered}) == ALL
    assert counts(place, "aspects")[RETRY] == counts(place, "personas")[RETRY] == 0
    assert by_model(place) == read_by_model(place) == set(ITEMS)
    assert states(place) == {"done"}


# The build is killed ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_with_model")
@pytest.mark.parametrize(("at", "step"), [(4, "aspects"), (len(ITEMS) + 4, "personas")])
def test_after_kill_9_no_prompt_is_answered_twice(
    at: int, step: str, place: Workspace, mind: Mind, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_at_a_time(monkeypatch)
    came = count(1)
    children: list[subprocess.Popen[bytes]] = []

    def kills(request: Request) -> Turn | None:
        if next(came) == at:
            os.kill(children[0].pid, signal.SIGKILL)
            return Drops()
        return None

    mind.other = kills
    # a killer with no point to kill at: it builds, and is killed from here
    children.append(subprocess.Popen([sys.executable, "-m", "tests.support.killer", str(place.root), "no step", "no point"]))
    try:
        assert children[0].wait(timeout=120) == -signal.SIGKILL
    finally:
        children[0].kill()
    assert status(place)[step].state == "stale"
    assert len(mind.answered) == at - 1

    pipeline_of(place).build()
    assert len(mind.answered) == len(set(mind.answered)) == ALL
    assert by_model(place) == read_by_model(place) == set(ITEMS)
    assert_grounded(place)
    assert states(place) == {"done"}


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
