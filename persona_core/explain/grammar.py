"""Turns phrases of a persona or a profile ("wants to take it along") so that they can be said to, and of, people."""

from __future__ import annotations

import re
from collections.abc import Sequence

from persona_core.text.phrases import lemma_of

IRREGULAR = {"is": "are", "has": "have", "does": "do", "isn't": "aren't", "hasn't": "haven't", "doesn't": "don't"}
UNBENT = frozenset("must can cannot can't could will won't would should may might".split())
FREQUENT = frozenset("always never often seldom mostly usually still".split())
VERBS = frozenset(
    "want need like love hate prefer enjoy care crave avoid seek travel read cook walk run ride hike camp bake shop live look earn "
    "know savour savor play long value stay doubt compare listen return dislike expect carry buy collect work study give host share "
    "keep make find feel think wish hope judge check weigh count measure trust worry watch drink eat sleep commute write paint mend "
    "grow treat use choose decide search wait pack move learn teach".split()
)
"""What people do; a first word that is one of these is read as a verb, though "walks" or "plays" could be a noun."""
YOURS = {"their": "your", "theirs": "yours", "they": "you", "themselves": "yourself", "they're": "you're"}
ABOUT_ME = {"i": "you", "me": "you", "my": "your", "mine": "yours", "myself": "yourself", "am": "are", "we": "you", "our": "your"}
I_SAY = re.compile(r"^(?:i|we)\s+(?=\w)", re.IGNORECASE)
I_AM = re.compile(r"^(?:i'm|i’m|i am|we're|we are)\s+(?=\w)", re.IGNORECASE)
THEY = re.compile(r"^they\s+(?:also\s+)?(?=\S)", re.IGNORECASE)
LONGEST = 140


def one_line(text: str) -> str:
    return " ".join(text.split())


def of_people(phrase: str) -> str:
    """The phrase as it stands after "people who": "want to take it along"; empty where it does not begin with a verb."""
    words = one_line(phrase).rstrip(".").split(" ")
    they = THEY.match(" ".join(words))
    if they:  # a sentence about them already has its verbs in the right form
        return " ".join(words)[they.end() :]
    turned = _verb_of_people(words[0].lower())
    if not turned and words[0].lower() in FREQUENT and len(words) > 1:
        verb = _verb_of_people(words[1].lower())
        words = [words[0].lower(), verb, *words[2:]] if verb else ["are", words[0].lower(), *words[1:]]
    elif turned:
        words = [turned, *words[1:]]
    else:
        return ""
    return " ".join(_joined_verbs(words))


def to_you(phrase: str) -> str:
    """The phrase as it stands after "you", from "wants …", "They want …" or "I want …"; empty where it does not begin with a verb."""
    own = one_line(phrase).rstrip(".")
    if I_AM.match(own) or I_SAY.match(own):
        said = I_SAY.sub("", I_AM.sub("are ", own))
        return re.sub(r"[\w'’]+", lambda word: ABOUT_ME.get(word[0].lower(), word[0]), said)
    return re.sub(r"\b[Tt]hey're\b|\b[Tt]h\w+\b", lambda word: YOURS.get(word[0].lower(), word[0]), of_people(phrase))


def does(phrase: str) -> str:
    """What stands for the whole phrase in "as you do"."""
    first = phrase.split(" ", maxsplit=1)[0]
    return first if first == "are" or first in UNBENT else "do"


def listed(words: Sequence[str], last: str = "and") -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def quoted(text: str) -> str:
    return f"“{clipped(text)}”"


def clipped(text: str, most: int = LONGEST) -> str:
    """One line, cut after a whole word where it is too long."""
    line = one_line(text)
    return line if len(line) <= most else f"{line[:most].rsplit(' ', 1)[0]}…"


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _verb_of_people(word: str) -> str:
    if word in IRREGULAR:
        return IRREGULAR[word]
    if word in UNBENT:
        return word
    base = lemma_of(word, "VERB") if word.endswith("s") else None
    return base if base in VERBS else ""


def _joined_verbs(words: Sequence[str]) -> list[str]:
    """Also the verb after an "and" that has none of its own: "doubt claims and compare everything"."""
    verbs = (_verb_of_people(word.lower()) if before == "and" else "" for before, word in zip(["", *words], words, strict=False))
    return [verb or word for verb, word in zip(verbs, words, strict=True)]
