"""Profiles of one history in several styles, without a language model: how much of it is read, and what is made of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from persona_core.personas.aspects import KeptAspect
from persona_core.personas.needs import read_needs
from persona_core.profiles.asking import phrase_of_dislike, phrase_of_like
from persona_core.profiles.building import Chosen, Rules, avoided, chosen_needs, drafted, grounded, strongest, text_for
from persona_core.profiles.evidence import NeedEvidence, Numbers, Visit
from persona_core.schema import Aspect, AspectKind, Phrase, Profile, Sentiment
from persona_core.text.stored import Rows

LENGTHS: Final = (15, 30, 50, 70)
"""So many of the older visits are read, where there are more."""
FEW, MANY = 2, 8
MOST_OWN = 5
"""So many of somebody's own sentences on a side."""
OCCASIONS: Final = frozenset({AspectKind.PURPOSE, AspectKind.CONTEXT})


@dataclass(frozen=True, slots=True)
class Past:
    """What a profile of one person may be made from: nothing else is looked at."""

    user_id: str
    visits: tuple[Visit, ...]
    """The older half, in order of time."""
    items: Sequence[str]
    """All items' ids, by their code."""
    titles: Sequence[str]
    aspects: Sequence[KeptAspect]
    """All aspects, by the rows that visits name."""
    topics: Rows
    """Their vectors."""
    known: NeedEvidence
    usual: Usual
    now: int
    rules: Rules

    def lifts(self) -> tuple[Numbers, Numbers]:
        """By visit and need: what speaks for it, and what let them down."""
        return self.known.lift_rows(self.visits, self.now, self.rules.half_life_days, self.rules.own_say)

    def newest(self, many: int) -> Past:
        return replace(self, visits=self.visits[-many:])


@dataclass(frozen=True, slots=True)
class Usual:
    """The average person: the mean and the spread of everybody's wants, each taken at length 1."""

    middle: Numbers
    spread: Numbers

    @classmethod
    def of(cls, wants: Sequence[Numbers]) -> Usual:
        """From everybody's summed wants."""
        rows = np.array([_at_length_one(one) for one in wants if np.any(one)])
        if not len(rows):
            many = len(read_needs())
            return cls(np.zeros(many), np.ones(many))
        return cls(rows.mean(0), np.maximum(rows.std(0), 1e-3))

    def unlike(self, wants: Numbers) -> Numbers:
        """How far these wants stand out from the average person's, need by need."""
        return (_at_length_one(wants) - self.middle) / self.spread


def _at_length_one(wants: Numbers) -> Numbers:
    return wants / max(float(np.linalg.norm(wants)), 1e-9)


@dataclass(frozen=True, slots=True)
class Style:
    """One form that a profile may take."""

    name: str
    title: str
    """What a person reads over it."""
    made: Callable[[Past], Profile]


def styles_for(past: Past) -> list[Style]:
    """Those that differ for a history of this length."""
    shorter = [_of_the_newest(many) for many in LENGTHS if many < len(past.visits)]
    return [*STYLES, *shorter]


def _needs(past: Past) -> Profile:
    wants, woes = past.lifts()
    return _from_needs(past, chosen_needs(wants.sum(0), woes.sum(0), past.rules), wants, woes)


def _in_short(past: Past) -> Profile:
    made = _needs(replace(past, rules=replace(past.rules, most_likes=FEW)))
    return made.model_copy(update={"text": "", "dislikes": made.dislikes[:1]})


def _broad(past: Past) -> Profile:
    return _needs(replace(past, rules=replace(past.rules, most_likes=MANY)))


def _as_text(past: Past) -> Profile:
    """Sentences alone, of twice as many needs as a text usually tells."""
    wants, woes = past.lifts()
    chosen = chosen_needs(wants.sum(0), woes.sum(0), past.rules)
    needs = read_needs()
    told = [text_for([needs[place]], []) for place, _ in chosen.likes[:4]]
    refused = [f"They would rather not have {avoided()[needs[place].id]}." for place, _ in chosen.dislikes]
    return empty(past).model_copy(update={"text": " ".join([*told, *refused])})


def _as_phrases(past: Past) -> Profile:
    return _needs(past).model_copy(update={"text": ""})


def _unlike_others(past: Past) -> Profile:
    """What sets them apart: their wants against the average person's."""
    wants, woes = past.lifts()
    apart = past.usual.unlike(wants.sum(0)) if wants.any() else np.zeros(wants.shape[1])
    dislikes = chosen_needs(wants.sum(0), woes.sum(0), past.rules).dislikes
    return _from_needs(past, Chosen(tuple(strongest(apart, past.rules.most_likes)), dislikes), wants, woes)


def _own_words(past: Past) -> Profile:
    """What they praise and blame, as they said it."""
    return _quoted(past, lambda one: one.kind not in OCCASIONS)


def _occasions(past: Past) -> Profile:
    """What they bought things for, and when and where they use them, as they said it."""
    return _quoted(past, lambda one: one.kind in OCCASIONS)


def _of_the_newest(many: int) -> Style:
    return Style(*newest_named(many), lambda past: _needs(past.newest(many)))


def newest_named(many: int) -> tuple[str, str]:
    """Name and title of a style that reads so many of the older visits."""
    return f"newest {many}", f"From the last {many} before that"


STYLES: Final = (
    Style("needs", "Wishes, from everything done", _needs),
    Style("unlike others", "Unlike the average person", _unlike_others),
    Style("in short", "The two strongest wishes", _in_short),
    Style("broad", "Everything that shows at all", _broad),
    Style("as text", "In sentences alone", _as_text),
    Style("as phrases", "In likes and dislikes alone", _as_phrases),
    Style("own words", "In own words", _own_words),
    Style("occasions", "By purpose and place", _occasions),
)


def empty(past: Past) -> Profile:
    """Who they are and what they did, without a word on it."""
    history = tuple(dict.fromkeys(past.items[one.item] for one in past.visits))
    return Profile(user_id=past.user_id, version=1, text="", history=history)


def _from_needs(past: Past, chosen: Chosen, wants: Numbers, woes: Numbers) -> Profile:
    reviews = [one.review_id for one in past.visits]
    made = drafted(past.user_id, chosen)
    return empty(past).model_copy(
        update={"text": made.text, "likes": grounded(made.likes, wants, reviews), "dislikes": grounded(made.dislikes, woes, reviews)}
    )


def _quoted(past: Past, fits: Callable[[Aspect], bool]) -> Profile:
    """Their own passages, the newest first, each thing once."""
    likes: dict[str, Phrase] = {}
    dislikes: dict[str, Phrase] = {}
    for visit in reversed(past.visits):
        for row in visit.rows:
            aspect = past.aspects[row].aspect
            if not fits(aspect):
                continue
            wrong = aspect.sentiment is Sentiment.NEGATIVE
            side, text = (dislikes, phrase_of_dislike(aspect.quote.text)) if wrong else (likes, phrase_of_like(aspect.quote.text))
            if text and len(side) < MOST_OWN and text.casefold() not in {*likes, *dislikes}:
                side[text.casefold()] = Phrase(text=text, review_ids=(visit.review_id,), fault=True if wrong else None)
    return empty(past).model_copy(update={"likes": tuple(likes.values()), "dislikes": tuple(dislikes.values())})
