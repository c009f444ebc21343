"""Finds again, in a review, what somebody says stands there: exactly, then forgiving of case, spaces and signs, then nearly."""

from __future__ import annotations

import re
import unicodedata

from persona_core.schema import Quote, Review

NEARLY = 90.0
"""How alike, of 100, the nearest passage must be; measured in edits."""
SHORTEST_FUZZY = 12
ALIKE = str.maketrans({"‘": "'", "’": "'", "`": "'", "“": '"', "”": '"', "–": "-", "—": "-"})
WRAPPING = " \t\n\"'“”‘’.…,;:-–—"


def find_quote(review: Review, wanted: str) -> Quote | None:
    """The passage of the review that `wanted` must mean, or nothing: what cannot be found was never said."""
    span = find_span(review.text, wanted)
    return Quote.cut(review, *span) if span else None


def find_span(text: str, wanted: str) -> tuple[int, int] | None:
    bare = wanted.strip().strip(WRAPPING).strip()
    if not re.search(r"\w", bare):
        return None
    at = _whole_place(text, bare)
    if at >= 0:
        return at, at + len(bare)
    return _normalised(text, bare) or _nearly(text, bare)


def _whole_place(text: str, wanted: str) -> int:
    """Where `wanted` stands, not as a part of a longer word."""
    before, after = (r"(?<!\w)" if wanted[0].isalnum() else ""), (r"(?!\w)" if wanted[-1].isalnum() else "")
    found = re.search(f"{before}{re.escape(wanted)}{after}", text)
    return found.start() if found else -1


def _normalised(text: str, wanted: str) -> tuple[int, int] | None:
    plain, places = _plain(text)
    needle, _ = _plain(wanted)
    at = _whole_place(plain, needle) if needle else -1
    if at < 0:
        return None
    end = places[at + len(needle) - 1] + 1
    while end < len(text) and unicodedata.combining(text[end]):
        end += 1  # an accent belongs to its letter
    return places[at], end


def _plain(text: str) -> tuple[str, list[int]]:
    """The text without case, accents and double spaces, and where each of its letters came from."""
    letters: list[str] = []
    places: list[int] = []
    for place, letter in enumerate(text.translate(ALIKE)):
        for part in unicodedata.normalize("NFKD", letter).casefold():
            if unicodedata.combining(part):
                continue
            space = part.isspace()
            if (space and (not letters or letters[-1] == " ")) or (part == "." and letters and letters[-1] == "."):
                continue  # several spaces are one, and so are the dots of an ellipsis
            letters.append(" " if space else part)
            places.append(place)
    return "".join(letters), places


def _nearly(text: str, wanted: str) -> tuple[int, int] | None:
    from rapidfuzz import fuzz

    plain, places = _plain(text)
    needle, _ = _plain(wanted)
    if not SHORTEST_FUZZY <= len(needle) <= len(plain):
        return None
    best = fuzz.partial_ratio_alignment(needle, plain, score_cutoff=NEARLY)
    if best is None or best.dest_end <= best.dest_start:
        return None
    return _whole_words(text, places[best.dest_start], places[best.dest_end - 1] + 1)


def _whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    while start > 0 and text[start - 1].isalnum() and text[start].isalnum():
        start -= 1
    while end < len(text) and text[end - 1].isalnum() and text[end].isalnum():
        end += 1
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
