"""What the scenarios' step leaves, and who reads it: what is known of scenarios and people, and how wishes carry over."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import orjson

from persona_core.files import json_lines, write_beside, write_json
from persona_core.personas.needs import read_needs
from persona_core.profiles.building import avoided
from persona_core.profiles.evidence import Numbers
from persona_core.scenarios.carried import Carry, Carrying, fit_of_items
from persona_core.scenarios.knowledge import About, Between
from persona_core.schema import Frozen, Profile
from persona_core.text.encoder import Matrix
from persona_core.workspace import Artefact

ABOUT, PEOPLE, NUMBERS = "scenarios.json", "people.jsonl", "carried.safetensors"
LEAST_SHARE = 0.1
"""What makes less than this share of a fit is not named."""


class PersonTold(Frozen):
    """What is known of one person across scenarios, as text, and whose words these are."""

    user_id: str
    text: str
    by: str


@dataclass(frozen=True, slots=True, eq=False)
class Over:
    """What one person's wishes say of scenarios they are new to."""

    wishes: Numbers
    counts: Numbers
    places: tuple[int, ...]
    """The scenarios that are new to them."""
    fit: Numbers
    """By item, from -1 to 1: see `fit_of_items`."""


@dataclass(frozen=True, eq=False)
class Scenarios:
    """The scenarios of one workspace, as built; nothing in it changes."""

    names: tuple[str, ...]
    scenario_of: Any
    """By item code."""
    served: Matrix
    """Items by needs."""
    carrying: Carrying
    users: tuple[str, ...]
    lifts: Matrix
    """Users by scenarios by needs."""
    counts: Any
    """Users by scenarios: visits."""
    items: tuple[str, ...]
    every: tuple[About, ...]
    pairs: tuple[Between, ...]
    told: Mapping[str, str]
    """What a model says of each scenario; empty where none was asked."""
    by: str
    lines: Mapping[str, bytes]
    """By user, what is known of them as text; understood when it is asked for."""

    @classmethod
    def of(cls, artefact: Artefact) -> Self:
        from safetensors.numpy import load_file

        about, kept = orjson.loads(artefact.file(ABOUT).read_bytes()), load_file(artefact.file(NUMBERS))
        tables = Carrying(kept["middles"], kept["tables"].astype(np.float64), kept["sure"], kept["people"])
        return cls(
            tuple(about["names"]), kept["scenario_of"], kept["served"], tables, tuple(about["users"]), kept["lifts"], kept["counts"],
            tuple(about["items"]), tuple(About.model_validate(one) for one in about["every"]),
            tuple(Between.model_validate(one) for one in about["pairs"]), about["told"], about["by"],
            {orjson.loads(line)["user_id"]: line for line in artefact.file(PEOPLE).read_bytes().splitlines()},
        )  # fmt: skip

    @cached_property
    def code(self) -> dict[str, int]:
        return {name: at for at, name in enumerate(self.names)}

    @cached_property
    def _item(self) -> dict[str, int]:
        return {item: place for place, item in enumerate(self.items)}

    @cached_property
    def _user(self) -> dict[str, int]:
        return {user: place for place, user in enumerate(self.users)}

    def between(self, one: str, other: str) -> Between | None:
        return next((pair for pair in self.pairs if {pair.one, pair.other} == {one, other}), None)

    def told_of(self, user: str) -> PersonTold | None:
        line = self.lines.get(user)
        return None if line is None else PersonTold.model_validate_json(line)

    # One person ----------------------------------------------------------------------------------------------------------

    def over(self, profile: Profile, built: Profile, hidden: Collection[str] = ()) -> Over | None:
        """What carries over for this profile; None where nothing does. Of the `hidden` scenarios it is as if they were new.

        What the built profile said and this one no longer says, and what this one would rather not have, carries nowhere.
        """
        lifts, counts = self._known(profile, hidden)
        wishes = self.carrying.wishes(lifts, counts)
        wishes[:, sorted(taken_back(profile, built))] = 0.0
        places = tuple(self.carrying.new_to(counts))
        if not places or not wishes.any():
            return None
        return Over(wishes, counts, places, fit_of_items(self.carrying, wishes, places, self.scenario_of, self.served))

    def _known(self, profile: Profile, hidden: Collection[str]) -> tuple[Numbers, Numbers]:
        """By scenario, what was done and said there: as built, and of things that were picked since, what they serve."""
        place = self._user.get(profile.user_id)
        lifts, counts = np.zeros(self.lifts.shape[1:]), np.zeros(len(self.names))
        if place is not None:
            lifts, counts = self.lifts[place].astype(np.float64), self.counts[place].astype(np.float64)
        else:
            for item in profile.history:
                if item in self._item:
                    code = self._item[item]
                    lifts[self.scenario_of[code]] += self.served[code]
                    counts[self.scenario_of[code]] += 1
        for name in hidden:
            lifts[self.code[name]], counts[self.code[name]] = 0.0, 0.0
        return lifts, counts

    def carries(self, over: Over, item_id: str, most: int = 2) -> list[Carry]:
        """What makes this item fit, the strongest first; empty where it fits nothing that carries over."""
        code = self._item.get(item_id)
        if code is None or over.fit[code] <= 0:
            return []
        found = self.carrying.carries(over.wishes, int(self.scenario_of[code]), self.served[code], most)
        return [one for one in found if one.adds >= LEAST_SHARE * sum(each.adds for each in found)]

    def flows(self, over: Over, at: int, most: int = 8) -> list[Carry]:
        """What carries over to this scenario, whatever is to be had there; the strongest first."""
        return self.carrying.carries(over.wishes, at, np.ones(self.served.shape[1]), most)

    def loudest(self, items: Iterable[str], scenario: int, need: int) -> str:
        """Of these items the one of this scenario that serves this need best; empty where none serves it."""
        inside = [item for item in items if item in self._item and self.scenario_of[self._item[item]] == scenario]
        best = max(inside, key=lambda item: float(self.served[self._item[item], need]), default="")
        return best if best and self.served[self._item[best], need] > 0 else ""


def taken_back(profile: Profile, built: Profile) -> set[int]:
    """Needs, by place, that the profile does not stand for any more, or stands against."""
    by_text = {need.phrase: place for place, need in enumerate(read_needs())}
    against = by_text | {avoided()[need.id]: place for place, need in enumerate(read_needs())}
    now = {one.text for one in profile.likes}
    lost = {by_text[one.text] for one in built.likes if one.text in by_text and one.text not in now}
    return lost | {against[one.text] for one in profile.dislikes if one.text in against and not _was(one.text, built)}


def _was(text: str, built: Profile) -> bool:
    """It was known when the profile was built, and so is in what was counted."""
    return any(one.text == text for one in built.dislikes)


def write_scenarios(folder: Path, about: Mapping[str, Any], people: Iterable[PersonTold], numbers: Mapping[str, Any]) -> None:
    from safetensors.numpy import save

    write_json(folder / ABOUT, about)
    write_beside(folder / PEOPLE, json_lines(one.model_dump(mode="json") for one in people))
    write_beside(folder / NUMBERS, save({name: np.ascontiguousarray(one) for name, one in numbers.items()}))
