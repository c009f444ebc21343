"""Reads a model's raw text as the form that was asked for, or says in words why that cannot be."""

from __future__ import annotations

import re

from pydantic import ValidationError

from persona_core.llm.protocol import FormT

LONGEST_ANSWER = 2**20
"""Characters. An answer of a thousand tokens has some five thousand; a server that sends a megabyte does not answer."""
_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_FENCE = "```"
_KIND = re.compile(r"[a-zA-Z]*")


class Unreadable(Exception):
    """The text is not what was asked for; the message says in what way."""


class CutOff(Unreadable):
    """The answer was longer than it may be."""


class CutPrompt(Unreadable):
    """What was asked was longer than the model reads."""


def value_in(text: str, form: type[FormT]) -> FormT:
    """The value; some models think aloud first or wrap their JSON for Markdown, which takes nothing from it."""
    if len(text) > LONGEST_ANSWER:
        raise Unreadable(f"the answer has more than {LONGEST_ANSWER:,} characters")
    inner = _unwrapped(_THOUGHT.sub("", text).strip())
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


def _unwrapped(bare: str) -> str:
    """Without the fence of a block of code. Cut and not matched: blanks without end would keep a pattern busy for hours."""
    if not (bare.startswith(_FENCE) and bare.endswith(_FENCE) and len(bare) >= 2 * len(_FENCE)):
        return bare
    body = bare[len(_FENCE) : -len(_FENCE)]
    return _KIND.sub("", body, count=1).strip()


def shown(text: str, most: int = 160) -> str:
    """The beginning of a raw answer on one line, for an error that a person reads."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[:most]}…"
