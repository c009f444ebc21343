"""Markup that cannot carry a stranger's markup: whatever is not made here is escaped, so text stays text.

    show(el("p", "On ", el("b", item.title), cls="ps-meta"))

Nothing but `el` makes `Markup`, and `el` escapes every plain string, in content and in attributes alike.
"""

from __future__ import annotations

import html
import re
from typing import Final, Literal

import streamlit as st

TAGS: Final = frozenset(
    "article aside b blockquote br dd del div dl dt em figcaption figure footer h3 h4 h5 header ins li mark ol p section small span"
    " strong sup table tbody td th thead tr ul".split()
)
"""Nothing that loads, links, runs or asks for input."""
ATTRIBUTES: Final = frozenset("aria-hidden aria-label colspan id lang role scope title".split())
_STYLE: Final = re.compile(r"(?:(?:width|left|flex-grow): ?-?[0-9]+(?:\.[0-9]+)?(?:%|px|rem)?(?:; ?|$))*")
_UNSHOWN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, and those that turn the direction of what follows: they would change how our own words read."""


class Markup:
    """A finished piece of markup; only `el` and `joined` make one."""

    __slots__ = ("_text",)

    def __init__(self, text: str, _made_here: object = None) -> None:
        if _made_here is not _KEY:
            raise TypeError("Markup is made by el() and joined(), which escape what they are given")
        self._text = text

    def __str__(self) -> str:
        return self._text


_KEY: Final = object()
Child = Markup | str | int | float | None


def el(tag: str, *children: Child, cls: str = "", style: str = "", **attributes: str | int | None) -> Markup:
    """One element. Strings among the children are text; `None` is nothing; an attribute's `_` is a `-`."""
    if tag not in TAGS:
        raise ValueError(f"<{tag}> is not among the tags that are allowed")
    if style and not _STYLE.fullmatch(style):
        raise ValueError(f"this style is not a list of sizes: {style}")
    given = {"class": cls or None, "style": style or None}
    given |= {name.rstrip("_").replace("_", "-"): None if value is None else str(value) for name, value in attributes.items()}
    strange = given.keys() - ATTRIBUTES - {"class", "style"}
    if strange:
        raise ValueError(f"{sorted(strange)} are not among the attributes that are allowed")
    said = "".join(f' {name}="{escaped(value)}"' for name, value in given.items() if value is not None)
    if tag == "br":
        return Markup("<br>", _KEY)
    return Markup(f"<{tag}{said}>{joined(*children)}</{tag}>", _KEY)


def joined(*children: Child) -> Markup:
    """Several pieces, one after the other."""
    return Markup("".join(str(one) if isinstance(one, Markup) else escaped(str(one)) for one in children if one is not None), _KEY)


def escaped(text: str) -> str:
    """The text as HTML shows it letter for letter; what no reader could see is shown as a box."""
    return html.escape(_UNSHOWN.sub("\N{REPLACEMENT CHARACTER}", text), quote=True)


def show(*pieces: Child, width: Literal["stretch", "content"] = "stretch") -> None:
    """Nothing where there is nothing to show: the library refuses to."""
    body = str(joined(*pieces))
    if body:
        st.html(body, width=width)
