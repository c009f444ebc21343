"""How far somebody is within a task, worked out from its events; and each thing that they can do there, kept as it happens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from persona_core.engine import Engine
from persona_core.files import digest
from persona_core.profiles.edits import EditRefused
from persona_core.profiles.journal import Act, Journal
from persona_core.schema import Profile
from persona_core.study.design import Task
from persona_core.study.showing import Shown, read_about, showing, versions_of
from persona_core.study.sitting import RATED_AT, Hall, NotYourTurn, Sitting
from persona_core.study.store import Event

BEFORE, AFTER, READ = RATED_AT
NOTHING: Final = "nothing"
"""Chosen: none of them."""
EDITING, RATING, CHOOSING = "editing", "rating", "choosing"
ACTS: Final = ("like", "dislike", "drop")


@dataclass(frozen=True, slots=True)
class Doing:
    """A task as it stands after its last event."""

    task: Task
    profile: Profile
    shown: Shown
    stage: str
    rated: Mapping[str, Mapping[str, int]]
    """By item and moment."""
    asks: tuple[str, ...] = ()
    """Rating: these items, at the moment `at`."""
    at: str = ""
    edits: int = 0
    noted: frozenset[str] = frozenset()
    """The pages of this task of which it is kept already that they were shown."""

    @property
    def place(self) -> str:
        """Names this very page of the task: the same after a reload, another once it is done."""
        return digest(" ".join((self.stage, self.at, *self.asks, str(self.edits))).encode())[:16]


def doing(engine: Engine, hall: Hall, sitting: Sitting) -> Doing:
    """Where they are in the task that comes now. Raises NotYourTurn where none does."""
    step = sitting.step
    if step is None or step.kind != "task":
        raise NotYourTurn("There is no task now.", mend="go on where you are")
    task = next(one for one in sitting.study.tasks if one.id == step.of)
    own = [one for one in hall.events(sitting) if one.payload.get("step") == step.id]
    acts = [Act(one.payload["act"], one.payload["text"]) for one in own if one.kind == "edited"]
    profile = _edited(picked(engine, sitting), acts)
    fixed = next((one.payload["items"] for one in own if one.kind == "settled"), None)
    shown = showing(engine, profile, sitting.condition, task, fixed)
    rated = _ratings(own, shown.items)
    noted = frozenset(one.payload["place"] for one in own if one.kind == "shown")
    if fixed is None and sitting.condition["profile"] == "editable":
        return Doing(task, profile, shown, EDITING, rated, edits=len(acts), noted=noted)
    at, asks = _next_rating(shown, rated) if task.rate else ("", ())
    return Doing(task, profile, shown, RATING if asks else CHOOSING, rated, asks, at, len(acts), noted)


def picked(engine: Engine, sitting: Sitting) -> Profile:
    """The profile as they gave it on its page."""
    given = sitting.done.get("profile", {})
    made = engine.newcomer("participant", given.get("phrases", ()), given.get("items", ()))
    return _edited(made, [Act("dislike", one) for one in given.get("dislikes", ())])


def _edited(profile: Profile, acts: Sequence[Act]) -> Profile:
    kept = Journal()
    for act in acts:
        kept = kept.did(act)
    return kept.profile(profile)


def _ratings(events: Sequence[Event], items: Sequence[str]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {item: {} for item in items}
    for one in events:
        if one.kind == "rated" and one.payload["item"] in found:
            found[one.payload["item"]].setdefault(one.payload["at"], one.payload["value"])
    return found


def _next_rating(shown: Shown, rated: Mapping[str, Mapping[str, int]]) -> tuple[str, tuple[str, ...]]:
    """Everything at first sight, then everything with what is told of it where anything is, then each after reading about it."""
    moments = (BEFORE, AFTER) if any(one.explains for one in shown.things) else (BEFORE,)
    for at in moments:
        open_ = tuple(item for item in shown.items if at not in rated[item])
        if open_:
            return at, open_
    unread = tuple(item for item in shown.items if READ not in rated[item])
    return (READ, unread[:1]) if unread else ("", ())


# What they can do --------------------------------------------------------------------------------------------------------


def note_shown(hall: Hall, sitting: Sitting, engine: Engine, now: Doing) -> None:
    """Keeps what this page of the task shows, once; with the versions of what it was made from."""
    if now.place in now.noted:
        return
    if now.stage != EDITING:
        _settle(hall, sitting, now)
    bare = now.at == BEFORE
    things = [one.as_payload() if not bare else {"item": one.item.id, "rank": one.rank} for one in now.shown.things]
    read = {item: [one.id for one in read_about(engine, item)] for item in now.asks} if now.at == READ else {}
    payload = {"place": now.place, "reviews": read, "stage": now.stage, "at": now.at, "asks": list(now.asks), "things": things,
               "profile": now.profile.model_dump(mode="json"), "versions": versions_of(engine)}  # fmt: skip
    hall.note(sitting, "shown", payload, now.place)


def edit(hall: Hall, sitting: Sitting, engine: Engine, act: str, text: str) -> None:
    """Changes the profile and keeps that, with the list before it. Raises EditRefused and NotYourTurn."""
    now = doing(engine, hall, sitting)
    if now.stage != EDITING or act not in ACTS:
        raise NotYourTurn("The list is settled.", mend="go on where you are")
    words = text.strip()
    after = _edited(now.profile, [Act(act, words)])
    if after == now.profile:
        raise EditRefused("This changes nothing.", mend="use other words")
    hall.note(sitting, "edited", {"act": act, "text": words, "before": list(now.shown.items)}, str(now.edits))


def settle(hall: Hall, sitting: Sitting, engine: Engine) -> None:
    """The list is as they want it; it stays so from here on."""
    now = doing(engine, hall, sitting)
    if not now.shown.items:
        raise NotYourTurn("There is nothing in the list.", mend="take something away or add something")
    if now.stage == EDITING:
        _settle(hall, sitting, now)


def _settle(hall: Hall, sitting: Sitting, now: Doing) -> None:
    hall.note(sitting, "settled", {"items": list(now.shown.items)}, "list")


def rate(hall: Hall, sitting: Sitting, engine: Engine, place: str, values: Mapping[str, int]) -> None:
    """Keeps the ratings of this page; of a page that is behind them already, nothing. Raises NotYourTurn."""
    now = doing(engine, hall, sitting)
    if now.stage != RATING or now.place != place:
        return
    if set(values) != set(now.asks) or any(type(one) is not int or not 1 <= one <= 5 for one in values.values()):
        raise NotYourTurn("Each of them wants a rating from 1 to 5.", mend="rate them all")
    _settle(hall, sitting, now)
    for item, value in values.items():
        hall.note(sitting, "rated", {"item": item, "at": now.at, "value": value}, f"{now.at} {digest(item.encode())[:16]}")


def choose(hall: Hall, sitting: Sitting, engine: Engine, chosen: str) -> Sitting:
    """Ends the task with what they would take. Raises NotYourTurn."""
    now = doing(engine, hall, sitting)
    if now.stage != CHOOSING or chosen not in (*now.shown.items, NOTHING):
        raise NotYourTurn("Another page comes first.", mend="go on where you are")
    answers: dict[str, Any] = {"chosen": chosen}
    if now.task.rate:
        answers["ratings"] = {item: dict(found) for item, found in now.rated.items()}
    assert sitting.step is not None  # nosec B101 # for the type checker
    return hall.finish(sitting, sitting.step.id, answers)
