"""Forms of a profile to compare with: fixed ones that anybody could write down, and what a taught generator writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path

import orjson

from benchmarks.harness import told
from persona_core.alignment.taste import said_in
from persona_core.personas.reading import Judge
from persona_core.profiles.ways.aligning import align
from persona_core.profiles.ways.asking import prompt_of
from persona_core.profiles.ways.exploring import Way, explored, plain_head
from persona_core.profiles.ways.judging import Person, RankingJudge
from persona_core.profiles.ways.styles import Past, empty
from persona_core.profiles.ways.teaching import Recipe, Stage, written
from persona_core.profiles.ways.written import Candidate, from_lines
from persona_core.progress import Meter
from persona_core.schema import Phrase, Sentiment
from persona_core.workspace import Workspace

Ways = Mapping[str, Way]
"""By person."""
MOST_WORDS = 8
MOST_TITLES = 6
SAMPLES = 3


def keywords(past: Past) -> Candidate:
    """The words that their passages are filed under, the most frequent first."""
    good, bad = _labels(past)
    profile = empty(past).model_copy(update={
        "likes": tuple(Phrase(text=one) for one in good),
        "dislikes": tuple(Phrase(text=one, fault=True) for one in bad if one not in good),
    })  # fmt: skip
    return Candidate("fixed", "keywords", "", profile)


def json_summary(past: Past) -> Candidate:
    good, bad = _labels(past)
    titles = [past.titles[one.item] for one in reversed(past.visits)][:MOST_TITLES]
    said = {"interactions": len(past.visits), "recent_titles": titles, "liked_aspects": good, "disliked_aspects": bad}
    return Candidate("fixed", "JSON summary", "", empty(past).model_copy(update={"text": orjson.dumps(said).decode()}))


def _labels(past: Past) -> tuple[list[str], list[str]]:
    sides: tuple[Counter[str], Counter[str]] = Counter(), Counter()
    for visit in past.visits:
        for row in visit.rows:
            aspect = past.aspects[row].aspect
            sides[aspect.sentiment is Sentiment.NEGATIVE][aspect.label] += 1
    good, bad = ([word for word, _ in side.most_common(MOST_WORDS)] for side in sides)
    return good, bad


class Forms:
    """Candidates held to people's histories, like every other way to see them."""

    def __init__(self, pasts: Mapping[str, Past], judge: RankingJudge) -> None:
        self.pasts = pasts
        self.judge = judge
        self.reader, self.plain = Judge.load(), plain_head(judge.book)

    def ways(self, candidates: Mapping[str, Candidate]) -> Ways:
        """Of those whose candidate says anything."""
        book = self.judge.book.ahead(said_in(one.profile for one in candidates.values()))
        found = {user: explored(self.pasts[user], None, [one], book, self.reader, self.plain) for user, one in candidates.items()}
        return {user: ways[0] for user, ways in found.items() if ways}

    def fixed(self, people: Sequence[Person]) -> Iterator[tuple[str, Ways]]:
        for name, made in (("a fixed keyword profile", keywords), ("a fixed JSON summary", json_summary)):
            yield name, self.ways({one.user_id: made(self.pasts[one.user_id]) for one in people})

    def generated(self, source: Workspace, weights: Path, people: Sequence[Person], seed: int) -> Iterator[tuple[str, Ways]]:
        """What the generator writes of people it never learned from: as it comes, best of several, and after each stage."""
        meter = Meter(told, "profile_model", "Teaching a generator", 1, 1)
        taught, _ = align(source, weights, Recipe(seed=seed), lambda stage, done, total: meter.working(done, total, stage))
        prompts = [prompt_of(self.pasts[one.user_id]) for one in people]

        def write(stage: Stage | None, name: str, *, warmth: float = 0.0, draw: int = 0) -> Ways:
            taught.wear(stage)
            texts = written(taught.model, taught.tokenizer, prompts, at_once=16, warmth=warmth, seed=seed + draw)
            return self.ways({
                one.user_id: Candidate(name, "written", "", from_lines(text, empty(self.pasts[one.user_id])))
                for one, text in zip(people, texts, strict=True)
            })  # fmt: skip

        yield "the base generator", write(None, "base")
        imitation = write("sft", "sft")
        yield "taught by imitation (SFT)", imitation
        drawn = [write("sft", f"sft {draw}", warmth=1.0, draw=draw) for draw in range(SAMPLES)]
        yield f"the best of {SAMPLES} of these, by the judge", {one.user_id: way for one in people if (way := self._best(one, drawn))}
        yield "taught by preference (DPO)", write("dpo", "dpo")

    def _best(self, person: Person, drawn: Sequence[Ways]) -> Way | None:
        """By what is known: the one that, without the newest visits, puts those highest."""
        own = [ways[person.user_id] for ways in drawn if person.user_id in ways]
        liked = tuple(one.item for one in person.recent)
        if not own or not liked:
            return next(iter(own), None)
        _, worths = self.judge.worths(person._replace(recent=(), next=liked), [way.profile for way in own])
        return max(zip(worths, count(), own, strict=False), key=lambda one: (one[0].gain, -one[1]))[2]
