"""Finds the sentences of a review as spans, so that every one of them can be quoted letter for letter."""

from __future__ import annotations

import re

LONGEST = 400
END = re.compile(r"(?P<stop>[.!?]+|…+)(?P<close>[\"'”’)\]]*)(?=\s|$)|(?P<line>\n+)")
ABBREVIATION = re.compile(r"(?:\b(?:mr|mrs|ms|dr|st|vs|e\.g|i\.e|no|approx|etc|prof|jr|sr)|\b[A-Za-z])$", re.IGNORECASE)
WORD = re.compile(r"\w")

Span = tuple[int, int]


def sentence_spans(text: str) -> list[Span]:
    """Where the sentences stand, in order, without the space around them. Whatever has no letter or digit is none."""
    found: list[Span] = []
    start = 0
    for match in END.finditer(text):
        if match["line"] is None and not _ends_here(text, match):
            continue
        found += _trimmed(text, start, match.start() if match["line"] else match.end())
        start = match.end()
    return found + _trimmed(text, start, len(text))


def _ends_here(text: str, match: re.Match[str]) -> bool:
    """A full stop after an abbreviation ends nothing, nor do dots before a small letter."""
    if match["stop"] == "." and not match["close"]:
        before = text[max(0, match.start() - 8) : match.start()]
        abbreviated = ABBREVIATION.search(before)
        if abbreviated and not (len(abbreviated[0]) == 1 and abbreviated[0] in "IAai") and match.end() < len(text):
            return False
    if set(match["stop"]) <= {".", "…"} and len(match["stop"].replace("…", "...")) > 1:
        after = text[match.end() :].lstrip()[:1]
        return not after.islower()
    return True


def _trimmed(text: str, start: int, end: int) -> list[Span]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if not WORD.search(text, start, end):
        return []
    return _shortened(text, start, end)


def _shortened(text: str, start: int, end: int) -> list[Span]:
    """Breaks what goes on without a stop at a comma or a space, as a reader would draw breath."""
    if end - start <= LONGEST:
        return [(start, end)]
    window = text[start : start + LONGEST]
    at = max(window.rfind(", "), window.rfind("; ")) + 1
    if at <= LONGEST // 3:
        at = window.rfind(" ")
    cut = start + (at if at > LONGEST // 3 else LONGEST)
    return _trimmed(text, start, cut) + _trimmed(text, cut, end)
