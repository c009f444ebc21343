"""What a person did to a profile, as a journal: replayed on the built profile it gives every version; short enough for a link.

Undo and redo move a mark within the journal; a new act drops what lies behind the mark, as any editor does.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isfinite
from typing import Annotated, Any, Final

import orjson
from pydantic import Field, TypeAdapter

from persona_core.errors import PersonaError
from persona_core.profiles.edits import MOST_PHRASES, EditRefused, flipped, saying, weighing, with_dislike, with_like, without
from persona_core.schema import Phrase, Profile

MOST_ACTS = 200
LONGEST_LINK = 6_000
"""Longer addresses are cut by some servers and messengers."""
MOST_UNPACKED = 200_000
LONGEST_NAME = 60
KINDS = ("like", "dislike", "drop", "weigh", "flip", "say", "set", "back")


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that somebody did. What `text` and `value` mean depends on its kind.

    like, dislike: a phrase and how much it counts. drop, flip: a phrase. weigh: a phrase and what it counts now.
    say: the free text. set: a whole profile as JSON (its text and phrases). back: the number of the version to return to.
    """

    kind: str
    text: str = ""
    value: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise EditRefused(f"There is no edit called {self.kind!r}.")
        if not isfinite(self.value):
            raise EditRefused("How much a phrase counts must be a number.")


@dataclass(frozen=True, slots=True)
class Version:
    """The profile after so many acts."""

    number: int
    words: str
    """What made it."""
    name: str
    """What the person calls it; empty where they have not said."""
    profile: Profile


@dataclass(frozen=True, slots=True)
class Journal:
    """All acts, of which the first `at` hold; `names` belong to versions by their number."""

    acts: tuple[Act, ...] = ()
    at: int = 0
    names: tuple[tuple[int, str], ...] = ()

    @property
    def can_undo(self) -> bool:
        return self.at > 0

    @property
    def can_redo(self) -> bool:
        return self.at < len(self.acts)

    def did(self, act: Act) -> Journal:
        if self.at >= MOST_ACTS:
            raise EditRefused(f"There are {MOST_ACTS} edits already.", mend="download the profile, reset it, and upload it again")
        names = tuple(one for one in self.names if one[0] <= self.at)
        return Journal((*self.acts[: self.at], act), self.at + 1, names)

    def undone(self) -> Journal:
        return replace(self, at=max(0, self.at - 1))

    def redone(self) -> Journal:
        return replace(self, at=min(len(self.acts), self.at + 1))

    def named(self, name: str) -> Journal:
        """The version that holds, called so from now on; an empty name takes the name away."""
        words = " ".join(name.split())[:LONGEST_NAME]
        others = tuple(one for one in self.names if one[0] != self.at)
        return replace(self, names=tuple(sorted((*others, (self.at, words)))) if words else others)

    def versions(self, built: Profile) -> list[Version]:
        """Every version up to the last act, the built one first. An act that no longer fits changes nothing."""
        names = dict(self.names)
        found = [Version(0, "as built from what you wrote", names.get(0, ""), built)]
        for number, act in enumerate(self.acts, start=1):
            before = [one.profile for one in found]
            found.append(Version(number, in_words(act), names.get(number, ""), _done(act, before)))
        return found

    def profile(self, built: Profile) -> Profile:
        return self.versions(built)[self.at].profile


def in_words(act: Act) -> str:
    """What was done, after "you"."""
    quoted = f"“{act.text}”"
    said: dict[str, Callable[[], str]] = {
        "like": lambda: f"added the like {quoted}",
        "dislike": lambda: f"added the dislike {quoted}",
        "drop": lambda: f"took {quoted} away",
        "weigh": lambda: f"let {quoted} count {act.value:g}",
        "flip": lambda: f"turned {quoted} round",
        "say": lambda: "changed the text",
        "set": lambda: "loaded a profile",
        "back": lambda: f"went back to version {act.value:g}" if act.value else "went back to what was built",
    }
    return said[act.kind]()


def _done(act: Act, before: list[Profile]) -> Profile:
    profile = before[-1]
    try:
        return _DO[act.kind](profile, act, before)
    except EditRefused:  # after a rebuild, a phrase may be gone that an old link speaks of
        return profile


def _back(profile: Profile, act: Act, before: list[Profile]) -> Profile:
    place = min(max(int(act.value), 0), len(before) - 1)
    return before[place].model_copy(update={"version": profile.version + 1})


def _set(profile: Profile, act: Act, _: list[Profile]) -> Profile:
    given = _parsed(act.text.encode("utf-8", "replace"))
    likes, dislikes = (_side(given.get(side, [])) for side in ("likes", "dislikes"))
    liked = {one.text for one in likes}  # nobody likes and dislikes the same
    rest = tuple(one for one in dislikes if one.text not in liked)
    return saying(profile, given.get("text", "")).model_copy(update={"likes": likes, "dislikes": rest})


_DO: dict[str, Callable[[Profile, Act, list[Profile]], Profile]] = {
    "like": lambda profile, act, _: with_like(profile, act.text, act.value),
    "dislike": lambda profile, act, _: with_dislike(profile, act.text, act.value),
    "drop": lambda profile, act, _: without(profile, act.text),
    "weigh": lambda profile, act, _: weighing(profile, act.text, act.value),
    "flip": lambda profile, act, _: flipped(profile, act.text),
    "say": lambda profile, act, _: saying(profile, act.text),
    "set": _set,
    "back": _back,
}


# Setting a whole profile ------------------------------------------------------------------------------------------------


def setting(profile: Profile) -> Act:
    """The act that makes any profile say what this one says."""
    return Act("set", orjson.dumps(_as_dict(profile)).decode())


def _as_dict(profile: Profile) -> dict[str, Any]:
    def side(phrases: tuple[Phrase, ...]) -> list[dict[str, Any]]:
        return [one.model_dump(mode="json", exclude_defaults=True) for one in phrases]

    return {"text": profile.text, "likes": side(profile.likes), "dislikes": side(profile.dislikes)}


def _side(given: list[Any]) -> tuple[Phrase, ...]:
    if len(given) > MOST_PHRASES:
        raise EditRefused(f"That profile has {len(given)} phrases on one side.", why=f"At most {MOST_PHRASES} are read.")
    return tuple({phrase.text: phrase for phrase in map(_phrase, given)}.values())


def _phrase(given: Any) -> Phrase:
    try:
        phrase = Phrase.model_validate(given)
    except ValueError as error:
        raise EditRefused("A phrase of that profile is not understood.") from error
    checked = with_like(Profile(user_id="", version=1, text=""), phrase.text, phrase.strength).likes[0]
    return checked.model_copy(update={"fault": phrase.fault, "review_ids": phrase.review_ids})


def _parsed(raw: bytes) -> dict[str, Any]:
    """Text and two lists; what lies within them is yet to be judged, phrase by phrase."""
    try:
        given = orjson.loads(raw)
    except ValueError as error:
        raise EditRefused("That is not a profile.") from error
    sides = isinstance(given, dict) and all(isinstance(given.get(side, []), list) for side in ("likes", "dislikes"))
    if not sides or not isinstance(given.get("text", ""), str):
        raise EditRefused("That is not a profile.")
    return dict(given)


# In a link --------------------------------------------------------------------------------------------------------------


def to_link(journal: Journal, built: Profile) -> str:
    """The journal as characters that an address may hold; only what holds now where all of it would be too long."""
    if not journal.acts:
        return ""
    packed = _packed(journal)
    if len(packed) > LONGEST_LINK:
        packed = _packed(Journal((setting(journal.profile(built)),), 1))
    return packed if len(packed) <= LONGEST_LINK else ""


def _packed(journal: Journal) -> str:
    acts = [[one.kind, one.text, one.value] for one in journal.acts]
    raw = orjson.dumps([acts, journal.at, journal.names])
    return base64.urlsafe_b64encode(zlib.compress(raw, 9)).decode().rstrip("=")


_Many = Field(max_length=MOST_ACTS)
_LINKED: Final = TypeAdapter(tuple[Annotated[list[tuple[str, str, float]], _Many], int, Annotated[list[tuple[int, str]], _Many]])


def from_link(text: str) -> Journal:
    """The journal that `to_link` wrote. Raises EditRefused for anything else: an address is anybody's to write."""
    if not text:
        return Journal()
    try:
        raw = base64.urlsafe_b64decode(text[: 2 * LONGEST_LINK] + "=" * (-len(text) % 4))
        unpacking = zlib.decompressobj()
        plain = unpacking.decompress(raw, MOST_UNPACKED)
        if unpacking.unconsumed_tail:
            raise ValueError("too long")
        acts, at, names = _LINKED.validate_python(orjson.loads(plain))
        found = tuple(Act(kind, words, value) for kind, words, value in acts)
    except (ValueError, TypeError, binascii.Error, zlib.error, PersonaError) as error:
        raise EditRefused(
            "The edits in this link are not understood.", mend="ask for the link again; the person is shown as built"
        ) from error
    if not 0 <= at <= len(found):
        raise EditRefused("The edits in this link are not understood.", mend="ask for the link again")
    return Journal(found, at, tuple((number, name[:LONGEST_NAME]) for number, name in names))


# In a file --------------------------------------------------------------------------------------------------------------

FORMAT = 1
LARGEST_FILE = 200_000


def to_file(profile: Profile) -> bytes:
    """A profile for people to keep: readable JSON."""
    return orjson.dumps({"personascope profile": FORMAT, **_as_dict(profile)}, option=orjson.OPT_INDENT_2)


def from_file(raw: bytes) -> Act:
    """The act of loading such a file. Raises EditRefused, in words for whoever uploaded it."""
    if len(raw) > LARGEST_FILE:
        raise EditRefused("That file is too large for a profile.", why=f"At most {LARGEST_FILE // 1000} kB are read.")
    try:
        given = orjson.loads(raw)
    except ValueError as error:
        raise EditRefused("That file is not JSON.", mend="upload a file that was downloaded from here") from error
    if not isinstance(given, dict) or given.get("personascope profile") != FORMAT:
        raise EditRefused("That file is not a profile of Personascope.", mend="upload a file that was downloaded from here")
    try:
        act = Act("set", orjson.dumps({name: given[name] for name in ("text", "likes", "dislikes") if name in given}).decode())
    except TypeError as error:  # what is nested very deep can be read, but not written
        raise EditRefused("That file is not a profile of Personascope.", mend="upload a file that was downloaded from here") from error
    empty = Profile(user_id="", version=1, text="")
    _set(empty, act, [])  # refused here, and not silently later
    return act
