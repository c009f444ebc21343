"""A small study with one of everything."""

from __future__ import annotations

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
