"""Bytes, rows and values that nobody in their right mind would send, made from good ones; as strategies of Hypothesis."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

ODD_BYTES = tuple(
    one if isinstance(one, bytes) else one.encode()
    for one in (
        b"", b"\x00", b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"\r", b"\r\n", b"\n\n", b'"', b"'", b",", b"\t", b"\\", b"\x1a",
        b"[" * 2_000, b'{"a":' * 1_100, b"[[[" * 330 + b"]]]" * 330, b"9" * 400, b"1" + b"0" * 5_000, b"1e999", b"-1", b"NaN",
        b"null", b"true", b"{}", b"[]", b"0001-01-01", b"9999-12-31T23:59:59+23:59", b"1969-12-31", b"253402300800",
        b"../../../../tmp/escaped", b"/etc/passwd", b"PK\x05\x06" + b"\x00" * 18, b"\x1f\x8b\x08", b"PAR1",
        "\u202e\u2066\ufeff", "\u0661\u0662", "\U0001f92f", "<script>alert(1)</script>", "{{x}}", "%s%n",
    )
)  # fmt: skip

ODD_TEXTS = st.text(max_size=40) | st.sampled_from(
    ["", " ", "\x00", "../../escaped", "/etc/passwd", "a" * 70_000, "9" * 5_000, "nan", "inf", "1e999", "\u202eabc", "\ufeff", "null",
     "0001-01-01", "9999-12-31T23:59:59+23:59", "2025-01-01T00:00:00Z", "<script>alert(1)</script>", "=1+1", "[]", "{}"]
)  # fmt: skip
ODD_NUMBERS = st.integers(-(2**80), 2**80) | st.floats() | st.sampled_from([0, -1, 2**31, 2**63, 2**64, 10**300, 1e308, -1e308])


DEEP = ("@240@", "@300@", "@990@")
"""Stand for so many lists within each other, which can be written down by `as_json` alone."""


def as_json(value: Any) -> bytes:
    """The value as JSON, with what is deep in its place, and numbers and letters that the standard would not have."""
    text = json.dumps(value)
    for sign in DEEP:
        number = int(sign[1:-1])
        text = text.replace(f'"{sign}"', "[" * number + "]" * number)
    return text.encode("utf-8", "replace")


VALUES = st.recursive(
    st.none() | st.booleans() | ODD_NUMBERS | ODD_TEXTS,
    lambda some: st.lists(some, max_size=4) | st.dictionaries(ODD_TEXTS, some, max_size=4),
    max_leaves=6,
) | st.sampled_from(DEEP)


@st.composite
def mutated(draw: st.DrawFn, content: bytes, most: int = 6) -> bytes:
    """The bytes with a few wounds."""
    wounded = bytearray(content)
    for _ in range(draw(st.integers(0, most))):
        at = draw(st.integers(0, len(wounded)))
        how = draw(st.sampled_from(["insert", "insert", "replace", "cut", "twice", "end", "flip"]))
        if how == "end":
            del wounded[at:]
        elif how == "cut":
            del wounded[at : at + draw(st.integers(1, 60))]
        elif how == "twice":
            wounded[at:at] = wounded[at : at + 300]
        elif how == "flip" and at < len(wounded):
            wounded[at] ^= draw(st.integers(1, 255))
        else:
            piece = draw(st.sampled_from(ODD_BYTES) | st.binary(max_size=12))
            wounded[at : at + (len(piece) if how == "replace" else 0)] = piece
    return bytes(wounded)


@st.composite
def odd_table(draw: st.DrawFn, values: dict[str, Any]) -> dict[str, Any]:
    """The table with some values odd, missing or new."""
    changed = dict(values)
    for name in draw(st.lists(st.sampled_from([*values, "strange"]), max_size=3)):
        if draw(st.integers(0, 5)):
            changed[name] = draw(VALUES)
        else:
            changed.pop(name, None)
    return changed


@st.composite
def odd_lines(draw: st.DrawFn, content: bytes) -> bytes:
    """JSON lines with a few odd rows among them."""
    rows = [json.loads(line) for line in content.splitlines()[:6]]
    return b"\n".join(as_json(draw(odd_table(row) | VALUES) if draw(st.booleans()) else row) for row in rows)


def fitting(schema: dict[str, Any], defs: dict[str, Any] | None = None) -> st.SearchStrategy[Any]:
    """Values of about the form that a JSON schema asks for: a model's answers."""
    defs = defs if defs is not None else schema.get("$defs", {})
    if "$ref" in schema:
        return fitting(defs[schema["$ref"].rpartition("/")[2]], defs)
    if "enum" in schema:
        return st.sampled_from(schema["enum"]) | VALUES
    if "anyOf" in schema:
        return st.one_of([fitting(one, defs) for one in schema["anyOf"]])
    kind = schema.get("type")
    if kind == "object":
        fields = {name: fitting(one, defs) for name, one in schema.get("properties", {}).items()}
        return st.fixed_dictionaries(fields) | st.fixed_dictionaries({}, optional=fields)
    if kind == "array":
        return st.lists(fitting(schema["items"], defs), max_size=5)
    return {
        "string": ODD_TEXTS | st.text("abc “”\"'.,-<>*", max_size=60), "integer": st.integers(-3, 9) | ODD_NUMBERS,
        "number": ODD_NUMBERS, "boolean": st.booleans(),
    }.get(str(kind), VALUES)  # fmt: skip
