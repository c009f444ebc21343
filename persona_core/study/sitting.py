"""One participant's way through a study, worked out from their events alone: where they are, what they said, and what may come next.

A reload, a second tab or a server that was killed changes nothing: whoever reads the events finds the same place. A page that was
finished is not finished twice, and nobody gets ahead of where they are.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import orjson

from persona_core.errors import PersonaError
from persona_core.files import digest
from persona_core.profiles.edits import LONGEST_PHRASE, MOST_PHRASES
from persona_core.study.assignment import assigned
from persona_core.study.design import Condition, Step, Study, settled
from persona_core.study.questionnaires import Item, Questionnaire
from persona_core.study.store import Event, Participant, StudyStore

ARRIVED, ANSWERED, DONE = "arrived", "answered", "done"
LONGEST_DRAFT: Final = 20_000
LOGGED: Final = frozenset({"answered", "shown", "edited", "settled", "rated", "returned"})
"""What a page may note besides being done."""
RATED_AT: Final = ("before", "after", "read")


class NotYourTurn(PersonaError):
    """A page that is not the one that comes now."""


class HasLeft(NotYourTurn):
    """Somebody who withdrew."""


class Changed(NotYourTurn):
    """The study is not any more what this participant began."""


class AnswerRefused(PersonaError):
    """An answer that cannot be kept, with what to change."""


@dataclass(frozen=True, slots=True)
class Sitting:
    """As it stands after the last event."""

    study: Study
    participant: Participant
    conditions: tuple[Condition, ...]
    done: Mapping[str, Mapping[str, Any]]
    """By step: what was answered."""
    drafts: Mapping[str, Mapping[str, Any]]
    """By step and question: what was last said there, finished or not."""
    events: int

    @property
    def step(self) -> Step | None:
        """Where they are; None where they have finished."""
        return next((step for step in self.study.path if step.id not in self.done), None)

    @property
    def condition(self) -> dict[str, str]:
        """What holds now, with a level for every factor."""
        step = self.step
        return settled(self.conditions[step.period if step else -1])

    @property
    def share(self) -> float:
        """How much of the path is behind them."""
        return len(self.done) / len(self.study.path)

    @property
    def code(self) -> str:
        """Shown at the end, for whoever pays; nothing before. It cannot be worked out without the participant's number."""
        if self.step is not None:
            return ""
        if self.study.completion:
            return self.study.completion
        return hashlib.sha256(f"{self.participant.id} {self.study.content}".encode()).hexdigest()[:8].upper()

    def order_of(self, questionnaire: Questionnaire) -> list[Item]:
        """Its items in this participant's own order: what comes first is not always the same. Questions about them stay in theirs."""
        if any(item.kind != "scale" for item in questionnaire.items):
            return list(questionnaire.items)
        seed = [self.study.seed, self.participant.number, int(digest(questionnaire.id.encode())[:8], 16)]
        return [questionnaire.items[at] for at in np.random.default_rng(seed).permutation(len(questionnaire.items))]

    @property
    def failed_checks(self) -> tuple[str, ...]:
        right = {check.id: check.right for check in self.study.checks}
        checks = [step for step in self.study.path if step.kind == "check" and step.id in self.done]
        return tuple(step.id for step in checks if self.done[step.id].get("answer") != right[step.of])


def sitting_of(study: Study, participant: Participant, events: Sequence[Event]) -> Sitting:
    """The same events give the same sitting. What is of no step of this study is left aside."""
    steps = {step.id for step in study.path}
    done = {
        event.payload["step"]: event.payload["answers"] for event in events if event.kind == DONE and event.payload["step"] in steps
    }
    drafts: dict[str, dict[str, Any]] = {}
    for event in events:
        if event.kind == ANSWERED:
            drafts.setdefault(event.payload["step"], {})[event.payload["question"]] = event.payload["value"]
    return Sitting(study, participant, assigned(study, participant.number), done, drafts, len(events))


@dataclass(frozen=True, slots=True)
class Hall:
    """Where participants come in: one study and its store."""

    study: Study
    store: StudyStore
    as_if: Condition | None = None
    """For a look at a condition: everybody meets this one and no other."""

    def admit(self, source: str | None = None, origin: str = "link") -> tuple[Sitting, str]:
        """Somebody new, or somebody who comes again from the same source, and their token. Raises StudyFull and NotYourTurn."""
        participant, token = self.store.enrol(self.study.id, self.study.content, self.study.quota, source, origin)
        self._check(participant)
        sitting = self._now(participant)
        if not sitting.events:
            self.store.append(participant, ARRIVED, {"conditions": [dict(one) for one in sitting.conditions]}, ARRIVED)
            sitting = self._now(participant)
        return sitting, token

    def enter(self, token: str) -> Sitting | None:
        """Where the owner of this token is; None where there is no such participant. Raises NotYourTurn where they have left."""
        participant = self.store.participant(token)
        if participant is None or participant.study != self.study.id:
            return None
        self._check(participant)
        return self._now(participant)

    def _check(self, participant: Participant) -> None:
        if participant.withdrawn is not None:
            raise HasLeft("All that you did and said here was deleted.")
        if participant.content != self.study.content:
            what = "This study has been changed since you began."
            raise Changed(what, mend="ask whoever invited you for a new link")

    def events(self, sitting: Sitting) -> list[Event]:
        return self.store.events(sitting.participant)

    def finish(self, sitting: Sitting, step_id: str, answers: Mapping[str, Any]) -> Sitting:
        """Finishes the page that comes now. Finished already, nothing changes. Raises NotYourTurn and AnswerRefused."""
        now = self._now(sitting.participant)
        if step_id in now.done:
            return now
        if now.step is None or now.step.id != step_id:
            raise NotYourTurn("Another page comes first.", mend="go on where you are")
        faults = faults_of(self.study, now.step, answers)
        if faults:
            raise AnswerRefused("Some answers are missing or cannot be kept.", why="\n".join(faults), mend="answer these")
        self.store.append(now.participant, DONE, {"step": step_id, "answers": dict(answers)}, f"{DONE} {step_id}")
        return self._now(now.participant)

    def note(self, sitting: Sitting, kind: str, payload: Mapping[str, Any], key: str) -> int:
        """Notes what a page showed or somebody did on it, under the step and condition of that moment."""
        step = self._now(sitting.participant).step
        if kind not in LOGGED or step is None or step != sitting.step:
            raise NotYourTurn("This cannot be noted now.", mend="go on where you are")
        told = {"step": step.id, "period": step.period, "condition": sitting.condition, **payload}
        return self.store.append(sitting.participant, kind, told, f"{kind} {step.id} {key}"[:120])

    def draft(self, sitting: Sitting, question: str, value: Any) -> None:
        """Keeps what was said so far on a page that is not finished: each change of mind is an event of its own."""
        if len(question) > LONGEST_PHRASE or len(orjson.dumps(value)) > LONGEST_DRAFT:
            raise AnswerRefused("This is too much to be kept.", mend="say it more shortly")
        self.note(sitting, ANSWERED, {"question": question, "value": value}, secrets.token_hex(8))

    def leave(self, sitting: Sitting) -> None:
        """Withdraws: all that they did and said is deleted."""
        self.store.withdraw(sitting.participant)

    def _now(self, participant: Participant) -> Sitting:
        sitting = sitting_of(self.study, participant, self.store.events(participant))
        return sitting if self.as_if is None else replace(sitting, conditions=(self.as_if,) * len(sitting.conditions))


# Answers -----------------------------------------------------------------------------------------------------------------


def faults_of(study: Study, step: Step, answers: Mapping[str, Any]) -> list[str]:
    """What is wrong with the answers of a page; nothing where they can be kept."""
    if step.kind == "consent":
        fits = answers == {"agreed": True, "version": study.consent.version}
        return [] if fits else ["consent: it must be given, to the text as it stands"]
    if step.kind == "profile":
        return _faults_of_profile(answers)
    if step.kind == "questionnaire":
        return study.questionnaires[step.of].faults_of(answers)
    if step.kind == "check":
        many = next(len(check.options) for check in study.checks if check.id == step.of)
        given = answers.get("answer")
        fits = set(answers) == {"answer"} and type(given) is int and 1 <= given <= many
        return [] if fits else [f"answer: one of {many}"]
    if step.kind == "task":
        task = next(task for task in study.tasks if task.id == step.of)
        return _faults_of_task(answers, task.rate)
    return [] if not answers else ["nothing is asked here"]


def _faults_of_profile(answers: Mapping[str, Any]) -> list[str]:
    phrases = answers.get("phrases")
    fits = set(answers) <= {"phrases", "dislikes", "items"} and all(
        isinstance(some, list)
        and len(some) <= MOST_PHRASES
        and all(isinstance(one, str) and 0 < len(one) <= LONGEST_PHRASE for one in some)
        for some in answers.values()
    )
    if not fits:
        return [f"profile: at most {MOST_PHRASES} phrases and things, each of at most {LONGEST_PHRASE} letters"]
    return [] if phrases or answers.get("items") else ["profile: pick at least one"]


def _faults_of_task(answers: Mapping[str, Any], rate: bool) -> list[str]:
    """A thing is chosen, or none of them; and where they are rated, each rating is from 1 to 5."""
    chosen, ratings = answers.get("chosen"), answers.get("ratings", {})
    faults = [] if isinstance(chosen, str) and len(chosen) <= LONGEST_PHRASE else ["chosen: one of the things, or nothing"]
    faults += [f"{name}: nothing of that name is asked" for name in answers if name not in ("chosen", "ratings")]
    if not rate:
        return faults + (["ratings: none are asked"] if ratings else [])
    for item, given in ratings.items() if isinstance(ratings, dict) else ():
        right = (
            isinstance(given, dict)
            and set(given) <= set(RATED_AT)
            and all(type(one) is int and 1 <= one <= 5 for one in given.values())
        )
        faults += [] if right else [f"{item}: ratings are from 1 to 5, {', '.join(RATED_AT)}"]
    return faults + ([] if ratings and isinstance(ratings, dict) else ["ratings: the things are to be rated"])
