"""What participants did as tidy tables, one row a thing: people, answers, ratings, what was shown, and the units that are analysed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import orjson
import pandas as pd

from persona_core.study.design import MEASURED, Study, settled
from persona_core.study.sitting import Sitting, sitting_of
from persona_core.study.store import Event, Participant, StudyStore

IDLE_NS = 5 * 60 * 1_000_000_000
"""A longer pause is not time on the task."""
COLUMNS: dict[str, tuple[str, ...]] = {
    "participants": ("participant", "number", "origin", "arrived", "withdrawn", "left", "finished", "reached", "failed_checks",
                     "minutes", "returns", "kept"),
    "units": ("participant", "number", "period", "kept"),
    "answers": ("participant", "period", "step", "questionnaire", "version", "item", "construct", "reverse", "answer", "score"),
    "free_text": ("participant", "step", "questionnaire", "item", "free_text"),
    "ratings": ("participant", "period", "task", "item", "rank", "before", "after", "read"),
    "shown": ("participant", "period", "step", "stage", "at", "seconds", "item", "rank", "score", "told"),
    "events": ("participant", "seq", "key", "kind", "utc", "monotonic_ns", "step", "payload"),
}  # fmt: skip


@dataclass(frozen=True)
class Tables:
    """All of one study; `units` has a row for every condition that somebody went through."""

    participants: pd.DataFrame
    units: pd.DataFrame
    answers: pd.DataFrame
    free_text: pd.DataFrame
    ratings: pd.DataFrame
    shown: pd.DataFrame
    events: pd.DataFrame

    def named(self) -> dict[str, pd.DataFrame]:
        return {one.name: getattr(self, one.name) for one in fields(self)}


def tables_of(study: Study, store: StudyStore, *, rehearsals: bool = False) -> Tables:
    """Of everybody who met this very design; those of rehearsals (simulated people) only where they are asked for."""
    return tables_from(study, [(one, store.events(one)) for one in people_of(study, store, rehearsals=rehearsals)])


def people_of(study: Study, store: StudyStore, *, rehearsals: bool = False) -> list[Participant]:
    content = study.content
    here = [one for one in store.participants(study.id) if one.content == content]
    return [one for one in here if rehearsals or one.origin != "simulated"]


def tables_from(study: Study, people: Sequence[tuple[Participant, Sequence[Event]]]) -> Tables:
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in COLUMNS}
    for participant, events in people:
        sitting = sitting_of(study, participant, events)
        own = _Own(study, sitting, events)
        for name, found in own.rows().items():
            rows[name] += found
    frames = {name: pd.DataFrame(found, columns=None if found else list(COLUMNS[name])) for name, found in rows.items()}
    return Tables(**frames)


@dataclass(frozen=True)
class _Own:
    """What one participant leaves in the tables."""

    study: Study
    sitting: Sitting
    events: Sequence[Event]

    @property
    def id(self) -> str:
        return self.sitting.participant.id

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        answers, texts = self._answers()
        ratings = self._ratings()
        return {
            "participants": [self._person()], "units": self._units(answers, ratings), "answers": answers, "free_text": texts,
            "ratings": ratings, "shown": self._shown(), "events": [self._event(one) for one in self.events],
        }  # fmt: skip

    @property
    def kept(self) -> bool:
        """Whether they count in the analysis: through to the end, and not found out as careless where that leaves somebody out."""
        careless = bool(self.sitting.failed_checks) and self.study.leave_out_failed
        return self.sitting.step is None and self.sitting.participant.withdrawn is None and not careless

    def _person(self) -> dict[str, Any]:
        who, step = self.sitting.participant, self.sitting.step
        left = who.withdrawn.isoformat() if who.withdrawn else ""
        return {
            "participant": self.id, "number": who.number, "origin": who.origin, "arrived": who.created.isoformat(),
            "withdrawn": who.withdrawn is not None, "left": left,
            "finished": step is None and who.withdrawn is None,
            "reached": "left" if who.withdrawn is not None else step.id if step else "end",
            "failed_checks": len(self.sitting.failed_checks), "minutes": _minutes(self.events),
            "returns": sum(one.kind == "returned" for one in self.events), "kept": self.kept,
        }  # fmt: skip

    def _answers(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        answers, texts = [], []
        for step in self.study.path:
            if step.kind != "questionnaire" or step.id not in self.sitting.done:
                continue
            asked = self.study.questionnaires[step.of]
            for item in asked.items:
                given = self.sitting.done[step.id].get(item.id)
                base = {"participant": self.id, "step": step.id, "questionnaire": asked.id, "item": item.id}
                if item.kind == "text" and given:
                    texts.append({**base, "free_text": given})
                elif isinstance(given, int):
                    turned = item.kind == "scale" and item.reverse
                    score = len(asked.scale) + 1 - given if turned else given
                    answers.append({**base, "period": step.period, "version": asked.version, "construct": item.measures,
                                    "reverse": turned, "answer": given, "score": score})  # fmt: skip
        return answers, texts

    def _ratings(self) -> list[dict[str, Any]]:
        found = []
        for step in self.study.path:
            ratings = self.sitting.done.get(step.id, {}).get("ratings", {}) if step.kind == "task" else {}
            for rank, (item, given) in enumerate(ratings.items(), 1):
                row = {"participant": self.id, "period": step.period, "task": step.of, "item": item, "rank": rank}
                found.append({**row, **{at: given.get(at) for at in ("before", "after", "read")}})
        return found

    def _units(self, answers: list[dict[str, Any]], ratings: list[dict[str, Any]]) -> list[dict[str, Any]]:
        units = []
        for period, condition in enumerate(self.sitting.conditions):
            tasks = [one for one in self.study.path if one.kind == "task" and one.period == period]
            if not all(one.id in self.sitting.done for one in tasks):
                continue
            level = {f"factor_{name}": settled(condition)[name] for name in self.study.factors}
            scores: dict[str, list[float]] = {}
            for one in answers:
                if one["period"] == period and (one["questionnaire"], one["item"]) in self.study.scale_items:
                    scores.setdefault(one["construct"], []).append(float(one["score"]))
            said = {name: sum(values) / len(values) for name, values in scores.items()}
            steps = {one.id for one in tasks}
            units.append({"participant": self.id, "number": self.sitting.participant.number, "period": period, "kept": self.kept,
                          **level, **said, **self._measured(steps, [one for one in ratings if one["period"] == period])})  # fmt: skip
        return units

    def _measured(self, steps: set[str], ratings: list[dict[str, Any]]) -> dict[str, float]:
        """See MEASURED. Where nothing was told, what was thought before holds after it, too."""
        own = [one for one in self.events if one.payload.get("step") in steps]
        told = [{**one, "after": one["before"] if one["after"] is None else one["after"]} for one in ratings if one["read"]]
        values: dict[str, list[float]] = {
            "misjudged": [abs(one["after"] - one["read"]) for one in told],
            "misjudged_before": [abs(one["before"] - one["read"]) for one in told],
            "persuaded": [one["after"] - one["before"] for one in told],
            "chose": [float(self.sitting.done[step]["chosen"] != "nothing") for step in steps],
            "edits": [float(sum(one.kind == "edited" for one in own))], "minutes": [_minutes(own)],
        }  # fmt: skip
        return {name: sum(values[name]) / len(values[name]) for name in MEASURED if values[name]}

    def _shown(self) -> list[dict[str, Any]]:
        found = []
        for place, event in enumerate(self.events):
            if event.kind == "shown" and "things" in event.payload:
                told = event.payload
                base = {"participant": self.id, **{name: told[name] for name in ("period", "step", "stage", "at")},
                        "seconds": _seconds(self.events[place:])}  # fmt: skip
                found += [{**base, "item": one["item"], "rank": one["rank"], "score": one.get("score"),
                           "told": orjson.dumps(one).decode()} for one in told["things"]]  # fmt: skip
        return found

    def _event(self, event: Event) -> dict[str, Any]:
        return {"participant": self.id, "seq": event.seq, "key": event.key, "kind": event.kind, "utc": event.utc.isoformat(),
                "monotonic_ns": event.monotonic_ns, "step": event.payload.get("step", ""),
                "payload": orjson.dumps(event.payload).decode()}  # fmt: skip


def _seconds(events: Sequence[Event]) -> float | None:
    """How long the first was before them: until something else is shown or the page is done; pauses are in it."""
    first, *rest = events
    ended = next((one.monotonic_ns for one in rest if one.kind in ("shown", "done")), -1)
    return round((ended - first.monotonic_ns) / 1e9, 3) if ended >= first.monotonic_ns else None


def _minutes(events: Sequence[Event]) -> float:
    """From the first to the last, longer pauses left out; a machine that was started anew begins its clock anew, and that is one."""
    times = [one.monotonic_ns for one in events]
    steps = [later - earlier for earlier, later in pairwise(times)]
    return round(sum(one for one in steps if 0 <= one <= IDLE_NS) / 60e9, 3)
