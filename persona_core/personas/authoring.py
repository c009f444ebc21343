"""Personas with a language model: it writes them from numbered evidence, and what the evidence does not carry is refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Annotated, NamedTuple

from pydantic import BaseModel, Field

from persona_core.errors import ModelAnswerBad
from persona_core.files import digest
from persona_core.llm.prompts import fenced, plain, prompt
from persona_core.llm.protocol import LanguageModel, Prompt
from persona_core.personas.asking import CLOSED, OR_NOTHING, clipped
from persona_core.personas.aspects import KeptAspect
from persona_core.schema import AspectKind, Item, Persona, Quote, Sentiment, Stance
from persona_core.text.quotes import find_span

MOST_PERSONAS, MOST_QUOTES, MOST_TRAITS = 7, 4, 4
MOST_EVIDENCE, EVIDENCE_BYTES = 60, 12_000
"""Passages in one prompt; their bytes are bounded too, for scripts in which a sign is a token."""
LONGEST_PASSAGE, LONGEST_TEXT, LONGEST_SUMMARY = 240, 300, 600
PLEASED, DISPLEASED = 4.0, 2.0
FILLERS = frozenset(("the", "a", "an"))
GENERIC = frozenset(
    "happy unhappy satisfied dissatisfied pleased displeased disappointed delighted content angry frustrated mixed positive negative "
    "good bad great nice loyal regular typical average general generic common normal ordinary everyday real verified new first "
    "other further any certain specific various critical enthusiastic customer customers buyer buyers purchaser user users "
    "reviewer reviewers review reader readers shopper shoppers consumer consumers client owner owners person persons people "
    "someone individual individuals group type kind critic critics fan fans lover lovers enthusiast enthusiasts product products "
    "item items thing purchase book books persona personas two three word words name title case of and who with".split()
)
WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
QUOTED = re.compile(r"[“\"]([^“”\"]+)[”\"]")
LEAST_QUOTED_WORDS = 3
"""Fewer words in quotation marks may be a manner of speaking."""


class Draft(BaseModel):
    """A persona as the model writes it. What it cites stands first, so that all else is written with that in view."""

    model_config = CLOSED

    cites: Annotated[list[int], clipped(16), Field(max_length=16)]
    name: Annotated[str, clipped(48), OR_NOTHING, Field(max_length=48)]
    description: Annotated[str, clipped(LONGEST_TEXT), OR_NOTHING, Field(max_length=LONGEST_TEXT)]
    rationale: Annotated[str, clipped(LONGEST_TEXT), OR_NOTHING, Field(max_length=LONGEST_TEXT)]
    stance: Stance
    traits: Annotated[list[Annotated[str, clipped(50), Field(max_length=50)]], clipped(MOST_TRAITS), Field(max_length=MOST_TRAITS)]


class Drafts(BaseModel):
    model_config = CLOSED
    personas: Annotated[list[Draft], clipped(MOST_PERSONAS), Field(min_length=1, max_length=MOST_PERSONAS)]


class Authored(NamedTuple):
    """The personas of one item, the heaviest first, and how many had to be dropped for good."""

    personas: tuple[Persona, ...]
    refused: int = 0


class Refused(NamedTuple):
    draft: Draft
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the model is shown of one item: the passage number n is `shown[n - 1]`."""

    summary: str
    shown: tuple[KeptAspect, ...]

    @property
    def most(self) -> int:
        """How many personas it can carry: one where there is one usable review, else no more than reviews, but two."""
        reviews = len({one.aspect.quote.review_id for one in self.shown})
        return 1 if reviews < 2 else min(MOST_PERSONAS, max(2, reviews))

    def cited(self, draft: Draft) -> list[KeptAspect]:
        return [self.shown[number - 1] for number in dict.fromkeys(draft.cites) if 1 <= number <= len(self.shown)]


def author(model: LanguageModel, item_summary: str, aspects: Sequence[KeptAspect]) -> Authored:
    """The personas of the item that these aspects are about. What is refused is asked for once more, then given up.

    Raises what the model raises if its first answer cannot be had; a second one that cannot be read costs only what it was to mend.
    """
    evidence = Evidence(item_summary, chosen(aspects))
    if not evidence.shown:
        return Authored(())
    first = model.ask(prompt_for(evidence), Drafts).value.personas
    kept, refused = _sorted_out(first, evidence, ())
    wanting = refused[: evidence.most - len(kept)]
    more = _asked_again(model, evidence, kept, wanting) if wanting else ()
    ranked = sorted((*kept, *more), key=lambda one: -one.weight)
    return Authored(tuple(ranked), len(wanting) - len(more))


def summary_of(item: Item) -> str:
    """What the model gets to know of the item itself."""
    parts = {"Title": item.title, "Maker": item.maker, "Type": item.attributes.get("type", item.scenario)}
    parts["Description"] = item.description[:LONGEST_SUMMARY]
    return "\n".join(f"{name}: {_one_line(value)}" for name, value in parts.items() if value.strip())


def chosen(aspects: Sequence[KeptAspect]) -> tuple[KeptAspect, ...]:
    """The aspects that are shown, in their order: every review has its say in turn, and says first how good the item is.

    Which reviews come first is drawn by their ids: where not all find room, old and new ones, praise and blame have equal chances.
    """
    by_review: dict[str, list[int]] = {}
    for row in sorted(range(len(aspects)), key=lambda row: aspects[row].aspect.kind is not AspectKind.QUALITY):
        by_review.setdefault(aspects[row].aspect.quote.review_id, []).append(row)
    drawn = [by_review[review] for review in sorted(by_review, key=lambda review: digest(review.encode("utf-8", "replace")))]
    rows: list[int] = []
    room = EVIDENCE_BYTES
    for row in (row for row in chain(*zip_longest(*drawn)) if row is not None):
        room -= len(_passage(aspects[row]).encode("utf-8", "replace"))
        if len(rows) == MOST_EVIDENCE or room < 0:
            break
        rows.append(row)
    return tuple(aspects[row] for row in sorted(rows))


# Asking ------------------------------------------------------------------------------------------------------------------


def prompt_for(evidence: Evidence) -> Prompt:
    """The first time: everything is still to be written."""
    wanted = "exactly 1 kind of person" if evidence.most == 1 else f"2 to {evidence.most} kinds of people"
    return _prompt(evidence, wanted, "")


def prompt_again(evidence: Evidence, kept: Sequence[Persona], refused: Sequence[Refused]) -> Prompt:
    """The second time: what is wanted stands in for what was refused, and the faults are named in words of ours."""
    drafts = "\n".join(f"{number}. {_one_line(one.draft.model_dump_json())}" for number, one in enumerate(refused, start=1))
    faults = "\n".join(f"{number}. {'; '.join(one.faults)}." for number, one in enumerate(refused, start=1))
    notes = f"You wrote these before, and they cannot be used:\n{fenced(drafts, 'refused')}\n\nWhat is wrong with them:\n{faults}\n"
    if kept:
        names = "\n".join(one.name for one in kept)
        notes += f"\nThese names are taken, their personas are finished:\n{fenced(names, 'taken')}\n"
    return _prompt(evidence, f"exactly {len(refused)} in place of those that cannot be used, without these faults,", notes)


def _prompt(evidence: Evidence, wanted: str, notes: str) -> Prompt:
    reviewers: dict[str, int] = {}
    lines = []
    for number, one in enumerate(evidence.shown, start=1):
        reviewer = reviewers.setdefault(one.user_id, len(reviewers) + 1)
        feeling = f", {one.aspect.sentiment}" if one.aspect.kind is AspectKind.QUALITY else ""
        lines.append(f"{number}. [reviewer {reviewer}, {one.aspect.kind}{feeling}] {_passage(one)}")
    item, passages = fenced(evidence.summary, "product"), fenced("\n".join(lines), "passages")
    return prompt("personas", item=item, aspects=passages, wanted=wanted, notes=notes)


def _asked_again(
    model: LanguageModel, evidence: Evidence, kept: Sequence[Persona], refused: Sequence[Refused]
) -> tuple[Persona, ...]:  # fmt: skip
    try:
        drafts = model.ask(prompt_again(evidence, kept, refused), Drafts).value.personas
    except ModelAnswerBad:
        return ()
    return _sorted_out(drafts, evidence, kept)[0][: len(refused)]


# Judging -----------------------------------------------------------------------------------------------------------------


def _sorted_out(
    drafts: Sequence[Draft], evidence: Evidence, before: Sequence[Persona]
) -> tuple[tuple[Persona, ...], tuple[Refused, ...]]:  # fmt: skip
    """The drafts that hold, as personas, as many as there is room for; and the others with what is wrong with them."""
    kept: list[Persona] = []
    refused: list[Refused] = []
    for draft in drafts:
        if len(before) + len(kept) == evidence.most:
            break
        faults = faults_of(draft, evidence, {slug_of(one.name) for one in (*before, *kept)})
        if faults:
            refused.append(Refused(draft, faults))
        else:
            kept.append(_persona(draft, evidence))
    return tuple(kept), tuple(refused)


def faults_of(draft: Draft, evidence: Evidence, taken: set[str]) -> tuple[str, ...]:
    """What is wrong with a draft, in words of ours only: they go back to the model outside any fence."""
    faults = _name_faults(named(draft.name), taken)
    if not evidence.cited(draft):
        faults.append(f"cites must be numbers of passages, from 1 to {len(evidence.shown)}")
    for part, text in (("description", draft.description), ("rationale", draft.rationale)):
        if len(WORD.findall(text)) < 4:
            faults.append(f"the {part} says nothing")
        if not all(_stands(words, evidence) for words in QUOTED.findall(text)):
            faults.append(f"the {part} puts words into quotation marks that stand in no passage")
    return tuple(faults)


def named(text: str) -> str:
    """The name as we write it: without an article or wrapping, every word with a capital, abbreviations left as they are."""
    words = plain(text).strip(" \t\n\"'“”‘’.,:;!*#").split()
    if len(words) > 1 and words[0].lower() in FILLERS:
        words = words[1:]
    shouted = all(word.isupper() for word in words)
    return " ".join("-".join(_capital(part, shouted) for part in word.split("-")) for word in words)


def slug_of(name: str) -> str:
    return re.sub(r"[\W_]+", "-", name.casefold()).strip("-")


def _capital(part: str, shouted: bool) -> str:
    return part[:1].upper() + (part[1:].lower() if shouted and len(part) > 3 else part[1:])


def _name_faults(name: str, taken: set[str]) -> list[str]:
    words = name.split()
    faults = []
    if not 2 <= len(words) <= 3:
        faults.append(f"the name has {len(words)} words; it needs 2 or 3")
    elif not all(WORD.fullmatch(word) for word in words):
        faults.append("the name holds signs that are no letters")
    elif all(word.lower() in GENERIC for word in words):
        faults.append("the name would fit any product; say what sets these people apart")
    elif slug_of(name) in taken:
        faults.append("the name is taken by another persona of this product")
    return faults


def _stands(words: str, evidence: Evidence) -> bool:
    """Whether somebody wrote what stands in quotation marks; the product's own name is no claim."""
    if len(WORD.findall(words)) < LEAST_QUOTED_WORDS:
        return True
    return any(find_span(text, words) for text in (evidence.summary, *(one.text for one in evidence.shown)))


def stance_by(evidence: Sequence[KeptAspect], stance: Stance) -> Stance:
    """The stance, corrected where the passages cited speak against it: who only complains is not suited, whatever the model says."""
    praise, blame = (sum(_verdict(one) is feeling for one in evidence) for feeling in (Sentiment.POSITIVE, Sentiment.NEGATIVE))
    if not praise and not blame:  # nobody judges: their stars do
        ratings = [one.rating for one in evidence if one.rating is not None]
        praise = sum(rating >= PLEASED for rating in ratings)
        blame = sum(rating <= DISPLEASED for rating in ratings)
    if praise and blame:
        outvoted = (stance is Stance.SUITS and blame > praise) or (stance is Stance.DISAPPOINTS and praise > blame)
        return Stance.MIXED if outvoted else stance
    return Stance.SUITS if praise else Stance.DISAPPOINTS if blame else stance


def _verdict(one: KeptAspect) -> Sentiment:
    return one.aspect.sentiment if one.aspect.kind is AspectKind.QUALITY else Sentiment.NEUTRAL


# Putting together --------------------------------------------------------------------------------------------------------


def _persona(draft: Draft, evidence: Evidence) -> Persona:
    cited = evidence.cited(draft)
    name, stance = named(draft.name), stance_by(cited, draft.stance)
    share = len({one.user_id for one in cited}) / len({one.user_id for one in evidence.shown})
    traits = dict.fromkeys(_one_line(plain(trait)).strip(" .;,") for trait in draft.traits)
    return Persona(
        id=f"{cited[0].item_id}:{slug_of(name)}",
        item_id=cited[0].item_id,
        name=name,
        description=_said(draft.description),
        rationale=_said(draft.rationale),
        stance=stance,
        weight=round(max(0.001, share), 3),
        traits=tuple(trait for trait in traits if trait),
        quotes=tuple(_quotes(cited, stance)),
    )


def _quotes(cited: Sequence[KeptAspect], stance: Stance) -> list[Quote]:
    """The passages that carry the stance come first, each from another review while there are others."""
    wanted = {Stance.SUITS: (Sentiment.POSITIVE,), Stance.DISAPPOINTS: (Sentiment.NEGATIVE,)}
    sides = wanted.get(stance, (Sentiment.POSITIVE, Sentiment.NEGATIVE))
    verdicts = [[one for one in cited if _verdict(one) is side] for side in sides]
    ranked = [one for one in chain(*zip_longest(*verdicts)) if one is not None]
    ranked += [one for one in cited if one not in ranked]
    seen: set[str] = set()
    first: list[Quote] = []
    later: list[Quote] = []
    for number, one in enumerate(ranked):
        quote = one.aspect.quote
        # both sides of a mind that is made up in two ways may stand in one review
        fresh = quote.review_id not in seen or (stance is Stance.MIXED and number < len(sides))
        (first if fresh else later).append(quote)
        seen.add(quote.review_id)
    return list(dict.fromkeys((*first, *later)))[:MOST_QUOTES]


def _said(text: str) -> str:
    """A text as it is shown; one that was cut off ends at its last whole sentence, or else its last whole word."""
    said = _one_line(plain(text))
    if len(text) < LONGEST_TEXT or said.endswith((".", "!", "?", "”", '"')):
        return said
    end = max(said.rfind(f"{stop} ") for stop in ".!?")
    return said[: end + 1] if end > LONGEST_TEXT // 3 else f"{said.rsplit(' ', 1)[0]}…"


def _passage(one: KeptAspect) -> str:
    return _one_line(one.text)[:LONGEST_PASSAGE]


def _one_line(text: str) -> str:
    return " ".join(text.split())
