"""The second teacher: a language model reads what somebody wrote of an item and says which of its personas they are.

The first teacher, hindsight, compares vectors; it always finds a nearest persona. This one may say that none fits, and how sure it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import NamedTuple

import numpy as np
from pydantic import BaseModel, Field, create_model

from persona_core.alignment.pairs import LIKED, NOBODY, Pairs, World
from persona_core.errors import ModelAnswerBad
from persona_core.files import digest
from persona_core.llm.prompts import fenced, prompt
from persona_core.llm.protocol import LanguageModel, Prompt
from persona_core.personas.asking import CLOSED, shown
from persona_core.schema import Persona, Review

QUOTED = re.compile('(?:[^.!?“”"]*:\\s*)?“.*”|"[^"]*"', re.DOTALL)
"""Words of reviewers in a description, with the clause that introduces them ("As one of them says: …")."""
MOST_REVIEWS = 3
"""Of one person on one item, the newest; they must leave room for the personas."""
Key = tuple[str, int]
"""Who came to what: the user's id and the item's code, as pairs have them."""


class Sure(StrEnum):
    """How sure the judge says it is; the surest first."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    def reaches(self, least: Sure) -> bool:
        order = list(Sure)
        return order.index(self) <= order.index(least)


class Choice(BaseModel):
    """What the model answers; `choice_among` says which numbers there are."""

    model_config = CLOSED

    persona: int
    sure: Sure


@dataclass(frozen=True, slots=True)
class Question:
    """Which of these personas, by their rows and in the order they are shown in, is the writer of these reviews?"""

    user_id: str
    item: int
    reviews: tuple[str, ...]
    rows: tuple[int, ...]


class Verdict(NamedTuple):
    persona: int
    """A row of the world's personas; NOBODY if the judge says that none of them is the writer."""
    sure: Sure
    among: int
    """How many personas there were to choose from."""


@dataclass(frozen=True, slots=True)
class Judged:
    verdicts: Mapping[Key, Verdict]
    failed: int = 0
    """How many questions the model could not answer; those are left to hindsight."""

    def personas(self, least: Sure = Sure.HIGH) -> dict[Key, int]:
        """The persona, or NOBODY, of each pair that the judge is at least so sure of."""
        return {key: verdict.persona for key, verdict in self.verdicts.items() if verdict.sure.reaches(least)}


class Agreement(NamedTuple):
    """How far the two teachers say the same of the pairs that both have looked at."""

    pairs: int
    none: float
    """The share of them of which the judge says that no persona fits."""
    same: float
    """The share of the others in which both name the same persona."""
    by_chance: float
    """What `same` would be if the judge drew its answers."""


def judged_personas(
    model: LanguageModel, world: World, reviews_by_id: Mapping[str, Review], tell: Callable[[int, int, str], None] = lambda *_: None
) -> Judged:
    """What the judge says of every liked item that its person wrote about, one question each."""
    questions = questions_in(world, reviews_by_id)
    verdicts: dict[Key, Verdict] = {}
    for number, question in enumerate(questions, start=1):
        verdict = verdict_on(model, world.personas, question)
        if verdict is not None:
            verdicts[question.user_id, question.item] = verdict
        tell(number, len(questions), "reviews")
    return Judged(verdicts, len(questions) - len(verdicts))


def questions_in(world: World, reviews_by_id: Mapping[str, Review]) -> list[Question]:
    """One question for each liked item that its person wrote about and that is known to suit somebody."""
    rows_of: dict[int, list[int]] = {}
    for row, (item, disappoints) in enumerate(zip(world.persona_items.tolist(), world.disappoints.tolist(), strict=True)):
        if not disappoints:  # who liked an item is nobody whom it disappoints
            rows_of.setdefault(item, []).append(row)
    questions = []
    for user in sorted(world.visits):
        visits = world.visits[user]
        for item in sorted({visit.item for visit in visits if visit.pleased >= LIKED} & rows_of.keys()):
            reviews = [reviews_by_id[one.review_id].text for one in visits if one.item == item and one.review_id in reviews_by_id]
            spoken = [text for text in reviews if any(letter.isalpha() for letter in text)][-MOST_REVIEWS:]
            if spoken:
                questions.append(Question(user, item, tuple(spoken), _mixed(user, world.personas, rows_of[item])))
    return questions


def verdict_on(model: LanguageModel, known: Sequence[Persona], question: Question) -> Verdict | None:
    """The judge's answer; None if the model had none to give. Safe to call from several threads, as the model is."""
    try:
        choice = model.ask(prompt_for(known, question), choice_among(len(question.rows))).value
    except ModelAnswerBad:
        return None
    if not 0 <= choice.persona <= len(question.rows):
        return None
    row = question.rows[choice.persona - 1] if choice.persona else NOBODY
    return Verdict(row, choice.sure, len(question.rows))


def prompt_for(known: Sequence[Persona], question: Question) -> Prompt:
    """The personas by number, without any words of reviewers: those may be the writer's own, and would give the answer away."""
    personas = (known[row] for row in question.rows)
    lines = [
        f"{number}. {' '.join(one.name.split())}: {in_other_words(one.description)}".rstrip(": ")
        for number, one in enumerate(personas, start=1)
    ]
    reviews = [fenced(shown(text), f"review {number}") for number, text in enumerate(question.reviews, start=1)]
    return prompt(
        "persona_judge", personas=fenced("\n".join(lines), "kinds of people"), reviews="\n\n".join(reviews), number=str(len(lines))
    )


def in_other_words(description: str) -> str:
    """The description without what it quotes, on one line: so that it cannot add a number of its own to the list."""
    return " ".join(QUOTED.sub("", description).split())


@cache
def choice_among(number: int) -> type[Choice]:
    """The form of an answer where there are so many personas: the model is asked again if it names another number."""
    return create_model("Choice", __base__=Choice, persona=(int, Field(ge=0, le=number)))


def with_teacher(pairs: Pairs, judged: Judged, least: Sure = Sure.HIGH) -> Pairs:
    """The pairs with the judge's persona where it is sure, be it that there is none; the others keep hindsight's."""
    known = judged.personas(least)
    keys = zip(pairs.user.tolist(), pairs.item.tolist(), pairs.persona.tolist(), strict=True)
    personas = [known.get((pairs.users[user], item), before) for user, item, before in keys]
    return replace(pairs, persona=np.array(personas, np.int32))


def agreement(hindsight: Pairs, judged: Judged, least: Sure = Sure.LOW) -> Agreement:
    """Compares the judge with pairs that hindsight has taught, where the judge is at least so sure."""
    both = []
    for user, item, persona in zip(hindsight.user.tolist(), hindsight.item.tolist(), hindsight.persona.tolist(), strict=True):
        verdict = judged.verdicts.get((hindsight.users[user], item))
        if persona != NOBODY and verdict is not None and verdict.sure.reaches(least):
            both.append((persona, verdict))
    named = [(persona, verdict) for persona, verdict in both if verdict.persona != NOBODY]
    return Agreement(
        pairs=len(both),
        none=_share(len(both) - len(named), len(both)),
        same=_share(sum(persona == verdict.persona for persona, verdict in named), len(named)),
        by_chance=_share(sum(1 / verdict.among for _, verdict in named), len(named)),
    )


def _share(part: float, whole: int) -> float:
    return part / whole if whole else 0.0


def _mixed(user: str, personas: Sequence[Persona], rows: list[int]) -> tuple[int, ...]:
    """Another order for everybody, always the same one: models favour what stands first, and that must favour no persona."""
    return tuple(sorted(rows, key=lambda row: digest(f"{user}\n{personas[row].id}".encode("utf-8", "replace"))))
