"""What a participant is shown under a condition: the list, and of each thing exactly what is told of it. Drawn and logged alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from persona_core.engine import STEPS, WITHOUT, Engine, Options, Ranked
from persona_core.errors import PersonaError
from persona_core.ranking.parts import Weights
from persona_core.schema import Claim, Explanation, Item, Persona, Profile, Quote, Recommendation, Review, ScorePart
from persona_core.study.design import Condition, Study, StudyRefused, Task

HARDLY = 1e-3
"""Weight of popularity beside another ranking: where that has nothing to say, what many came to is first."""
MOST_CLAIMS = 2
MOST_REVIEWS = 6
RANKINGS: Mapping[str, Weights] = {
    "popularity": Weights(taste=0.0, habit=0.0, popularity=1.0, trend=0.0, scenario=0.0),
    "collaborative": Weights(taste=0.0, habit=1.0, popularity=HARDLY, trend=0.0, scenario=0.0),
}


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence and the quotes that are shown with it."""

    text: str
    quotes: tuple[Quote, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """One thing, and all that this condition tells of it; what it does not tell is not here."""

    item: Item
    rank: int
    score: float
    persona: Persona | None = None
    because: tuple[Said, ...] = ()
    parts: tuple[ScorePart, ...] = ()
    counter: tuple[Said, ...] | None = None
    """What may disappoint; empty where nobody was; None where the condition does not speak of it."""
    trend: str = ""

    @property
    def explains(self) -> bool:
        return bool(self.because or self.parts or self.trend) or self.counter is not None

    def as_payload(self) -> dict[str, Any]:
        return {
            "item": self.item.id, "rank": self.rank, "score": round(self.score, 6),
            "persona": None if self.persona is None else {"id": self.persona.id, "name": self.persona.name},
            "because": [_as_payload(one) for one in self.because],
            "parts": {one.name: round(one.value, 6) for one in self.parts},
            "counter": None if self.counter is None else [_as_payload(one) for one in self.counter], "trend": self.trend,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """A list as it was shown."""

    ranked: Ranked
    things: tuple[Told, ...]

    @property
    def items(self) -> tuple[str, ...]:
        return tuple(one.item.id for one in self.things)


def showing(engine: Engine, profile: Profile, condition: Condition, task: Task, items: Sequence[str] | None = None) -> Shown:
    """The list for this profile under this condition; of these items in this order, where they are settled already."""
    ranked = engine.rank(profile, options_of(engine, condition, task))
    places = ranked.order[: task.items].tolist() if items is None else [engine.code[one] for one in items if one in engine.code]
    found = [engine.recommendation(ranked, int(place)) for place in places]
    return Shown(ranked, tuple(_told(engine, ranked, rank, one, condition) for rank, one in enumerate(found, 1)))


def options_of(engine: Engine, condition: Condition, task: Task) -> Options:
    usual = engine.options
    weights = RANKINGS.get(condition["ranking"], usual.weights)
    return Options(weights, usual.mix, usual.diversity, frozenset(task.scenarios))


def _told(engine: Engine, ranked: Ranked, rank: int, found: Recommendation, condition: Condition) -> Told:
    style, item = condition["explanation"], engine.item(found.item_id)
    explained = engine.explain(ranked, found.item_id)
    speaks = style in ("persona", "persona_quotes", "persona_trend")
    claims = explained.claims[:MOST_CLAIMS] if speaks else ()
    with_trend = style == "persona_trend" or condition["trend"] == "shown"
    return Told(
        item, rank, found.score,
        persona=_persona(engine, found, claims) if speaks else None,
        because=_because(explained, claims, style == "persona_quotes") if speaks else (),
        parts=found.parts if style == "parts" else (),
        counter=tuple(Said(one.text, one.quotes[:1]) for one in explained.cautions) if condition["counter"] == "shown" else None,
        trend=_trend(engine, item) if with_trend else "",
    )  # fmt: skip


def _persona(engine: Engine, found: Recommendation, claims: Sequence[Claim]) -> Persona | None:
    named = next((one.persona_id for one in claims if one.persona_id), found.match.persona_id if found.match else "")
    return engine.persona(named) if named else None


def _because(explained: Explanation, claims: Sequence[Claim], quoted: bool) -> tuple[Said, ...]:
    """The claims; where none holds, what the numbers say."""
    if claims:
        return tuple(Said(one.text, one.quotes[:1] if quoted else ()) for one in claims)
    if explained.reasons:
        return (Said(explained.reasons[0].text),)
    return (Said(explained.certainty.text),) if explained.certainty else ()


def _trend(engine: Engine, item: Item) -> str:
    return engine.trends.reason(item.id) if engine.trends is not None and item.id in engine.trends.code else ""


def _as_payload(said: Said) -> dict[str, Any]:
    return {"text": said.text, "quotes": [one.model_dump(mode="json") for one in said.quotes]}


def read_about(engine: Engine, item_id: str) -> list[Review]:
    """What a participant reads of a thing: all that was written is too much, so the newest with words."""
    newest = sorted(engine.reviews_of(item_id), key=lambda one: (one.time, one.id), reverse=True)
    return [one for one in newest if one.text.strip()][:MOST_REVIEWS]


# Whether it can be shown here --------------------------------------------------------------------------------------------


def check_that_it_can_be_shown(study: Study, engine: Engine) -> None:
    """Raises StudyRefused where this workspace lacks what a condition or a task needs."""
    faults = []
    scenarios = {item.scenario for item in engine.items}
    for task in study.tasks:
        strange = sorted(set(task.scenarios) - scenarios)
        if strange:
            faults.append(f"task {task.id}: there is no scenario {', '.join(strange)}; there are {', '.join(sorted(scenarios))}")
    if engine.trends is None and wants_trends(study):
        faults.append("it shows trends, and none are worked out here")
    if faults:
        mend = f"change the study, or: {engine.workspace.command('build')}"
        raise StudyRefused("This study cannot be shown on this workspace.", why="\n".join(faults), mend=mend)


def wants_trends(study: Study) -> bool:
    return "persona_trend" in study.factors.get("explanation", ()) or "shown" in study.factors.get("trend", ())


def wants_items(study: Study) -> bool:
    """Whether what people with the same past did is looked at: without things they know, it has nothing to go by."""
    return "collaborative" in study.factors.get("ranking", ())


def versions_of(engine: Engine) -> dict[str, str]:
    """What everything that is shown was made from; kept with the first thing that somebody sees."""
    found = {}
    for step in (*STEPS, *WITHOUT):
        try:
            found[step] = engine.workspace.version_now(step)
        except (PersonaError, OSError):
            found[step] = ""
    return found
