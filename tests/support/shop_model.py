"""A stand-in's words for whatever a build asks of a small world: always the same to the same prompt, and grounded in it."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.support.ollama_stand_in import Request

FENCED = re.compile(r"<<data (\S+) ([0-9a-f]{6,})>>\n(.*?)\n<<end \2>>", re.DOTALL)


def words(request: Request) -> str:
    """An answer in the form that was asked for."""
    text = str(request["messages"][-1]["content"])
    parts = {label: inside for label, _, inside in FENCED.findall(text)}
    fields = set(request["format"]["properties"])
    answers: dict[frozenset[str], Any] = {
        frozenset({"findings"}): lambda: {"findings": [_finding(n, inside) for n, inside in enumerate(parts.values(), start=1)]},
        frozenset({"personas"}): lambda: {"personas": [_persona("Patient Cook"), _persona("Hasty Walker")]},
        frozenset({"likes", "dislikes", "text"}): lambda: {
            "likes": [{"cites": [1], "phrase": "wants a grip that holds", "strength": 3}],
            "dislikes": [{"cites": [1], "phrase": "handles that come off", "fault": True}],
            "text": "They want a firm grip.",
        },
        frozenset({"within", "across", "only"}): lambda: {"within": [], "across": [], "only": []},
        frozenset({"shops", "common", "differ"}): lambda: {"shops": [], "common": [], "differ": []},
        frozenset({"persona", "sure"}): lambda: {"persona": 1, "sure": "high"},
    }
    return json.dumps(answers[frozenset(fields)]())


def _finding(number: int, review: str) -> dict[str, Any]:
    quote = review.split(". ")[1][:60] if ". " in review else review[:60]
    return {"review": number, "kind": "quality", "quote": quote, "sentiment": "negative", "label": "the handle"}


def _persona(name: str) -> dict[str, Any]:
    return {
        "cites": [1], "name": name, "description": "Wants a thing that does what it says.",
        "rationale": "The handle is what reviewers speak of.", "stance": "disappoints", "traits": ["grip"],
    }  # fmt: skip
