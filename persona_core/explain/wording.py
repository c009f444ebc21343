"""Words for grounded claims by rule: one sentence to the reader, the same each time, and a little different from item to item."""

from __future__ import annotations

from collections.abc import Sequence

from persona_core.alignment.taste import Role
from persona_core.explain.claims import Grounded
from persona_core.explain.grammar import capital, clipped, counted, does, listed, of_people, quoted, to_you
from persona_core.files import digest
from persona_core.schema import Cited, Claim, ClaimKind, Persona

RULE = "rule"
LONGEST_NAME = 60


def worded(claim: Grounded, reader: str) -> Claim:
    """The claim in words by rule; `reader` and item choose among turns of phrase."""
    made = {
        ClaimKind.SUITS: _suits,
        ClaimKind.DIVIDES: _divides,
        ClaimKind.WISH: _wish,
        ClaimKind.NEAR: _near,
        ClaimKind.CARRIES: _carries,
        ClaimKind.OTHERS: _others,
        ClaimKind.CAUTION: _caution,
    }[claim.kind](claim, _Turns(f"{reader}|{claim.persona.id}|{claim.kind}"))
    return as_claim(claim, f"{capital(made)}.", RULE)


def as_claim(claim: Grounded, text: str, worded_by: str) -> Claim:
    return Claim(
        text=text,
        quotes=tuple(one.quote for one in claim.passages),
        kind=claim.kind,
        persona_id=claim.persona.id,
        cited=claim.cited,
        support=claim.support,
        worded_by=worded_by,
    )


def spoken(claim: Claim) -> str:
    """The claim with its quotes in one line, for where there is only text."""
    said = " ".join(f"“{quote.text}”" for quote in claim.quotes)
    return f"{claim.text[:-1]}: {said}" if claim.text.endswith(".") else f"{claim.text} {said}"


class _Turns:
    """Chooses one of several turns of phrase, always the same for the same reader and claim."""

    def __init__(self, of: str) -> None:
        self._number = int(digest(of.encode("utf-8", "replace"))[:8], 16)

    def one_of(self, *texts: str) -> str:
        return texts[self._number % len(texts)]


# People --------------------------------------------------------------------------------------------------------------------


def who(persona: Persona) -> str:
    """What stands after "people who"; empty where the persona does not say it in a phrase that can be turned."""
    for phrase in (*persona.traits[:1], persona.description.split(". ")[0].rstrip(".")):
        turned = of_people(phrase)
        if turned and (phrase in persona.traits[:1] or phrase.startswith("They ")):
            return clipped(turned)
    return ""


def people(persona: Persona) -> str:
    """The persona as people: "people who want to take it along", or by name."""
    turned = who(persona)
    return f"people who {turned}" if turned else f"reviewers of the kind {quoted(clipped(persona.name, LONGEST_NAME))}"


def like_you(persona: Persona) -> str:
    turned = who(persona)
    return f"people who, like you, {turned}" if turned else f"{people(persona)}, who want what you want"


def wish(phrase: str) -> str:
    """A phrase of the profile as said to its owner: "you want to take it along", or "you name “short chapters”"."""
    turned = to_you(phrase)
    return f"you {clipped(turned)}" if turned else f"your profile names {quoted(phrase)}"


# Kinds of claims -----------------------------------------------------------------------------------------------------------


def _suits(claim: Grounded, turns: _Turns) -> str:
    shared = any(one.shared and one.role != Role.PAST for one in claim.cited)
    like = _titles(claim.cited, alike=True)
    if shared and like:
        return f"like {like}, which you chose, it suits {like_you(claim.persona)}"
    if shared and who(claim.persona):
        turned = who(claim.persona)
        return turns.one_of(
            f"it suits {like_you(claim.persona)}",
            f"people who {turned}, as you {does(turned)}, are pleased with it",
            f"it pleases {like_you(claim.persona)}",
        )
    if shared:
        return f"it suits {like_you(claim.persona)}"
    return _suits_others(claim)


def _suits_others(claim: Grounded) -> str:
    """Where the reader's words do not say what these people want: what leads from the one to the other is said instead."""
    crowd = people(claim.persona)
    like, near = _titles(claim.cited, alike=True), _titles(claim.cited, alike=False)
    words = [one for one in claim.cited if one.role == Role.LIKE and not one.away]
    if like:
        return f"like {like}, which you chose, it suits {crowd}"
    if words:
        chosen = f", and of what you chose {near}" if near else ""
        return f"it suits {crowd}; nearest to that in your profile is {quoted(words[0].text)}{chosen}"
    if near:
        return f"it suits {crowd}; of what you chose, nearest to that {_are(claim)} {near}"
    left = next((one for one in claim.cited if one.away), None)
    if left and left.role == Role.PAST:
        return f"it suits {crowd}; {clipped(left.text)}, which let you down, is for other people"
    if left:
        return f"it suits {crowd}; that is far from {quoted(left.text)}, which you would rather not have"
    return f"of all that your profile says together, {crowd} come closest, and it suits them"


def _divides(claim: Grounded, turns: _Turns) -> str:
    shared = any(one.shared and one.role != Role.PAST for one in claim.cited)
    return f"{like_you(claim.persona) if shared else people(claim.persona)} are of two minds about it"


def _wish(claim: Grounded, turns: _Turns) -> str:
    own = claim.cited[0]
    said, turned = wish(own.text), to_you(own.text)
    what = "that" if own.shared else "something like it"
    some = "some who are pleased with it"
    some = f"so {does(turned)} {some}" if turned and own.shared else f"{some} speak of {what}"
    return turns.one_of(
        f"{said}, and a pleased reviewer speaks of {what}",
        f"{said}, and {some}",
        f"{said}; {what} is what a pleased reviewer writes of",
    )


def _near(claim: Grounded, turns: _Turns) -> str:
    near = _titles(claim.cited, alike=True) or _titles(claim.cited, alike=False)
    who_else = f", by what you chose before ({near})," if near else ""
    return f"the reviewers who come closest to your taste{who_else} are pleased with it"


def _carries(claim: Grounded, turns: _Turns) -> str:
    """From what the reader wants where they are at home to what this item's reviewers speak of."""
    wish, *past = claim.cited
    there, here = to_you(wish.text), of_people(need_in(claim.statement))
    by = f" (you chose {clipped(past[0].text)})" if past else ""
    if there and of_people(wish.text) == here:
        return f"you {there} in {wish.scenario}{by}, and here reviewers speak of just that"
    return (
        f"in {wish.scenario} you {there or quoted(wish.text)}{by}; people who do more often {here} here, and reviewers speak of that"
    )


def need_in(statement: str) -> str:
    """The phrase that a statement of one of our own needs begins with."""
    return statement.partition(". ")[0]


def _others(claim: Grounded, turns: _Turns) -> str:
    return f"it suits {people(claim.persona)} ({_number(claim)})"


def _caution(claim: Grounded, turns: _Turns) -> str:
    number = _number(claim)
    feared = [one for one in claim.cited if one.role == Role.DISLIKE]
    if feared:
        return f"you would rather not have {_disliked(feared)}, and {number} complain{'s' if claim.behind == 1 else ''} of such things"
    if not claim.statement:
        return f"{number}, not far from your taste, {'was' if claim.behind == 1 else 'were'} let down"
    if any(one.shared for one in claim.cited):
        return f"it let down {like_you(claim.persona)} ({number})"
    return f"it let down {people(claim.persona)} ({number}), and that is not far from your taste"


def _number(claim: Grounded) -> str:
    return f"{claim.behind:,} of {counted(claim.speakers, 'reviewer', 'reviewers')}"


# Pieces --------------------------------------------------------------------------------------------------------------------


def _titles(cited: Sequence[Cited], *, alike: bool) -> str:
    found = [clipped(one.text) for one in cited if one.role == Role.PAST and one.shared is alike and not one.away]
    return listed(found) if found else ""


def _are(claim: Grounded) -> str:
    return "is" if sum(one.role == Role.PAST and not one.away for one in claim.cited) == 1 else "are"


def _disliked(cited: Sequence[Cited]) -> str:
    return listed([clipped(one.text) for one in cited])
