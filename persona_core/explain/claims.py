"""Grounded claims: what can be said for and against an item to one reader, each with quotes that were found to carry it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from persona_core.alignment.taste import Role
from persona_core.engine import Engine, Ranked
from persona_core.explain.evidence import Evidence, needs_of, statement_of, statement_of_phrase
from persona_core.explain.support import LEAST, Feeling, Passage, Support, need_of
from persona_core.personas.needs import read_needs
from persona_core.schema import Cited, ClaimKind, Persona, Quote, Stance
from persona_core.text.phrases import words_of

LEAST_WISH = 0.8
"""What reviewers say of one phrase must speak of it plainly, unless the persona they stand for wants the very same."""
MOST_QUOTES = 2
MOST_WISHES, MOST_OTHERS, MOST_CAUTIONS = 2, 2, 2
ALIKE, SAME_WORDS = 0.85, 0.4
"""Two passages that lie nearer than this, or share more of their words, say the same; one of them is enough."""
FAR = 0.1
"""Below this match nobody whom the item suits is like the reader, and nothing is said of likeness."""
WISHES_TRIED = 6
PLEASED_TONE = 2.0
"""The tone that counts as full support of a claim that says no more than that people are pleased, or let down."""


@dataclass(frozen=True, slots=True)
class Grounded:
    """A claim before it is worded: what it says, who stands for it, and what carries it."""

    kind: ClaimKind
    persona: Persona
    statement: str
    """What its quotes are held to; empty where nothing is claimed but that people are pleased or let down."""
    passages: tuple[Passage, ...]
    cited: tuple[Cited, ...]
    support: float
    behind: int
    """So many reviewers stand for the persona, of so many who say something."""
    speakers: int


class Found(NamedTuple):
    """The claims that hold, the most important first, and how many did not."""

    claims: tuple[Grounded, ...]
    dropped: int

    @property
    def speaking_for(self) -> tuple[Grounded, ...]:
        return tuple(one for one in self.claims if one.kind is not ClaimKind.CAUTION)

    @property
    def cautions(self) -> tuple[Grounded, ...]:
        return tuple(one for one in self.claims if one.kind is ClaimKind.CAUTION)


def claims_for(engine: Engine, ranked: Ranked, item_code: int) -> Found:
    """All that can be said of the item to whoever asked for this answer. Every claim holds: see support.py."""
    return found_in(Evidence.of(engine, ranked, item_code))


def found_in(evidence: Evidence) -> Found:
    tried: list[Grounded | None] = []
    if evidence.knows_the_reader:
        main = main_claims(evidence)
        wishes = wish_claims(evidence, [one for one in main if one is not None])
        shared = any(one is not None and shares_a_wish(one) for one in main)
        over = carried_over(evidence)
        tried += [*main, *wishes, *over] if shared else [*wishes, *over, *main]  # what the reader wants in so many words comes first
        tried += cautions(evidence)
    else:
        tried += for_others(evidence)
    kept = tuple(one for one in tried if one is not None)
    return Found(kept, len(tried) - len(kept))


# What speaks for it --------------------------------------------------------------------------------------------------------


def main_claims(evidence: Evidence) -> list[Grounded | None]:
    """Whom it suits that is nearest to the reader. Where their quotes do not speak of what they want, only that they are pleased;
    and where nobody is near, whom it suits at all."""
    match = evidence.recommendation.match
    if match is None:
        return []
    best = evidence.engine.persona(match.persona_id)
    if match.cosine < FAR and not any(one.shared for one in evidence.cited(best)):
        return for_others(evidence, 1)
    mixed = best.stance is Stance.MIXED
    full = _divided(evidence, best) if mixed else _claim(evidence, ClaimKind.SUITS, best, statement_of(best), Feeling.PRAISE)
    if full is not None:
        return [full]
    return [None, None if mixed else _claim(evidence, ClaimKind.NEAR, best, "", Feeling.PRAISE)]


def wish_claims(evidence: Evidence, said: Sequence[Grounded]) -> list[Grounded | None]:
    """What reviewers whom it suits say of the reader's own wishes, beyond what was said already."""
    taken = {one.text for claim in said if shares_a_wish(claim) for one in claim.cited if one.shared}
    spoken = {one.quote for claim in said for one in claim.passages}
    likes = sorted(evidence.ranked.profile.likes, key=lambda one: -one.strength)
    open_to = [like.text for like in likes[:WISHES_TRIED] if like.text not in taken]
    found: list[Grounded | None] = []
    for text in open_to:
        claim = _wish(evidence, text, spoken)
        if claim is not None and len(found) < MOST_WISHES:
            found.append(claim)
            spoken |= {one.quote for one in claim.passages}
    return found


def _wish(evidence: Evidence, text: str, spoken: set[Quote]) -> Grounded | None:
    """The quote nearest to the phrase, among those of the personas that the item suits and that the phrase speaks for."""
    best: Grounded | None = None
    for persona in evidence.suited:
        wish = evidence.wish(text, persona)
        passages = [one for one in evidence.passages[persona.id] if one.quote not in spoken]
        if wish is not None and passages:
            statement = statement_of_phrase(text)
            if need_of(text) and not wish.shared:
                continue  # the item's own reviewers were asked about all needs: nobody was found who has this one
            least = LEAST if wish.shared else LEAST_WISH
            claim = _carried(evidence, ClaimKind.WISH, persona, statement, passages, Feeling.PRAISE, least)
            if claim is not None and (best is None or claim.support > best.support):
                best = replace(claim, passages=claim.passages[:1], cited=(wish,))
    return best


def carried_over(evidence: Evidence) -> list[Grounded | None]:
    """What the reader wants elsewhere, as it carries over to a scenario that is new to them, where reviewers speak of it."""
    for carry in evidence.carries:
        need = read_needs()[carry.becomes]
        for persona in evidence.suited:
            if need.id in needs_of(persona):
                statement = statement_of_phrase(need.phrase)
                found = _carried_by(evidence, ClaimKind.CARRIES, persona, statement, Feeling.PRAISE)
                if found is not None:
                    return [replace(found, cited=evidence.elsewhere(carry))]
    return [None] if evidence.carries else []


def for_others(evidence: Evidence, most: int = MOST_OTHERS) -> list[Grounded | None]:
    """Whom it suits, the most numerous first: for somebody who is not known to be like any of them."""
    suited = sorted((one for one in evidence.suited if one.stance is Stance.SUITS), key=lambda one: (-one.weight, one.id))
    made = [_carried_by(evidence, ClaimKind.OTHERS, one, statement_of(one), Feeling.PRAISE) for one in suited]
    return [*[one for one in made if one is not None][:most], *(None for one in made if one is None)]


def shares_a_wish(claim: Grounded) -> bool:
    """Whether the people it speaks of want what the reader says they want."""
    return bool(claim.statement) and any(one.shared and one.role != Role.PAST for one in claim.cited)


# What speaks against it ----------------------------------------------------------------------------------------------------


def cautions(evidence: Evidence) -> list[Grounded | None]:
    """Who was let down that is near to the reader; and complaints of the very faults that the reader fears."""
    warning = evidence.recommendation.warning
    tried: list[Grounded | None] = []
    if warning is not None:
        tried.append(_caution(evidence, evidence.engine.persona(warning.persona_id)))
    told = {one.persona.id for one in tried if one is not None}
    for persona in evidence.personas:
        if persona.stance is Stance.DISAPPOINTS and persona.id not in told and evidence.feared(persona):
            tried.append(_caution(evidence, persona))
    kept = [one for one in tried if one is not None][:MOST_CAUTIONS]
    return [*kept, *(None for one in tried if one is None)]


def _caution(evidence: Evidence, persona: Persona) -> Grounded | None:
    claim = _carried_by(evidence, ClaimKind.CAUTION, persona, statement_of(persona), Feeling.FAULT)
    if claim is None:
        claim = _carried_by(evidence, ClaimKind.CAUTION, persona, "", Feeling.FAULT)
    if claim is None:
        return None
    feared = evidence.feared(persona) if claim.statement else ()
    likes = tuple(one for one in evidence.cited(persona) if one.role != Role.PAST and not one.away)
    return replace(claim, cited=(*feared, *likes))


# Carrying ----------------------------------------------------------------------------------------------------------------


def _claim(evidence: Evidence, kind: ClaimKind, persona: Persona, statement: str, feeling: Feeling) -> Grounded | None:
    claim = _carried_by(evidence, kind, persona, statement, feeling)
    return None if claim is None else replace(claim, cited=evidence.cited(persona))


def _carried_by(evidence: Evidence, kind: ClaimKind, persona: Persona, statement: str, feeling: Feeling) -> Grounded | None:
    return _carried(evidence, kind, persona, statement, evidence.passages[persona.id], feeling, LEAST)


def _carried(
    evidence: Evidence, kind: ClaimKind, persona: Persona, statement: str, passages: Sequence[Passage], feeling: Feeling, least: float
) -> Grounded | None:  # fmt: skip
    """The claim with the best of the passages that carry it; None where none does."""
    judged = zip(passages, evidence.supports(statement, passages, feeling, least), strict=True)
    holding = [(passage, _score(found, statement)) for passage, found in judged if found.holds]
    if not holding:
        return None
    ranked = sorted(holding, key=lambda one: (-one[1], one[0].quote.review_id, one[0].quote.start))
    chosen = _unlike(evidence, [passage for passage, _ in ranked])[:MOST_QUOTES]
    return Grounded(kind, persona, statement, tuple(chosen), (), round(ranked[0][1], 3), evidence.behind(persona), evidence.speakers)


def _divided(evidence: Evidence, persona: Persona) -> Grounded | None:
    """People of two minds: one who praises and one who finds fault, or there is no such claim."""
    statement = statement_of(persona)
    sides = [_carried_by(evidence, ClaimKind.DIVIDES, persona, statement, feeling) for feeling in Feeling]
    praise, fault = sides
    if praise is None or fault is None:
        return None
    both = (praise.passages[0], fault.passages[0])
    return replace(praise, passages=both, support=min(praise.support, fault.support), cited=evidence.cited(persona))


def _score(found: Support, statement: str) -> float:
    return found.about if statement else min(1.0, abs(found.tone) / PLEASED_TONE)


def _unlike(evidence: Evidence, passages: Iterable[Passage]) -> list[Passage]:
    """The passages without those of a review that spoke already, and without those that say the same in other words."""
    kept: list[Passage] = []
    for one in passages:
        if not any(other.review.id == one.review.id or _same(evidence, one.quote.text, other.quote.text) for other in kept):
            kept.append(one)
    return kept


def _same(evidence: Evidence, one: str, other: str) -> bool:
    words, others = set(words_of(one)), set(words_of(other))
    near, far = evidence.book.vectors([one, other])
    return len(words & others) > SAME_WORDS * len(words | others) or float(near @ far) > ALIKE
