"""Who writes about which purchase, and what: sentences chosen by motive, put in an order, in one person's voice."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from math import prod
from random import Random

from demo_world.blocks import BLOCKS, CHOICE, SLOT, ItemBlock, Line
from demo_world.market import Purchase, Touch
from demo_world.voice import EMOJI, spoken, typed

TEXTS_WANTED = 2900
LEAST_TEXTS_AN_ITEM = 8
OFTEN = 12
"""No wording stands in more than this many reviews: well under 1% of them."""
SPANS_NEW = ("a week", "ten days", "three weeks", "a month", "two weekends")
SPANS = (*SPANS_NEW, "two months", "half a year", "most of a year", "a good four months", "a whole season")
SEASONS = ("winter",) * 2 + ("spring",) * 3 + ("summer",) * 3 + ("autumn",) * 3 + ("winter",)
"""By month of the year."""
TURNS = ("But", "Still,", "Mind you,", "That said,", "Then again,", "On the other hand,", "But then", "Only,")
LOWERABLE = frozenset(
    "the it this my our we they after on for in with when even nothing every once two half a an if no not some as at by from "
    "that there you your one three four took used put had got made tried cannot can't".split()
)
STARS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5} | {str(n): n for n in range(1, 6)}
NAMED_STARS = re.compile(r"\b(?:one|two|three|four|five|[1-5])(?= stars?\b)|(?<=give )five\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sentence:
    """Where a sentence stands in its review and what the truth about it is."""

    start: int
    end: int
    line: Line


@dataclass(frozen=True, slots=True)
class Written:
    text: str
    sentences: tuple[Sentence, ...]


class Author:
    """Writes reviews and remembers every wording, so that none is worn out."""

    def __init__(self, rng: Random, lines: dict[str, list[Line]]) -> None:
        self.rng = rng
        self.general: dict[tuple[str, str, str], list[Line]] = {}
        for scenario, of_scenario in lines.items():
            for line in of_scenario:
                self.general.setdefault((scenario, str(line.motive), _key(line)), []).append(line)
        self.asides = read_asides()
        self.used: Counter[str] = Counter()
        self.wordings: Counter[str] = Counter()

    def write(self, purchase: Purchase) -> Written:
        plan = self._plan(purchase)
        voice, rng = purchase.person.voice, self.rng
        slots = self._slots(purchase)
        angry = purchase.rating == 1
        text, sentences = "", []
        previous = ""
        breaks = len(plan) >= 5 and rng.random() < 0.6
        for place, line in enumerate(plan):
            wording = self._wording(line, slots)
            if wording is None:
                continue
            if _turned(previous, line.mood) and rng.random() < 0.45:
                wording = _with_turn(rng, wording)
            previous = line.mood if line.mood != "neutral" else previous
            sentence = typed(rng, wording, voice, last=place == len(plan) - 1, angry=angry)
            if text:
                text += "\n\n" if breaks and place == len(plan) // 2 else " "
            sentences.append(Sentence(len(text), len(text) + len(sentence), line))
            text += sentence
        if voice.emoji and rng.random() < 0.5:
            text += " " + rng.choice(EMOJI[_mood(purchase)])
        return Written(text, tuple(sentences))

    # What to say -----------------------------------------------------------------------------------------------------

    def _plan(self, purchase: Purchase) -> list[Line]:
        """The sentences of one review, in order."""
        mood, length = _mood(purchase), self._length(purchase)
        touches = self._told(purchase, length)
        if not touches or self.rng.random() < 0.05:
            return [self._aside(f"short_{mood}", purchase)]
        plan: list[Line] = []
        for touch in touches[:1] if mood != "mixed" else touches[:2]:
            self._add(plan, purchase, touch, "quality")
        wishes = self._wishes(touches)
        while len(plan) < length and wishes:
            at = self.rng.choices(range(len(wishes)), [weight for weight, _, _ in wishes])[0]
            _, touch, kind = wishes.pop(at)
            self._add(plan, purchase, touch, kind)
        return self._framed(self._ordered(plan), purchase)

    def _wishes(self, touches: tuple[Touch, ...]) -> list[tuple[float, Touch, str]]:
        """What else one might say, each with how likely it is to be said."""
        first, second, last = touches[0], touches[min(1, len(touches) - 1)], touches[-1]
        return [
            (5, first, "purpose"),
            (4, first, "context"),
            (6 if len(touches) > 1 else 3, second, "quality"),
            (3, first, "preference"),
            (4, first, "quality"),
            (2, last, "quality"),
            (1.5, last, self.rng.choice(("context", "purpose"))),
            (1, second, "preference"),
        ]

    def _told(self, purchase: Purchase, length: int) -> tuple[Touch, ...]:
        """The touches to tell of: those that agree with the stars, the strongest first; three stars tell both sides."""
        praise = [touch for touch in purchase.touches if touch.mood == "positive"]
        fault = [touch for touch in purchase.touches if touch.mood == "negative"]
        mood = _mood(purchase)
        if mood == "mixed":
            both = [side[0] for side in (praise, fault) if side]
            self.rng.shuffle(both)
            return (*both, *praise[1:2], *fault[1:2])
        agreeing, rest = (praise, fault) if mood == "good" else (fault, praise)
        aside = rest if agreeing and length > 1 and self.rng.random() < 0.35 else []
        return tuple([*agreeing, *aside][:3])

    def _add(self, plan: list[Line], purchase: Purchase, touch: Touch, kind: str) -> None:
        """Adds a line of this kind, unless the review has said such a thing already or there is none to say."""
        said = {line.kind for line in plan}
        if kind in said & {"purpose", "context"}:  # nobody has two reasons, or two homes
            return
        filled = {slot for line in plan for slot in SLOT.findall(line.text)} - {"item"}
        lines = [
            line for line in self._lines(purchase.item, touch, kind) if line not in plan and not filled & set(SLOT.findall(line.text))
        ]
        if lines:
            plan.append(self._fresh(lines, purchase.item))

    def _lines(self, item: ItemBlock, touch: Touch, kind: str) -> list[Line]:
        """The item's own lines, or sometimes general ones; what an item is not for gets no general reason or place."""
        key = {"positive": "good", "negative": "bad"}[touch.mood] if kind == "quality" else kind
        own = [line for line in item.lines if line.motive == touch.motive and _key(line) == key]
        general = self.general.get((item.scenario, touch.motive, key), [])
        if touch.mood == "negative" and kind in ("purpose", "context"):
            return own
        prefer_own = self.rng.random() < 0.72
        return (own or general) if prefer_own else (general or own)

    def _aside(self, name: str, purchase: Purchase) -> Line:
        return self._fresh([line for line in self.asides[name] if _agrees(line.text, purchase.rating)], purchase.item)

    def _fresh(self, pool: Iterable[Line], item: ItemBlock) -> Line:
        """The line whose wordings are least worn, on this item most of all, with some luck in it."""

        def wear(line: Line) -> tuple[float, str]:
            uses = self.used[line.id] + 2.0 * self.used[f"{item.id}: {line.id}"] + self.rng.random() * 2.5
            return uses / wordings_of(line.text), line.id

        line = min(pool, key=wear)
        self.used.update((line.id, f"{item.id}: {line.id}"))
        return line

    def _length(self, purchase: Purchase) -> int:
        draw = self.rng.random() * 0.75 + purchase.person.voice.wordy * 0.35
        for length, below in ((1, 0.24), (2, 0.42), (3, 0.6), (4, 0.74), (5, 0.86), (6, 0.94), (7, 1.01)):
            if draw < below:
                return length
        return 8

    def _ordered(self, plan: list[Line]) -> list[Line]:
        """Mostly why, then how it went, then where; sometimes straight to the point, sometimes as it comes."""
        draw = self.rng.random()
        if draw < 0.1:
            self.rng.shuffle(plan)
            return plan
        order = ("purpose", "preference", "quality", "context")
        if draw > 0.75:
            order = ("quality", "purpose", "context", "preference")
        if draw > 0.92:
            order = ("context", "quality", "preference", "purpose")
        return sorted(plan, key=lambda line: order.index(line.kind) if line.kind else 2)

    def _framed(self, plan: list[Line], purchase: Purchase) -> list[Line]:
        """Sometimes with a word before, a word on the side, and a word after."""
        chance, mood = self.rng.random, _mood(purchase)
        one_sided = mood == "mixed" and len({line.mood for line in plan} - {"neutral"}) < 2
        if len(plan) >= 2 and chance() < 0.16:
            plan = [self._aside("opener_long" if len(plan) >= 5 and chance() < 0.3 else "opener", purchase), *plan]
        if len(plan) >= 2 and chance() < 0.07:
            plan = [*plan, self._aside("aside", purchase)]
        if (len(plan) >= 2 and chance() < 0.22) or one_sided:
            plan = [*plan, self._aside(f"closer_{mood}", purchase)]
        return plan

    # How to say it ---------------------------------------------------------------------------------------------------

    def _slots(self, purchase: Purchase) -> dict[str, str]:
        rng, person = self.rng, purchase.person
        return {
            "item": purchase.item.noun,
            "part": rng.choice(purchase.item.parts),
            "person": rng.choice(person.persons),
            "kid": rng.choice(person.kids),
            "span": rng.choice(SPANS_NEW if purchase.item.shape == "new" else SPANS),
            "season": SEASONS[purchase.time.month - 1],
        }

    def _wording(self, line: Line, slots: dict[str, str]) -> str | None:
        """A wording that is not yet worn out; an aside that has none left goes unsaid."""
        tries = [spoken(self.rng, line.text, slots) for _ in range(5)]
        chosen = min(tries, key=lambda wording: self.wordings[wording])
        if self.wordings[chosen] >= OFTEN:
            if line.motive is None:
                return None
            raise ValueError(f"{line.id} is worn out: {chosen!r} would stand in more than {OFTEN} reviews; write more like it")
        self.wordings[chosen] += 1
        return chosen


@cache
def wordings_of(template: str) -> float:
    """About how many different sentences a template gives, so that the richer ones may be used more."""
    choices: int = prod(choice.count("|") + 1 for choice in CHOICE.findall(template))
    return float(min(choices * 2 ** template.count("{"), 24) ** 0.7)


def read_asides() -> dict[str, list[Line]]:
    """Sentences about nothing in particular: openers, closers, whole short reviews."""
    raw = tomllib.loads((BLOCKS / "asides.toml").read_text("utf-8"))
    moods = {"good": "positive", "bad": "negative"}
    return {
        name: [Line(f"asides/{name}/{n}", text, None, moods.get(name.split("_")[-1], "neutral"), None) for n, text in enumerate(texts)]
        for name, texts in raw.items()
    }


def choose_writers(rng: Random, purchases: list[Purchase]) -> set[int]:
    """Positions of the purchases that somebody writes about: talkative people and strong feelings first."""
    keys = {}
    for position, purchase in enumerate(purchases):
        feeling = {1: 1.8, 2: 1.25, 3: 0.95, 4: 0.9, 5: 1.1}[purchase.rating]
        weight = purchase.person.talks * feeling * (1.0 if purchase.touches else 0.12)
        keys[position] = rng.random() ** (1 / weight)
    ranked = sorted(keys, key=lambda position: -keys[position])
    chosen = set(ranked[:TEXTS_WANTED])
    count = Counter(purchases[position].item.id for position in chosen)
    for position in ranked[TEXTS_WANTED:]:
        item = purchases[position].item.id
        if count[item] < LEAST_TEXTS_AN_ITEM and purchases[position].touches:
            chosen.add(position)
            count[item] += 1
    return chosen


def _mood(purchase: Purchase) -> str:
    return {1: "bad", 2: "bad", 3: "mixed"}.get(purchase.rating, "good")


def _key(line: Line) -> str:
    """The key a line was authored under."""
    return line.id.split("/")[-2]


def _agrees(aside: str, rating: int) -> bool:
    """Whether the stars that an aside names, if it names any, are those that were given."""
    return all(STARS[found[0].lower()] == rating for found in NAMED_STARS.finditer(aside))


def _turned(before: str, now: str) -> bool:
    return {before, now} == {"positive", "negative"}


def _with_turn(rng: Random, wording: str) -> str:
    """The sentence with a turning word before it, where its first word can lose its capital."""
    first = wording.split(" ", maxsplit=1)[0]
    if first.lower() not in LOWERABLE:
        return wording
    return f"{rng.choice(TURNS)} {wording[0].lower()}{wording[1:]}"
