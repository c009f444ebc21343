"""A small study with one of everything."""

from __future__ import annotations

import json
from typing import Any

from persona_core.study.design import Study

DRAFT: dict[str, Any] = {
    "id": "reasons", "title": "Reasons", "seed": 3,
    "factors": {"explanation": ["none", "persona"], "trend": ["hidden", "shown"]},
    "consent": {"version": "1", "text": "We keep what you answer."},
    "tasks": [{"id": "choose", "text": "Choose one.", "items": 3, "rate": True, "after": ["control"]}],
    "checks": [{"id": "reads", "text": "Take the second.", "options": ["a", "b"], "right": 2, "after": "choose"}],
    "finally": ["demographics"],
    "debrief": "Thank you.",
}  # fmt: skip


def study(**changes: Any) -> Study:
    return Study.model_validate(DRAFT | changes)


def as_toml(made: Study) -> str:
    """The study as its file, every table inline."""
    values = made.model_dump(mode="json", by_alias=True)
    return "\n".join(f"{name} = {_inline(one)}" for name, one in values.items() if one is not None) + "\n"


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_inline(one)}" for name, one in value.items() if one is not None) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return json.dumps(value)
