"""The edits that lead from one profile to another, each of which can be taken back alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from persona_core.alignment.taste import words_of
from persona_core.engine import Options, Ranked
from persona_core.explain.grammar import quoted
from persona_core.schema import Phrase, Profile

MANY_PAST = 6
"""More past items than this at once are told as one edit."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One thing that is different in the newer profile, or in what it was asked with."""

    kind: str
    """phrase, text, past or options."""
    words: str
    """What was done, after "because"."""
    labels: frozenset[str]
    """The components of a taste that it touches directly."""
    items: tuple[str, ...] = ()

    def names(self, label: str) -> bool:
        """Whether its words say this label already."""
        return label in self.labels and (label in self.words or label in self.items)


def edits_between(before: Ranked, after: Ranked, title_of: Callable[[str], str]) -> tuple[Edit, ...]:
    """All that differs between what two answers were asked for; past items are told by their titles."""
    old, new = before.profile, after.profile
    found = [*_of_phrases(old, new), *_of_text(old, new), *_of_past(old, new, title_of)]
    if before.options != after.options:
        found.append(Edit("options", "the settings changed", frozenset()))
    return tuple(found)


def undone(before: Ranked, after: Ranked, edit: Edit) -> tuple[Profile, Options]:
    """The newer profile and options with this one edit taken back."""
    old, new = before.profile, after.profile
    if edit.kind == "options":
        return new, before.options
    if edit.kind == "text":
        return new.model_copy(update={"text": old.text}), after.options
    if edit.kind == "past":
        return new.model_copy(update={"history": _past_without(old, new, edit)}), after.options
    sides = {side: _side_without(getattr(old, side), getattr(new, side), edit) for side in ("likes", "dislikes")}
    return new.model_copy(update=sides), after.options


def _of_phrases(old: Profile, new: Profile) -> Iterator[Edit]:
    texts = [one.text for profile in (old, new) for one in (*profile.likes, *profile.dislikes)]
    for text in dict.fromkeys(texts):
        before, after = _stand(old, text), _stand(new, text)
        if before != after:
            yield Edit("phrase", _said(text, before, after), frozenset({text}))


Standing = tuple[str, float, bool | None] | None
"""Where a phrase stands, how strong, and whether it names a fault; None where it does not stand at all."""


def _stand(profile: Profile, text: str) -> tuple[Standing, Standing]:
    """Among the likes and among the dislikes: nothing forbids both."""
    like = next((one for one in profile.likes if one.text == text), None)
    dislike = next((one for one in profile.dislikes if one.text == text), None)
    return (
        ("like", like.strength, None) if like else None,
        ("dislike", dislike.strength, dislike.fault) if dislike else None,
    )


def _said(text: str, before: tuple[Standing, Standing], after: tuple[Standing, Standing]) -> str:
    was, now = (next((one for one in sides if one is not None), None) for sides in (before, after))
    if was is None and now is not None:
        return f"you added the {now[0]} {quoted(text)}"
    if now is None and was is not None:
        return f"you took the {was[0]} {quoted(text)} away"
    if was is not None and now is not None and was[0] != now[0]:
        return f"you turned the {was[0]} {quoted(text)} into a {now[0]}"
    if was is not None and now is not None and was[1] != now[1]:
        return f"you let {quoted(text)} count {now[1]:g} instead of {was[1]:g}"
    return f"you changed {quoted(text)}"


def _of_text(old: Profile, new: Profile) -> Iterator[Edit]:
    if old.text != new.text:
        bare = [profile.model_copy(update={"likes": (), "dislikes": ()}) for profile in (old, new)]
        labels = [set(words_of(one, lambda _: False).texts) for one in bare]
        yield Edit("text", "you changed your text", frozenset(labels[0] ^ labels[1]))


def _of_past(old: Profile, new: Profile, title_of: Callable[[str], str]) -> Iterator[Edit]:
    gone = [item for item in old.history if item not in new.history]
    come = [item for item in new.history if item not in old.history]
    if len(gone) + len(come) > MANY_PAST:
        yield Edit("past", "your past changed", frozenset({*gone, *come}), (*gone, *come))
        return
    for item in gone:
        yield Edit("past", f"{quoted(title_of(item))} was taken from your past", frozenset({item}), (item,))
    for item in come:
        yield Edit("past", f"{quoted(title_of(item))} was added to your past", frozenset({item}), (item,))
    if not gone and not come and old.history != new.history:
        yield Edit("past", "your past stands in another order", frozenset(), ())


def _past_without(old: Profile, new: Profile, edit: Edit) -> tuple[str, ...]:
    """The newer past with these items as they were; one that comes back takes its old place before what followed it."""
    if not edit.items:
        return old.history
    kept = [item for item in new.history if item not in edit.items or item in old.history]
    back = [item for item in old.history if item in edit.items and item not in new.history]
    for item in reversed(back):
        followers = old.history[old.history.index(item) + 1 :]
        places = [kept.index(one) for one in followers if one in kept]
        kept.insert(min(places, default=len(kept)), item)
    if set(kept) == set(old.history):  # nothing else is left that differs, so neither does the order
        return old.history
    return tuple(kept)


def _side_without(old: tuple[Phrase, ...], new: tuple[Phrase, ...], edit: Edit) -> tuple[Phrase, ...]:
    """One side of the newer profile, with the edit's phrase as it stood in the older one."""
    was = {one.text: one for one in old if one.text in edit.labels}
    kept = [was.get(one.text, one) for one in new if one.text not in edit.labels or one.text in was]
    return (*kept, *(one for text, one in was.items() if all(other.text != text for other in kept)))
