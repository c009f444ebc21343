"""Reasons without quotes, from what can be counted: who also came to it, how many lately; and how sure an explanation is."""

from __future__ import annotations

import numpy as np

from persona_core.explain.claims import FAR, Found, shares_a_wish
from persona_core.explain.evidence import Evidence
from persona_core.explain.grammar import counted, listed
from persona_core.profiles.evidence import DAY
from persona_core.ranking.parts import HABIT, PARTS, POPULARITY, TASTE, TREND
from persona_core.schema import Certainty, ClaimKind, Persona, Reason, Stance
from persona_core.trends.signals import number

MOST_NAMED = 2
HALF_LIVES = 2
"""So far back, in half-lives of popularity, is "lately"."""
SOUGHT = 0.2
"""Only items in this first share of all count as popular."""
RISING, TIMES = 0.15, 1.3
"""From so much more than usual is foretold, as a logarithm, an item rises; from so many times its usual that is said."""
CLOSE_CALL = 0.03
"""Two matches this near could as well stand the other way round."""
LEVEL = 0.01
"""Two scores this near could as well stand the other way round."""
LOOSE = 0.5
"""Below this share of what taste can give, the item is no close match, however good its rank."""
FEW = 3
"""Fewer reviewers than this are worth a warning."""


def reasons_for(evidence: Evidence) -> tuple[Reason, ...]:
    """What habits and numbers say for the item; nothing that was not counted."""
    found = (habit_reason(evidence), popularity_reason(evidence), trend_reason(evidence))
    return tuple(one for one in found if one is not None)


def habit_reason(evidence: Evidence) -> Reason | None:
    """The past items that speak for this one loudest, with how many people came to both."""
    engine, item = evidence.engine, evidence.item
    past = [engine.code[one] for one in evidence.ranked.profile.history if one in engine.code and one != item.id]
    if not past or _part(evidence, HABIT) <= 0:
        return None
    alone = engine.habit.scores([np.array([one], np.int32) for one in past])[:, engine.code[item.id]]
    here = engine.came_to(item.id) - {evidence.ranked.profile.user_id}
    loud = [past[place] for place in np.argsort(-alone, kind="stable") if alone[place] > 0]
    both = [(one, len(here & engine.came_to(engine.items[one].id))) for one in loud]
    named = [(one, number) for one, number in both if number][:MOST_NAMED]
    if not named:
        return None
    theirs = frozenset[str]().union(*(engine.came_to(engine.items[one].id) for one, _ in named)) - {evidence.ranked.profile.user_id}
    people, titles = len(here & theirs), listed([engine.items[one].title for one, _ in named], "or")
    text = f"{people:,} of the {counted(len(theirs), 'person', 'people')} who came to {titles}, as you did, also came to this."
    return Reason(text=text, part=HABIT, item_ids=tuple(engine.items[one].id for one, _ in named), people=people)


def popularity_reason(evidence: Evidence) -> Reason | None:
    """How many came to it lately, where few items had more."""
    engine = evidence.engine
    recent, code = engine.recent, engine.code[evidence.item.id]
    if not len(recent.time):
        return None
    days = round(HALF_LIVES * recent.half_life_days)
    lately = recent.time > int(recent.time[-1]) - days * DAY
    counts = np.bincount(recent.item[lately], minlength=len(engine.items))
    people = int(counts[code])
    rank = int((counts > people).sum()) + 1
    if not people or rank > len(counts) * SOUGHT:
        return None
    place = "more than to anything else" if rank == 1 else f"place {rank:,} of all {len(counts):,}"
    return Reason(
        text=f"{counted(people, 'person', 'people')} came to it in the last {days} days: {place}.", part=POPULARITY, people=people
    )


def trend_reason(evidence: Evidence) -> Reason | None:
    """That it rises, since when and how much, where more than its usual is foretold."""
    trends = evidence.engine.trends
    if trends is None or evidence.item.id not in trends.code:
        return None
    place = trends.code[evidence.item.id]
    if trends.rise()[place] < RISING:
        return None
    forecast, since, word = trends.forecast(evidence.item.id), trends.since(evidence.item.id), trends.word
    momentum = float(trends.signals()["momentum"][place])
    rising = since is not None and momentum > 1
    begun = f"Rising since {since:%B}" if rising else "Foretold to rise"
    how = f": {number(momentum)} times its usual {word}" if rising and momentum >= TIMES else ""
    people = round(forecast.expected)
    coming = f"about {counted(people, 'person', 'people')} may come in the next {word} ({forecast.low:.0f} to {forecast.high:.0f})"
    text = f"{begun}{how}; {coming}."
    return Reason(text=text, part=TREND, people=people)


# How sure ------------------------------------------------------------------------------------------------------------------


def certainty_of(evidence: Evidence, found: Found) -> Certainty:
    """How many stand behind it, how close a match it is, and what it could change places with."""
    main = next((one for one in found.speaking_for if one.kind not in (ClaimKind.WISH, ClaimKind.CARRIES)), None)
    margin, rival = _margin(evidence) if evidence.knows_the_reader else (None, None)
    rank = _taste_rank(evidence) if evidence.knows_the_reader and evidence.recommendation.match else None
    said = [_standing(main.behind, main.speakers) if main is not None else _nobody(evidence)]
    if main is not None and main.kind in (ClaimKind.SUITS, ClaimKind.DIVIDES) and not shares_a_wish(main):
        said.append("No phrase of yours says just what they want: this goes by nearness.")
    if main is not None and main.kind is ClaimKind.OTHERS and evidence.knows_the_reader:
        said.append("By our measure, nothing in your profile comes near to that.")
    if rank is not None:
        said.append(_closeness(evidence, rank))
    best = evidence.recommendation.match
    if rival is not None and best is not None and margin is not None and margin < CLOSE_CALL:
        said.append(f"Close call between {evidence.engine.persona(best.persona_id).name} and {rival.name}.")
    said += _level_with(evidence)
    behind, speakers = (main.behind, main.speakers) if main is not None else (None, None)
    return Certainty(text=" ".join(said), reviewers=behind, of=speakers, margin=margin, taste_rank=rank)


def _standing(behind: int, speakers: int) -> str:
    few = " Few, so take it with care." if behind < FEW else ""
    return f"Rests on {behind:,} of {counted(speakers, 'reviewer', 'reviewers')}.{few}"


def _nobody(evidence: Evidence) -> str:
    if not evidence.personas:
        return "Nobody has written enough about it to say whom it suits: this rests on numbers alone."
    if not any(one.stance is not Stance.DISAPPOINTS for one in evidence.personas):
        return "None of its reviewers is known to be suited by it: this rests on numbers alone."
    return "No quote of its reviewers carries a reason: this rests on numbers alone."


def _closeness(evidence: Evidence, rank: int) -> str:
    """What taste says beside habit, and beside the other items of this answer."""
    order, most = evidence.ranked.order, evidence.ranked.options.weights.taste
    place = f"by taste alone it would be number {rank:,} of {len(order):,}"
    if _part(evidence, HABIT) > _part(evidence, TASTE):
        return f"It stands here mostly for what people with a past like yours came to; {place}."
    match = evidence.recommendation.match
    if match is None or match.cosine < FAR:
        return f"Your taste hardly speaks for it: {place}."
    if _part(evidence, TASTE) >= LOOSE * most:
        return f"Your taste speaks for it: {place}."
    best = evidence.ranked.scores.table[order, PARTS.index(TASTE)].max(initial=0.0)
    if best < LOOSE * most:
        return f"Nothing in this list comes really close to your taste; {place}."
    return f"Your taste speaks for it only a little: {place}."


def _margin(evidence: Evidence) -> tuple[float | None, Persona | None]:
    """How far the best match lies above the next, and whose that is."""
    ranked = sorted(evidence.suited, key=lambda one: (-evidence.match(one), one.id))
    if len(ranked) < 2:
        return None, None
    return round(evidence.match(ranked[0]) - evidence.match(ranked[1]), 4), ranked[1]


def _taste_rank(evidence: Evidence) -> int:
    """Among the items of this answer, and itself, by taste alone."""
    taste = evidence.ranked.scores.table[:, PARTS.index(TASTE)]
    own = taste[evidence.engine.code[evidence.item.id]]
    return int((taste[evidence.ranked.order] > own).sum()) + 1


def _level_with(evidence: Evidence) -> list[str]:
    """The items right above and below that have nearly the same score."""
    code, totals = evidence.engine.code[evidence.item.id], evidence.ranked.scores.totals
    rank = evidence.ranked.rank(code)
    if rank is None:
        return []
    order = evidence.ranked.order
    beside = [int(order[place]) for place in (rank - 2, rank) if 0 <= place < len(order)]
    titles = [evidence.engine.items[one].title for one in beside if abs(totals[one] - totals[code]) < LEVEL]
    return [f"It could change places with {listed(titles)}: the scores are nearly the same."] if titles else []


def _part(evidence: Evidence, name: str) -> float:
    return next((one.value for one in evidence.recommendation.parts if one.name == name), 0.0)
