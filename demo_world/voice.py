"""Turns an authored sentence into what one person would have typed."""

from __future__ import annotations

import re
from random import Random

from demo_world.blocks import CHOICE
from demo_world.people import Voice

SPELLINGS = {
    "definitely": "definately", "separate": "seperate", "received": "recieved", "weird": "wierd", "tongue": "tounge",
    "until": "untill", "really": "realy", "which": "wich", "their": "thier", "believe": "beleive", "a lot": "alot",
    "beginning": "begining", "tomorrow": "tommorow", "occasion": "ocasion", "immediately": "immediatly",
    "embarrassing": "embarassing", "rhythm": "rythm", "necessary": "neccessary", "surprised": "suprised",
    "probably": "probaly", "through": "thru", "you're": "your", "it's": "its", "too": "to", "actually": "actualy",
}  # fmt: skip
AMERICAN = {
    "colour": "color", "favourite": "favorite", "grey": "gray", "neighbour": "neighbor", "flavour": "flavor",
    "litre": "liter", "metre": "meter", "centre": "center", "realise": "realize", "mum": "mom", "Mum": "Mom",
    "mould": "mold", "plough": "plow", "tyre": "tire", "aluminium": "aluminum", "theatre": "theater", "honour": "honor",
    "cosy": "cozy", "organised": "organized", "recognise": "recognize", "travelled": "traveled", "travelling": "traveling",
    "a fortnight's": "two weeks'", "a fortnight": "two weeks", "fortnight": "two-week", "whilst": "while",
    "jewellery": "jewelry", "pyjamas": "pajamas", "sceptical": "skeptical",
}  # fmt: skip
EMOJI = {
    "good": ("🙂", "👍", "😅", "❤️", "🔥", "👌", "😊"),
    "mixed": ("🤷", "🤔", "😐", "🙈", "😅"),
    "bad": ("🙄", "😴", "👎", "🙈", "😤", "🤦"),
}


def spoken(rng: Random, template: str, slots: dict[str, str]) -> str:
    """One wording of an authored sentence, its slots filled."""
    text = CHOICE.sub(lambda match: rng.choice(match[1].split("|")), template)
    for name, value in slots.items():
        text = text.replace("{" + name + "}", value)
    text = re.sub(r" {2,}", " ", text).strip()
    return text[:1].upper() + text[1:]


def typed(rng: Random, sentence: str, voice: Voice, *, last: bool, angry: bool) -> str:
    """The sentence as this person types it."""
    text = sentence
    if voice.american:
        for british, american in AMERICAN.items():
            text = re.sub(rf"\b{british}\b", american, text)
    if voice.typo_rate and rng.random() < 6 * voice.typo_rate:
        text = _mistyped(rng, text, voice.typo_rate)
    if voice.drops_apostrophes:
        text = re.sub(r"(?<=\w)'(?=(t|s|re|ve|ll|d|m)\b)", "", text)
    if voice.lower:
        text = text.lower()
    if angry and rng.random() < 0.08:
        text = text.upper()
    return _ended(rng, text, voice, last=last)


def _ended(rng: Random, text: str, voice: Voice, *, last: bool) -> str:
    if text.endswith("."):
        if voice.exclaims and rng.random() < 0.4:
            return text[:-1] + rng.choice(("!", "!", "!!"))
        if voice.trails_off and rng.random() < 0.4:
            return text[:-1] + rng.choice(("...", "…"))
        if last and (voice.drops_last_stop or voice.lower) and rng.random() < 0.7:
            return text[:-1]
    return text


def _mistyped(rng: Random, text: str, rate: float) -> str:
    for right, wrong in SPELLINGS.items():
        if rng.random() < 4 * rate:
            text = re.sub(rf"\b{right}\b", wrong, text)
    words = text.split(" ")
    for place, word in enumerate(words):
        if len(word) >= 5 and word.isalpha() and word[1:].islower() and rng.random() < rate / 2:
            words[place] = _slip(rng, word)
    return " ".join(words)


def _slip(rng: Random, word: str) -> str:
    at = rng.randrange(1, len(word) - 2)
    kind = rng.random()
    if kind < 0.45:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind < 0.8:
        return word[:at] + word[at + 1 :]
    return word[:at] + word[at] + word[at:]
