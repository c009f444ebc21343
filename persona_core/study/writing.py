"""A study as its file: what the Study desk's form writes can be read, changed and kept under version control like any other."""

from __future__ import annotations

import json
from typing import Any

from persona_core.study.design import Study

TABLES = ("factors", "words", "consent")
LISTS = ("hypotheses", "tasks", "checks", "own")


def as_file(study: Study) -> str:
    """TOML that reads as this very study; what is as usual is left out."""
    values = {"format": study.format, **study.model_dump(mode="json", by_alias=True, exclude_defaults=True)}
    lines = [f"{name} = {_value(one)}" for name, one in values.items() if name not in TABLES + LISTS]
    for name in TABLES:
        if values.get(name):
            lines += ["", f"[{name}]", *_rows(values[name])]
    for name in LISTS:
        for one in values.get(name, ()):
            lines += ["", f"[[{name}]]", *_rows(one)]
    return "\n".join(lines) + "\n"


def _rows(table: dict[str, Any]) -> list[str]:
    return [f"{name} = {_value(one)}" for name, one in table.items() if one is not None]


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_value(one)}" for name, one in value.items() if one is not None) + "}"
    if isinstance(value, list):
        inner = ", ".join(_value(one) for one in value)
        return f"[{inner}]"
    if isinstance(value, str):
        return _text(value)
    return json.dumps(value)


def _text(text: str) -> str:
    """Basic strings; longer ones with line breaks over several lines. What TOML does not take as it is, is escaped."""
    escaped = json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
    if "\n" not in text or any(ord(sign) < 32 and sign not in "\n\t" for sign in text):
        return escaped
    body = escaped[1:-1].replace("\\n", "\n").replace('\\"', '"') if "\\\\" not in escaped else None
    return escaped if body is None or '"""' in body or body.endswith('"') else f'"""\n{body}"""'
