"""Profiles with a language model: it reads what somebody wrote and came to, and a phrase that cites none of it is refused."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from persona_core.llm.prompts import fenced, plain, prompt
from persona_core.llm.protocol import LanguageModel, Prompt
from persona_core.personas.asking import CLOSED, OR_NOTHING, clipped
from persona_core.personas.aspects import KeptAspect
from persona_core.profiles.building import MOST_DISLIKES, MOST_LIKES, TOLD
from persona_core.profiles.evidence import UNRATED, Visit, pleased
from persona_core.schema import AspectKind, Phrase, Profile
from persona_core.text.sentences import sentence_spans

MOST_LINES, MOST_TITLES, MOST_OF_ONE = 40, 12, 6
"""Lines of evidence in one prompt; among them titles without words, and passages of one review."""
EVIDENCE_BYTES = 12_000
"""The lines' bytes are bounded too, for scripts in which a sign is a token."""
LONGEST_PASSAGE, LONGEST_TITLE = 240, 80
LONGEST_PHRASE, LONGEST_TEXT, LONGEST_SENTENCE = 60, 400, 160
LONGEST_DRAFT = 800
"""Of the text as the model writes it; what is cut there is cut in a sentence."""
LIKED, DISLIKED = pleased(3.5), pleased(2.5)

OPENS = re.compile(r"They (?:also )?(?:want|need|like|love|enjoy|prefer|value|look for|decide|choose|buy|use)\b")
"""How a sentence begins that says what somebody wants or how they decide; what else a model may write would be misread."""
NEGATES = re.compile(
    r"\b(?:not|cannot|avoids?|dislikes?|hates?|loathes?|(?:tired|sick) of|fed up|no interest|no more)\b|n['’]t\b", re.IGNORECASE
)
"""More than alignment/taste.py takes for a refusal: a sentence that wants one thing must not be read as refusing another."""
SUBJECT = re.compile(r"^(?:they|(?:the|this) (?:person|reviewer|reader|buyer|customer|user))\s+", re.IGNORECASE)
REFUSAL = re.compile(
    r"^(?:would rather not have|(?:do|does)(?: not|n['’]t) (?:like|want)|dislikes?|hates?|avoids?)\s+", re.IGNORECASE
)  # fmt: skip
LOOSE_END = re.compile(
    r"(?:[\s,;:–—-]+(?:and|or|but|with|for|from|that|which|when|the|an?|to|of|in|on|at|as|not))*[\s,;:–—-]*$", re.IGNORECASE
)
SURROUNDING = " \t\"'“”‘’*•.!?;,:-–—"


def _nearest_strength(value: object) -> object:
    """A number beyond the three is meant as the nearest of them."""
    return min(3, max(1, round(value))) if isinstance(value, int | float) and abs(value) < 1e6 else value


class Drafted(BaseModel):
    """A phrase as the model writes it. What it cites stands first, so that the words are written with that in view."""

    model_config = CLOSED

    cites: Annotated[list[int], clipped(12), Field(max_length=12)]
    phrase: Annotated[str, clipped(2 * LONGEST_PHRASE), OR_NOTHING, Field(max_length=2 * LONGEST_PHRASE)]


class DraftedLike(Drafted):
    strength: Annotated[int, BeforeValidator(_nearest_strength), Field(ge=1, le=3)]


class DraftedDislike(Drafted):
    fault: bool


DraftedT = TypeVar("DraftedT", bound=Drafted)


class Portrait(BaseModel):
    """What the model answers; one that names nothing at all is no answer."""

    model_config = CLOSED

    likes: Annotated[list[DraftedLike], clipped(2 * MOST_LIKES), Field(max_length=2 * MOST_LIKES)]
    dislikes: Annotated[list[DraftedDislike], clipped(2 * MOST_DISLIKES), Field(max_length=2 * MOST_DISLIKES)]
    text: Annotated[str, clipped(LONGEST_DRAFT), OR_NOTHING, Field(max_length=LONGEST_DRAFT)]

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.likes and not self.dislikes:
            raise ValueError("there is neither a like nor a dislike")
        return self


class Written(NamedTuple):
    """One person's profile in the model's words, None where nothing of its answer holds; and how many phrases were refused."""

    profile: Profile | None
    refused: int


class Line(NamedTuple):
    review_id: str
    said: str
    """As the model reads it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the model is shown of one person: the line number n is `lines[n - 1]`. Empty where they wrote nothing usable."""

    lines: tuple[Line, ...]

    def cited(self, cites: Sequence[int]) -> tuple[str, ...]:
        """The reviews that these numbers lead to; a number that no line has leads nowhere."""
        return tuple(dict.fromkeys(self.lines[number - 1].review_id for number in cites if 1 <= number <= len(self.lines)))


def profile_asked(model: LanguageModel, known: Profile, evidence: Evidence) -> Written:
    """The profile `known` (its person and their history) in the model's words. Raises what the model raises."""
    return profile_from(model.ask(prompt_for(evidence), Portrait).value, known, evidence)


# Asking ------------------------------------------------------------------------------------------------------------------


def evidence_for(visits: Sequence[Visit], titles: Sequence[str], aspects: Sequence[KeptAspect], now: int) -> Evidence:
    """What somebody said and came to until `now`, the newest first: what they said, then things without words, while there is room.

    `titles` are by the items' codes, `aspects` by the rows that visits name.
    """
    before = sorted((one for one in visits if one.time <= now), key=lambda one: -one.time)
    said = [Line(one.review_id, _passage(aspects[row], titles[one.item])) for one in before for row in one.rows[:MOST_OF_ONE]]
    if not said:
        return Evidence(())
    silent = [Line(one.review_id, f"[{felt}, no words] {_title(titles[one.item])}") for one in before if (felt := _felt(one))]
    return Evidence(_within_room([*said, *silent[:MOST_TITLES]]))


def prompt_for(evidence: Evidence) -> Prompt:
    lines = "\n".join(f"{number}. {line.said}" for number, line in enumerate(evidence.lines, start=1))
    return prompt("profile", evidence=fenced(lines, "evidence"), number=str(len(evidence.lines)))


def _passage(one: KeptAspect, title: str) -> str:
    stars = "" if one.rating is None else f", {one.rating:g} of 5 stars"
    feeling = f", {one.aspect.sentiment}" if one.aspect.kind is AspectKind.QUALITY else ""
    return f"[“{_title(title)}”{stars}, {one.aspect.kind}{feeling}] {_one_line(one.text)[:LONGEST_PASSAGE]}"


def _felt(visit: Visit) -> str:
    """How somebody felt who said nothing; empty where they did say something, or were of two minds."""
    if visit.rows or DISLIKED < visit.pleased < LIKED:
        return ""
    if visit.pleased == UNRATED:
        return "chosen"
    return "liked" if visit.pleased >= LIKED else "disliked"


def _within_room(lines: Sequence[Line]) -> tuple[Line, ...]:
    kept: list[Line] = []
    room = EVIDENCE_BYTES
    for line in lines[:MOST_LINES]:
        room -= len(line.said.encode("utf-8", "replace"))
        if room < 0:
            break
        kept.append(line)
    return tuple(kept)


def _title(text: str) -> str:
    return _one_line(text)[:LONGEST_TITLE]


def _one_line(text: str) -> str:
    return " ".join(text.split())


# Judging -----------------------------------------------------------------------------------------------------------------


def profile_from(portrait: Portrait, known: Profile, evidence: Evidence) -> Written:
    """What of the answer stands on the evidence, as a profile."""
    likes, groundless = _likes(portrait.likes, evidence)
    dislikes, others = _dislikes(portrait.dislikes, evidence, {one.text.casefold() for one in likes})
    refused = groundless + others
    if not likes and not dislikes:
        return Written(None, refused)
    text = text_from(portrait.text if likes else "", [one.text for one in dislikes])
    return Written(known.model_copy(update={"likes": likes, "dislikes": dislikes, "text": text}), refused)


def text_from(draft: str, avoid: Sequence[str]) -> str:
    """The model's sentences on what they want and how they decide; what they refuse is told of their dislikes alone, by rule."""
    refusals = [f"They would rather not have {text}." for text in avoid[:TOLD]]
    room = LONGEST_TEXT - sum(len(one) + 1 for one in refusals)
    said: list[str] = []
    for sentence in dict.fromkeys(_sentences(draft)):
        if len(sentence) > LONGEST_SENTENCE or not OPENS.match(sentence) or NEGATES.search(sentence):
            continue
        room -= len(sentence) + 1
        if room < 0:
            break
        said.append(sentence)
    return " ".join([*said, *refusals])


def phrase_of_like(draft: str) -> str:
    """The phrase as it stands among the likes; empty where it says nothing, or says what they do not want."""
    said = _bare(draft)
    return "" if REFUSAL.match(said) else _short(said)


def phrase_of_dislike(draft: str) -> str:
    """The phrase as it stands after "They would rather not have"; empty where it says nothing."""
    return _short(REFUSAL.sub("", _bare(draft)))


def _bare(draft: str) -> str:
    """One thing: without quotation marks, without who it is about, and without a second sentence."""
    said = _one_line(plain(draft)).strip(SURROUNDING)
    first = [said[start:end] for start, end in sentence_spans(said)[:1]]
    return SUBJECT.sub("", "".join(first).strip(SURROUNDING))


def _short(said: str) -> str:
    """At most so long, in whole words; scripts that put no spaces between them are cut anywhere."""
    if len(said) > LONGEST_PHRASE:
        said = LOOSE_END.sub("", said[: LONGEST_PHRASE + 1].rpartition(" ")[0] or said[:LONGEST_PHRASE])
    return said if any(letter.isalpha() for letter in said) else ""


def _likes(drafts: Sequence[DraftedLike], evidence: Evidence) -> tuple[tuple[Phrase, ...], int]:
    """Those that hold, the strongest first, with strengths about 1; and how many were refused."""
    kept = _grounded([(one, phrase_of_like(one.phrase)) for one in drafts], evidence, ())
    chosen = sorted(kept, key=lambda pair: -pair[0].strength)[:MOST_LIKES]
    middle = sum(one.strength for one, _ in chosen) / max(len(chosen), 1)
    phrases = (phrase.model_copy(update={"strength": round(one.strength / middle, 2)}) for one, phrase in chosen)
    return tuple(phrases), len(drafts) - len(kept)


def _dislikes(drafts: Sequence[DraftedDislike], evidence: Evidence, taken: Collection[str]) -> tuple[tuple[Phrase, ...], int]:
    """Those that hold, in their order; nobody likes and dislikes the same."""
    kept = _grounded([(one, phrase_of_dislike(one.phrase)) for one in drafts], evidence, taken)
    phrases = (phrase.model_copy(update={"fault": one.fault}) for one, phrase in kept[:MOST_DISLIKES])
    return tuple(phrases), len(drafts) - len(kept)


def _grounded(drafts: Sequence[tuple[DraftedT, str]], evidence: Evidence, taken: Collection[str]) -> list[tuple[DraftedT, Phrase]]:
    """The drafts that say something new and cite something real, each with its phrase."""
    kept: dict[str, tuple[DraftedT, Phrase]] = {}
    for one, text in drafts:
        reviews = evidence.cited(one.cites)
        if text and reviews and text.casefold() not in {*taken, *kept}:
            kept[text.casefold()] = one, Phrase(text=text, review_ids=reviews)
    return list(kept.values())


def _sentences(draft: str) -> list[str]:
    """The draft's sentences, each with its end; one that was cut off is none."""
    said = _one_line(plain(draft))
    found = [said[start:end] for start, end in sentence_spans(said)]
    if found and found[-1][-1] not in ".!?" and len(draft) >= LONGEST_DRAFT:
        found.pop()
    return [one if one[-1] in ".!?" else f"{one.rstrip(SURROUNDING)}." for one in found]
