"""Reads a model's raw text as the form that was asked for, or says in words why that cannot be."""

from __future__ import annotations

import re

from pydantic import ValidationError

from persona_core.llm.protocol import FormT

_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_FENCED = re.compile(r"\A```[a-zA-Z]*\s*(.*?)\s*```\Z", re.DOTALL)


class Unreadable(Exception):
    """The text is not what was asked for; the message says in what way."""


class CutOff(Unreadable):
    """The answer was longer than it may be."""


class CutPrompt(Unreadable):
    """What was asked was longer than the model reads."""


def value_in(text: str, form: type[FormT]) -> FormT:
    """The value; some models think aloud first or wrap their JSON for Markdown, which takes nothing from it."""
    bare = _THOUGHT.sub("", text).strip()
    wrapped = _FENCED.match(bare)
    inner = wrapped[1] if wrapped else bare
    if not inner:
        raise Unreadable("the answer was empty")
    try:
        return form.model_validate_json(inner)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise Unreadable(f"the answer is not JSON: {first['msg']}") from error
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise Unreadable(f"the answer has another form: {where}: {first['msg']}") from error


def shown(text: str, most: int = 160) -> str:
    """The beginning of a raw answer on one line, for an error that a person reads."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[:most]}…"
