"""Whether explanations hold: quotes that exist, claims that the demo world's truth bears out, phrases that really made the rank."""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from benchmarks.harness import Options, options_of, report
from persona_core.catalog.choose import choose_source
from persona_core.engine import Engine, Ranked
from persona_core.errors import PersonaError
from persona_core.evaluation.statistics import clustered_interval
from persona_core.evaluation.truth import Truth
from persona_core.profiles.edits import without
from persona_core.schema import Claim, ClaimKind, Quote, Review, Sentiment
from persona_core.settings import DEMO_DATA, default_workspace
from persona_core.steps import pipeline_of
from persona_core.workspace import Workspace

PEOPLE, QUICK_PEOPLE, TOP = 150, 12, 5
OFTEN = 0.25
"""A motive stands behind a need where at least this share of the quotes of personas with that need truly speak of it."""
PACKAGES = ("torch", "numpy")


@dataclass(slots=True)
class Tally:
    """What was found over all recommendations; one entry a thing, with the person it belongs to."""

    people: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    values: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def note(self, name: str, person: str, value: float) -> None:
        self.people[name].append(person)
        self.values[name].append(value)

    def rows(self, seed: int) -> list[dict[str, Any]]:
        rows = []
        for name, values in self.values.items():
            found = clustered_interval(values, self.people[name], seed=seed)
            rows.append({"measure": name, "mean": found.mean, "low": found.low, "high": found.high, "of": len(values)})
        return rows


class Judge:
    """What the truth says of a claim."""

    def __init__(self, engine: Engine, truth: Truth) -> None:
        self._truth = truth
        said: dict[str, Counter[str | None]] = defaultdict(Counter)
        for persona in engine.personas:
            for quote in persona.quotes if persona.traits else ():
                said[persona.traits[0]][self.motive_and_feeling(quote)[0]] += 1
        self._motives = {
            trait: {motive for motive, times in counts.items() if motive and times >= OFTEN * counts.total()}
            for trait, counts in said.items()
        }

    def motive_and_feeling(self, quote: Quote) -> tuple[str | None, Sentiment | None]:
        for one in self._truth.sentences.get(quote.review_id, ()):
            if one.start < quote.end and quote.start < one.end:
                return one.motive, one.sentiment
        return None, None

    def bears_out(self, engine: Engine, claim: Claim) -> bool:
        """One of the quotes truly speaks of what the claim's people want, and none of them of the opposite feeling."""
        persona = engine.persona(claim.persona_id)
        found = [self.motive_and_feeling(quote) for quote in claim.quotes]
        against = Sentiment.POSITIVE if claim.kind is ClaimKind.CAUTION else Sentiment.NEGATIVE
        if claim.kind is not ClaimKind.DIVIDES and any(feeling is against for _, feeling in found):
            return False
        if claim.kind is ClaimKind.NEAR or not persona.traits:
            return True  # it says no more than how people feel
        return any(motive in self._motives[persona.traits[0]] for motive, _ in found)


def main() -> None:
    options = options_of("explanations", __doc__ or "")
    with tempfile.TemporaryDirectory() as scratch:
        engine = Engine.open(_demo(Path(scratch)))
        tally = measured(engine, Truth.read(), QUICK_PEOPLE if options.quick else PEOPLE, options)
    notes = [f"{TOP} recommendations each; intervals of 95%, drawn person by person. Rank losses are in places."]
    report("explanations", options, tally.rows(options.seed), PACKAGES, notes)


def _demo(scratch: Path) -> Workspace:
    """The default workspace, if it holds the demo world whole; else one that is built for this."""
    place = Workspace.at(default_workspace())
    try:
        whole = place.settings.source is not None and place.settings.source.path == DEMO_DATA
        if whole and all(one.state == "done" for one in pipeline_of(place).status()):
            return place
    except PersonaError:
        pass
    place = Workspace.at(scratch / "demo")
    choose_source(place, "demo")
    pipeline_of(place).build()
    return place


def measured(engine: Engine, truth: Truth, people: int, options: Options) -> Tally:
    rng = Random(options.seed)  # nosec B311 # seeded on purpose
    users = sorted(user for user in engine.profiles.users() if user in truth.users)
    judge, tally = Judge(engine, truth), Tally()
    reviews = {item.id: {one.id: one for one in engine.reviews_of(item.id)} for item in engine.items}
    for user in rng.sample(users, min(people, len(users))):
        ranked = engine.rank(engine.profile(user))
        for item in ranked.order[:TOP]:
            _note_claims(engine, ranked, int(item), judge, reviews, tally)
            _note_faith(engine, ranked, int(item), rng, tally)
    return tally


def _note_claims(
    engine: Engine, ranked: Ranked, item: int, judge: Judge, reviews: dict[str, dict[str, Review]], tally: Tally
) -> None:  # fmt: skip
    item_id, person = engine.items[item].id, ranked.profile.user_id
    found = engine.explain(ranked, item_id)
    claims = [*found.claims, *found.cautions]
    for quote in (quote for claim in claims for quote in claim.quotes):
        review = reviews[item_id].get(quote.review_id)
        tally.note("quotes that stand in a review of the item", person, float(review is not None and quote.stands_in(review)))
    for claim in claims:
        tally.note("claims that the truth bears out", person, float(judge.bears_out(engine, claim)))
    tally.note("claims, each", person, float(len(claims)))
    tally.note("with two claims or more", person, float(len(claims) >= 2))
    tally.note("with a claim that speaks for it", person, float(bool(found.claims)))
    tally.note("with something that may disappoint", person, float(bool(found.cautions)))


def _note_faith(engine: Engine, ranked: Ranked, item: int, rng: Random, tally: Tally) -> None:
    """What it costs the item to lose the phrase that its explanation cites first, and what to lose any other phrase."""
    cited = list(dict.fromkeys(_cited_likes(engine, ranked, item)))
    others = [one.text for one in ranked.profile.likes if one.text not in cited]
    if not cited or not others:
        return
    person = ranked.profile.user_id
    losses = [_loss(engine, ranked, item, phrase) for phrase in (cited[0], rng.choice(others))]
    tally.note("ranks lost without the phrase that is cited", person, losses[0])
    tally.note("ranks lost without another phrase", person, losses[1])
    if losses[0] != losses[1]:
        tally.note("the cited phrase costs more, where they differ", person, float(losses[0] > losses[1]))


def _cited_likes(engine: Engine, ranked: Ranked, item: int) -> Iterator[str]:
    likes = {one.text for one in ranked.profile.likes}
    for claim in engine.explain(ranked, engine.items[item].id).claims:
        yield from (one.text for one in claim.cited if one.text in likes and not one.away)


def _loss(engine: Engine, ranked: Ranked, item: int, phrase: str) -> float:
    after = engine.rank(without(ranked.profile, phrase), ranked.options)
    ranks: Sequence[int] = [one.rank(item) or len(one.order) + 1 for one in (ranked, after)]
    return float(np.diff(ranks)[0])


if __name__ == "__main__":
    main()
