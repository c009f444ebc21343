"""The same knowledge from a language model: numbered evidence goes in, and a sentence that cites none of it is refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, NamedTuple

from pydantic import BaseModel, Field

from persona_core.llm.prompts import fenced, plain, prompt
from persona_core.llm.protocol import LanguageModel, Prompt
from persona_core.personas.asking import CLOSED, clipped
from persona_core.personas.aspects import KeptAspect
from persona_core.profiles.asking import evidence_for, phrase_of_like
from persona_core.scenarios.knowledge import About, Between, Ground

PERSON_PROMPT, SCENARIO_PROMPT = "interests", "scenarios"
MOST_LINES_EACH = 14
LONGEST_SENTENCE, LONGEST_QUOTE = 200, 160
Cites = Annotated[list[int], clipped(12), Field(max_length=12)]
Words = Annotated[str, clipped(2 * LONGEST_SENTENCE), Field(max_length=2 * LONGEST_SENTENCE)]


class Wish(BaseModel):
    model_config = CLOSED

    phrase: Words
    cites: Cites


class ShopWish(Wish):
    shop: Words


class Interests(BaseModel):
    model_config = CLOSED

    within: Annotated[list[ShopWish], clipped(24), Field(max_length=24)]
    across: Annotated[list[Wish], clipped(6), Field(max_length=6)]
    only: Annotated[list[ShopWish], clipped(16), Field(max_length=16)]


class Saying(BaseModel):
    model_config = CLOSED

    says: Words
    cites: Cites


class ShopSaying(Saying):
    shop: Words


class Compared(BaseModel):
    model_config = CLOSED

    shops: Annotated[list[ShopSaying], clipped(24), Field(max_length=24)]
    common: Annotated[list[Saying], clipped(8), Field(max_length=8)]
    differ: Annotated[list[Saying], clipped(8), Field(max_length=8)]


class Line(NamedTuple):
    scenarios: tuple[str, ...]
    """Whose line it is: one's, or two's."""
    said: str
    review_id: str = ""


class Told(NamedTuple):
    """What holds of an answer, in words, and how many sentences were refused."""

    text: str
    refused: int


# People ------------------------------------------------------------------------------------------------------------------


def person_lines(ground: Ground, user: str, titles: Sequence[str], aspects: Sequence[KeptAspect]) -> list[Line]:
    """What somebody did and said by scenario, of those in which they were at all."""
    found = []
    for at, name in enumerate(ground.names):
        visits = [visit for visit in ground.world.visits[user] if ground.scenario_of[visit.item] == at]
        lines = evidence_for(visits, titles, aspects, ground.world.now).lines[:MOST_LINES_EACH]
        found += [Line((name,), line.said, line.review_id) for line in lines]
    return found


def person_told(model: LanguageModel, lines: Sequence[Line]) -> Told:
    """What the model says of one person across scenarios. Raises what the model raises."""
    answer = model.ask(_asked(PERSON_PROMPT, lines), Interests).value
    said: list[str] = []
    drafts = [*answer.within, *answer.across, *answer.only]
    for one in answer.within:
        phrase, there = phrase_of_like(one.phrase), _scenarios(one.cites, lines)
        said += [f"In {one.shop} this person {phrase}."] if phrase and there == {one.shop} else []
    for wish in answer.across:
        phrase, there = phrase_of_like(wish.phrase), _scenarios(wish.cites, lines)
        said += [f"Wherever they are, this person {phrase}."] if phrase and len(there) > 1 else []
    for one in answer.only:
        phrase, there = phrase_of_like(one.phrase), _scenarios(one.cites, lines)
        said += [f"Only in {one.shop} this person {phrase}."] if phrase and there == {one.shop} else []
    return Told(" ".join(dict.fromkeys(said)), len(drafts) - len(said))


# Scenarios ---------------------------------------------------------------------------------------------------------------


def scenario_lines(every: Sequence[About], pairs: Sequence[Between]) -> list[Line]:
    """What was counted of each, of every two, and what reviewers wrote in both."""
    found = [Line((one.scenario,), one.text) for one in every]
    for pair in pairs:
        both = (pair.one, pair.other)
        found.append(Line(both, pair.text))
        for reason in pair.reasons[:2]:
            quoted = " / ".join(" ".join(quote.text.split())[:LONGEST_QUOTE] for quote in reason.quotes)
            found += [Line(both, f"One reviewer, in both: {quoted}")] if quoted else []
    return found


def scenarios_told(model: LanguageModel, names: Sequence[str], lines: Sequence[Line]) -> dict[str, Told]:
    """What the model says of each scenario: of itself, and of what it shares with others and where it differs."""
    answer = model.ask(_asked(SCENARIO_PROMPT, lines), Compared).value
    own: dict[str, list[str]] = {name: [] for name in names}
    refused = dict.fromkeys(names, 0)
    for one in answer.shops:
        if one.shop in own:
            held = _sentence(one.says) if one.shop in _scenarios(one.cites, lines) else ""
            own[one.shop] += [held] if held else []
            refused[one.shop] += not held
    for saying in (*answer.common, *answer.differ):
        there = _scenarios(saying.cites, lines)
        held = _sentence(saying.says)
        for name in names:
            if name in there:
                own[name] += [held] if held else []
    return {name: Told(" ".join(dict.fromkeys(said)), refused[name]) for name, said in own.items()}


# Both --------------------------------------------------------------------------------------------------------------------


def _asked(name: str, lines: Sequence[Line]) -> Prompt:
    shops = "; ".join(dict.fromkeys(shop for line in lines for shop in line.scenarios))
    listed = "\n".join(f"{number}. ({'; '.join(line.scenarios)}) {line.said}" for number, line in enumerate(lines, start=1))
    return prompt(name, shops=fenced(shops, "shops"), evidence=fenced(listed, "evidence"), number=str(len(lines)))


def _scenarios(cites: Iterable[int], lines: Sequence[Line]) -> set[str]:
    """Those that the cited lines are of; a number that no line has leads nowhere."""
    return {name for number in cites if 1 <= number <= len(lines) for name in lines[number - 1].scenarios}


def _sentence(draft: str) -> str:
    """One line with its end; empty where it is too long to be one sentence, or says nothing."""
    said = " ".join(plain(draft).split()).strip(" \t\"'“”")
    if len(said) > LONGEST_SENTENCE or not any(letter.isalpha() for letter in said):
        return ""
    return said if said[-1] in ".!?" else f"{said}."
