"""What stands behind the server: a model that answers well unless it is told otherwise; and what a build with it made."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pandas as pd
import pytest

from persona_core.catalog.store import Catalog
from persona_core.personas.aspects import ASPECTS, read_aspects
from persona_core.personas.files import PERSONAS, read_personas
from persona_core.pipeline import Pipeline, StepStatus
from persona_core.progress import Progress
from persona_core.schema import Persona
from persona_core.steps import STEPS
from persona_core.workspace import Workspace
from tests.support.ollama_stand_in import Request, Turn

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


# The workspace ---------------------------------------------------------------------------------------------------------


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
