"""Two more judges of ways to see people, and how far they agree with the ranking judge.

One asks a model whether the person, told in this way, will like a thing that they came to since; the other lets a small language
model read on from the person to that thing and takes how likely it finds the words. Both are slow, so both hear some people only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from pydantic import BaseModel

from persona_core.evaluation.statistics import clustered_interval
from persona_core.llm.prompts import fenced, prompt
from persona_core.llm.protocol import LanguageModel
from persona_core.personas.asking import CLOSED
from persona_core.profiles.asking import DISLIKED, LIKED
from persona_core.profiles.evidence import Visit
from persona_core.profiles.ways.exploring import Way
from persona_core.schema import Item

Feeling = Literal["like", "neutral", "dislike"]
Verdicts = Mapping[str, Mapping[str, float]]
"""By person and way: the more, the better."""
MOST_THINGS, MOST_RECENT = 3, 5
"""So many things that they came to since are asked about, beside so many of their newest visits."""


class Heard(NamedTuple):
    """One person before the two judges: the newest visits, which stay raw, and what came since."""

    user_id: str
    recent: tuple[Visit, ...]
    since: tuple[Visit, ...]


class SecondJudge(Protocol):
    @property
    def name(self) -> str: ...

    def verdicts(self, person: Heard, ways: Sequence[Way]) -> list[float]:
        """For each way; only differences between the ways of one person mean anything."""


def feeling_of(pleased: float) -> Feeling:
    """The thresholds are those by which everything here tells liked from disliked."""
    return "like" if pleased >= LIKED else "dislike" if pleased <= DISLIKED else "neutral"


def told_lines(recent: Sequence[Visit], items: Sequence[Item]) -> str:
    """The newest visits as both judges read them, the newest first."""
    newest = sorted(recent, key=lambda one: -one.time)[:MOST_RECENT]
    return "\n".join(f"- {feeling_of(one.pleased)}: {' '.join(items[one.item].title.split())}" for one in newest)


# Asking whether they will like it ----------------------------------------------------------------------------------------


class Feels(BaseModel):
    model_config = CLOSED

    feels: Feeling


@dataclass(frozen=True)
class AskingJudge:
    """How often a model that knows the person in this way foretells how they felt."""

    model: LanguageModel
    items: Sequence[Item]

    @property
    def name(self) -> str:
        return f"{self.model.name}, asked"

    def verdicts(self, person: Heard, ways: Sequence[Way]) -> list[float]:
        return [float(np.mean([self._foretells(person, way, one) for one in person.since[:MOST_THINGS]])) for way in ways]

    def _foretells(self, person: Heard, way: Way, came: Visit) -> bool:
        thing = self.items[came.item]
        wanted = prompt(
            "liking",
            profile=fenced(way.lines, "profile"),
            recent=fenced(told_lines(person.recent, self.items) or "- nothing", "recent"),
            thing=fenced(f"{thing.title}\n{thing.description[:400]}", "thing"),
        )
        return self.model.ask(wanted, Feels).value.feels == feeling_of(came.pleased)


# Reading on --------------------------------------------------------------------------------------------------------------

READ = "Somebody of whom this is known:\n{profile}\nLately:\n{recent}\nNext they chose:\n"
LONGEST_THING = 160


@dataclass(frozen=True)
class ReadingJudge:
    """How likely a small language model finds the words of what they came to and liked, a token in the mean."""

    model: Any
    tokenizer: Any
    items: Sequence[Item]
    name: str

    def verdicts(self, person: Heard, ways: Sequence[Way]) -> list[float]:
        liked = [one for one in person.since if feeling_of(one.pleased) == "like"][:MOST_THINGS]
        recent = told_lines(person.recent, self.items)
        asked = [(READ.format(profile=way.lines, recent=recent), self._words(one)) for way in ways for one in liked]
        found = self._likely(asked)
        many = max(len(liked), 1)
        return [float(np.mean(found[start : start + many])) if liked else 0.0 for start in range(0, len(ways) * many, many)]

    def _words(self, came: Visit) -> str:
        thing = self.items[came.item]
        return " ".join(f"{thing.title}. {thing.description}".split())[:LONGEST_THING]

    def _likely(self, asked: Sequence[tuple[str, str]], at_once: int = 6) -> list[float]:
        """Only the words' own places meet the vocabulary: that is the dear part."""
        import torch

        found: list[float] = []
        with torch.no_grad():
            for start in range(0, len(asked), at_once):
                some = [(self._ids(before, True), self._ids(words, False)) for before, words in asked[start : start + at_once]]
                longest = max(len(before) + len(words) for before, words in some)
                kept = max(len(words) for _, words in some)
                tokens = torch.tensor([[0] * (longest - len(one) - len(two)) + one + two for one, two in some])
                there = torch.tensor([[0] * (longest - len(a) - len(b)) + [1] * (len(a) + len(b)) for a, b in some])
                logits = self.model(input_ids=tokens, attention_mask=there, logits_to_keep=kept + 1).logits
                for row, (_, words) in enumerate(some):
                    logs = torch.log_softmax(logits[row, -len(words) - 1 : -1].float(), -1)
                    found.append(float(logs[torch.arange(len(words)), torch.tensor(words)].mean()))
        return found

    def _ids(self, text: str, begins: bool) -> list[int]:
        found: list[int] = self.tokenizer(text, add_special_tokens=begins)["input_ids"]
        return found


# Agreement ---------------------------------------------------------------------------------------------------------------


class Agreement(NamedTuple):
    """Of two ways to see the same person that both judges tell apart, how often both find the same one better; 0.5 is chance."""

    people: int
    pairs: int
    same: float
    low: float
    high: float


def agreement(one: Verdicts, other: Verdicts, seed: int = 7) -> Agreement | None:
    """None where there is no pair that both tell apart."""
    same: list[float] = []
    people: list[str] = []
    for user in sorted(set(one) & set(other)):
        for a, b in combinations(sorted(set(one[user]) & set(other[user])), 2):
            both = (one[user][a] - one[user][b]) * (other[user][a] - other[user][b])
            if both:
                same.append(float(both > 0))
                people.append(user)
    if not same:
        return None
    interval = clustered_interval(np.array(same), people, seed=seed)
    return Agreement(len(set(people)), len(same), float(np.mean(same)), interval.low, interval.high)


def heard(
    judge: SecondJudge, people: Sequence[Heard], ways: Mapping[str, Sequence[Way]],
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, dict[str, float]]:  # fmt: skip
    """What it says of each person's ways."""
    found = {}
    for number, person in enumerate(people, start=1):
        own = ways[person.user_id]
        found[person.user_id] = dict(zip([way.key for way in own], judge.verdicts(person, own), strict=True))
        tell(number, len(people))
    return found
