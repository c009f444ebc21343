"""A profile as a few plain lines, the form in which a generator writes it, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from persona_core.profiles.edits import LONGEST_PHRASE, LONGEST_TEXT
from persona_core.schema import Phrase, Profile

EXTRACTION = "extraction"
"""The source of what no model wrote."""
LIKES, DISLIKES = "Likes: ", "Avoids: "
BETWEEN = "; "
MOST = 8
"""So many phrases of a side are read back."""


class Candidate(NamedTuple):
    """A profile that somebody wrote of one person, before it is held to their history."""

    source: str
    """`extraction`, or the name of a language model."""
    style: str
    prompt: str
    """The version of the words in which the model was asked; empty where nobody was."""
    profile: Profile


def to_lines(profile: Profile) -> str:
    """Likes, the strongest first, then dislikes, then the text; what is empty is left out."""
    likes = [one.text for one in sorted(profile.likes, key=lambda one: -one.strength)]
    lines = [LIKES + BETWEEN.join(likes) if likes else "", DISLIKES + BETWEEN.join(one.text for one in profile.dislikes)]
    return "\n".join(line for line in (lines[0], lines[1] if profile.dislikes else "", " ".join(profile.text.split())) if line)


def from_lines(text: str, empty: Profile) -> Profile:
    """The profile that these lines say; whatever stands in no such line is its text."""
    likes: list[str] = []
    dislikes: list[str] = []
    said: list[str] = []
    for line in text.splitlines():
        for begins, side in ((LIKES, likes), (DISLIKES, dislikes)):
            if line.startswith(begins.rstrip()):
                side += line.removeprefix(begins.rstrip()).split(BETWEEN.strip())
                break
        else:
            said.append(line)
    liked = _phrases(likes, ())
    text = " ".join(" ".join(said).split())[:LONGEST_TEXT]
    return empty.model_copy(update={"likes": liked, "dislikes": _phrases(dislikes, [one.text for one in liked]), "text": text})


def _phrases(texts: Sequence[str], taken: Sequence[str]) -> tuple[Phrase, ...]:
    """Each once, in order; nobody likes and dislikes the same."""
    words = (" ".join(text.split()).strip(" .;,")[:LONGEST_PHRASE] for text in texts)
    kept = dict.fromkeys(text for text in words if any(letter.isalpha() for letter in text) and text not in taken)
    return tuple(Phrase(text=text) for text in list(kept)[:MOST])
