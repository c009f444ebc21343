"""Words for grounded claims by a language model: from the same claims, checked again, and by rule where it does not keep to them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, Field

from persona_core.errors import PersonaError
from persona_core.explain.claims import Grounded
from persona_core.explain.evidence import Evidence
from persona_core.explain.grammar import one_line
from persona_core.explain.support import LEAST, lexicon_tone
from persona_core.explain.wording import as_claim, worded
from persona_core.llm.prompts import fenced, plain, prompt
from persona_core.llm.protocol import LanguageModel, Prompt
from persona_core.personas.asking import CLOSED, OR_NOTHING, clipped
from persona_core.schema import Claim, ClaimKind
from persona_core.text.phrases import content_words

MOST_CLAIMS = 8
SHORTEST, LONGEST = 5, 50
"""Words of a sentence; the model is asked for at most 40, and may go a little over."""
LONGEST_TEXT = 400
KNOWN = 0.75
"""At least this share of a sentence's telling words must stand in its claim, its quotes or the reader's phrases."""
NEAR = 0.5
"""And it must lie at least so near to the claim by rule, as a cosine."""
LESS = 0.8
"""A sentence that its quotes carry somewhat less than the claim by rule is still good."""
CONTRARY = 0.3
"""A sentence whose own words have this much of the other feeling has turned its claim round."""
QUOTED = re.compile(r"[“\"]([^“”\"]*)[”\"]")
WARNS = re.compile(
    r"\b(?:but|however|though|although|careful|beware|warn\w*|caution|disappoint\w*|let (?:\w+ )?down|complain\w*|grumbl\w*|unhappy"
    r"|not (?:every|all|pleased|happy|suit\w*)|fault\w*|dislike\w*|rather not|may not|might not|put off|annoy\w*|frustrat\w*)\b",
    re.IGNORECASE,
)
DIVIDED = re.compile(r"\b(?:two minds|divide[ds]?|split|mixed|others|both|disagree|torn|but|while|yet|though)\b", re.IGNORECASE)
AS_YOU = re.compile(r"\b(?:like you|(?:just )?as you (?:do|are|have|must)|you too|you also|the same as you)\b", re.IGNORECASE)
COMMON = frozenset(
    "suit please reviewer people reader find praise say enjoy appreciate choose chosen pick speak mention note love like hold".split()
)
"""What a sentence about claims may say without its evidence saying so."""


class Sentence(BaseModel):
    """What the model makes of one claim."""

    model_config = CLOSED

    claim: int
    text: Annotated[str, clipped(LONGEST_TEXT), OR_NOTHING, Field(max_length=LONGEST_TEXT)]


class Sentences(BaseModel):
    model_config = CLOSED
    sentences: Annotated[list[Sentence], clipped(2 * MOST_CLAIMS), Field(max_length=2 * MOST_CLAIMS)]


def told(model: LanguageModel, evidence: Evidence, claims: Sequence[Grounded]) -> list[Claim]:
    """Each claim in the model's words where they hold, else by rule. A model that cannot be had costs nothing but its words."""
    ruled = [worded(one, evidence.ranked.profile.user_id) for one in claims]
    if not claims:
        return ruled
    asked = ruled[:MOST_CLAIMS]
    said: dict[int, str] = {}
    try:
        for sentence in model.ask(prompt_for(evidence, asked), Sentences).value.sentences:
            said.setdefault(sentence.claim, one_line(plain(sentence.text)))
    except PersonaError:
        return ruled
    return [
        as_claim(claim, said[number], model.name) if number in said and not faults_of(said[number], rule, evidence) else rule
        for number, (claim, rule) in enumerate(zip(claims, ruled, strict=True), start=1)
    ]


def prompt_for(evidence: Evidence, claims: Sequence[Claim]) -> Prompt:
    """All claims at once, so that their sentences go together."""
    parts = []
    for number, claim in enumerate(claims, start=1):
        quotes = "\n".join(f"Quote: {one_line(quote.text)}" for quote in claim.quotes)
        parts.append(f"Claim {number} ({KINDS[claim.kind]}): {claim.text}\n{quotes}")
    title = evidence.item.title or evidence.item.id
    return prompt("explanation", item=fenced(title, "product"), claims=fenced("\n\n".join(parts), "claims"), number=str(len(claims)))


KINDS = {
    ClaimKind.SUITS: "praises", ClaimKind.NEAR: "praises", ClaimKind.WISH: "praises", ClaimKind.OTHERS: "praises",
    ClaimKind.CARRIES: "praises",
    ClaimKind.DIVIDES: "of two minds", ClaimKind.CAUTION: "warns",
}  # fmt: skip


# Judging -------------------------------------------------------------------------------------------------------------------


def faults_of(text: str, claim: Claim, evidence: Evidence) -> list[str]:
    """What is wrong with a sentence that is to stand for this claim; nothing if it holds."""
    own = QUOTED.sub(" ", text)
    words = len(own.split())
    faults = [] if SHORTEST <= words <= LONGEST else [f"it has {words} words of its own"]
    faults += [f"“{piece}” stands in none of its quotes" for piece in QUOTED.findall(text) if not _verbatim(piece, claim)]
    if any(mark in own for mark in '“”"<>[]{}|`*#'):
        faults.append("it has signs that are no words")
    strange = _strange(own, claim, evidence)
    if strange:
        faults.append(f"nobody speaks of: {', '.join(strange)}")
    if not _says_the_same(own, claim, evidence):
        faults.append("it says something else")
    if not _as_well_carried(own, claim, evidence):
        faults.append("its quotes do not carry it")
    return [*faults, *_turned(own, claim)]


def _verbatim(piece: str, claim: Claim) -> bool:
    """Whether these are a reviewer's own words, to the letter; titles and the reader's phrases may be put in marks, too."""
    bare = piece.strip().rstrip(",.")
    own = [*(quote.text for quote in claim.quotes), *(one.text for one in claim.cited)]
    return any(re.search(rf"(?<!\w){re.escape(bare)}(?!\w)", text) for text in own)


def _strange(text: str, claim: Claim, evidence: Evidence) -> list[str]:
    """The telling words and numbers that stand in nothing the sentence may speak of, where there are too many of them."""
    persona = evidence.engine.persona(claim.persona_id)
    known = " ".join(
        [claim.text, evidence.item.title, persona.description, persona.name, *persona.traits, *(quote.text for quote in claim.quotes)]
    )
    numbers = [number for number in re.findall(r"\d[\d.,]*", text) if number.strip(".,") not in known]
    said = content_words(text)
    allowed = set(content_words(known)) | COMMON
    strange = [word for word in said if word not in allowed]
    return numbers + (strange if len(strange) > (1 - KNOWN) * len(said) else [])


def _says_the_same(text: str, claim: Claim, evidence: Evidence) -> bool:
    one, other = evidence.book.vectors([one_line(text), claim.text])
    return float(one @ other) >= NEAR


def _as_well_carried(text: str, claim: Claim, evidence: Evidence) -> bool:
    """Whether some quote supports the sentence: enough, or about as much as it supports the claim by rule."""
    if claim.kind is ClaimKind.NEAR:
        return True  # it says no more than that people are pleased
    quotes = [quote.text for quote in claim.quotes]
    return max(evidence.about(text, quotes)) >= min(LEAST, LESS * max(evidence.about(claim.text, quotes)))


def _turned(text: str, claim: Claim) -> list[str]:
    """Where a sentence praises what its claim warns of, or the other way round, or takes the reader for one who wants the same."""
    faults = []
    tone, usual = (lexicon_tone(AS_YOU.sub(" ", one)) for one in (text, claim.text))  # to the lexicon, "like" is praise
    if claim.kind is ClaimKind.CAUTION:
        if not WARNS.search(text) or tone > max(0.0, usual) + CONTRARY:
            faults.append("it does not warn")
    elif claim.kind is ClaimKind.DIVIDES:
        if not DIVIDED.search(text):
            faults.append("it hides that people are of two minds")
    elif WARNS.search(text) or tone < min(0.0, usual) - CONTRARY:
        faults.append("it warns where its claim praises")
    if AS_YOU.search(text) and not any(one.shared for one in claim.cited):
        faults.append("it takes the reader for one who wants the same")
    return faults
