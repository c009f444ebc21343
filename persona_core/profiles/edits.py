"""Edits of a profile: each gives a new version and leaves the old one as it was."""

from __future__ import annotations

from collections.abc import Sequence

from persona_core.errors import PersonaError
from persona_core.schema import Phrase, Profile

LONGEST_PHRASE, LONGEST_TEXT, MOST_PHRASES = 200, 4_000, 40
WEAKEST, STRONGEST = 0.1, 3.0


class EditRefused(PersonaError):
    """An edit that cannot be made, in words for the one who tried it."""


def with_like(profile: Profile, text: str, strength: float = 1.0) -> Profile:
    """One more like; one that is there already takes the new strength."""
    return _with(profile, "likes", _phrase(text, strength))


def with_dislike(profile: Profile, text: str, strength: float = 1.0, fault: bool | None = None) -> Profile:
    return _with(profile, "dislikes", _phrase(text, strength, fault))


def without(profile: Profile, text: str) -> Profile:
    """The profile without this like or dislike."""
    _found(profile, text)
    return _next(
        profile,
        likes=tuple(one for one in profile.likes if one.text != text),
        dislikes=tuple(one for one in profile.dislikes if one.text != text),
    )


def flipped(profile: Profile, text: str) -> Profile:
    """A like becomes a dislike of that kind of thing; a dislike becomes a like. What it rests on goes with it."""
    phrase = _found(profile, text)
    rest = without(profile, text)
    if phrase in profile.likes:
        return _next(profile, likes=rest.likes, dislikes=(*rest.dislikes, phrase.model_copy(update={"fault": False})))
    return _next(profile, likes=(*rest.likes, phrase.model_copy(update={"fault": None})), dislikes=rest.dislikes)


def weighing(profile: Profile, text: str, strength: float) -> Profile:
    """The profile with this phrase counting so much."""
    _found(profile, text)
    changed = {name: _reweighed(getattr(profile, name), text, strength) for name in ("likes", "dislikes")}
    return _next(profile, **changed)


def saying(profile: Profile, text: str) -> Profile:
    """The profile with another free text."""
    if len(text) > LONGEST_TEXT:
        raise EditRefused(f"The text has {len(text):,} characters.", why=f"At most {LONGEST_TEXT:,} are read.", mend="shorten it")
    return _next(profile, text=text.strip())


def knowing(profile: Profile, history: Sequence[str]) -> Profile:
    """The profile with another past."""
    return _next(profile, history=tuple(dict.fromkeys(history)))


def _with(profile: Profile, name: str, phrase: Phrase) -> Profile:
    own: tuple[Phrase, ...] = getattr(profile, name)
    other = "dislikes" if name == "likes" else "likes"
    if len(own) >= MOST_PHRASES and all(one.text != phrase.text for one in own):
        raise EditRefused(f"There are {MOST_PHRASES} phrases already.", mend="remove one first")
    known = {one.text: one for one in own}
    known[phrase.text] = known.get(phrase.text, phrase).model_copy(update={"strength": phrase.strength, "fault": phrase.fault})
    left = tuple(one for one in getattr(profile, other) if one.text != phrase.text)  # nobody likes and dislikes the same
    return _next(profile, **{name: tuple(known.values()), other: left})


def _phrase(text: str, strength: float, fault: bool | None = None) -> Phrase:
    words = " ".join(text.split())
    if not words:
        raise EditRefused("There is nothing to add.", mend="write a few words")
    if len(words) > LONGEST_PHRASE:
        raise EditRefused(
            f"A phrase of {len(words)} characters is too long.", why=f"At most {LONGEST_PHRASE}.", mend="use the free text for more"
        )
    return Phrase(text=words, strength=_within(strength), fault=fault)


def _reweighed(phrases: Sequence[Phrase], text: str, strength: float) -> tuple[Phrase, ...]:
    return tuple(one.model_copy(update={"strength": _within(strength)}) if one.text == text else one for one in phrases)


def _within(strength: float) -> float:
    return min(STRONGEST, max(WEAKEST, strength))


def _found(profile: Profile, text: str) -> Phrase:
    for one in (*profile.likes, *profile.dislikes):
        if one.text == text:
            return one
    raise EditRefused(f"The profile does not have the phrase {text!r}.", mend="choose one that it has")


def _next(profile: Profile, **changed: object) -> Profile:
    return profile.model_copy(update={**changed, "version": profile.version + 1})
