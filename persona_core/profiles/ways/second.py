"""The two slow judges at work: on some people of a judged world, beside what the ranking judge found of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from persona_core.catalog.store import Catalog
from persona_core.errors import PersonaError
from persona_core.files import write_json
from persona_core.llm.base_model import load_base
from persona_core.llm.choice import NONE, model_for, opened_models
from persona_core.profiles.evidence import visits_of
from persona_core.profiles.ways.agreement import AskingJudge, Heard, ReadingJudge, SecondJudge, Verdicts, agreement, heard
from persona_core.profiles.ways.exploring import ways_of
from persona_core.profiles.ways.halves import halved
from persona_core.profiles.ways.work import TRAINING, WAYS, WORTH, Tell, Window, bounds_of, pasts_in, ways_world, worths_of
from persona_core.schema import Item
from persona_core.workspace import Workspace

AGREEMENTS = "agreements.json"
PEOPLE = 30


def second_judges(workspace: Workspace, weights: Path | None, asking: bool, items: Sequence[Item]) -> list[SecondJudge]:
    """Those that are switched on. Raises PersonaError where no model can be asked."""
    found: list[SecondJudge] = []
    if weights is not None:
        model, tokenizer = load_base(weights)
        found.append(ReadingJudge(model.eval(), tokenizer, items, f"{weights.stem}, reading on"))
    if asking:
        wanted = model_for(workspace, "", workspace.settings.writers)
        if wanted == NONE:
            raise PersonaError(
                "There is no model to ask.",
                why=f"None of {', '.join(workspace.settings.writers)} can be reached.",
                mend="ollama serve",
            )
        found += [AskingJudge(model, items) for model in opened_models(workspace, "judge", wanted)]
    return found


def compare_judges(
    workspace: Workspace, weights: Path | None, asking: bool, people: int = PEOPLE, tell: Tell = lambda done, total, what: None
) -> list[dict[str, Any]]:
    """How far each agrees with the ranking judge, on some people; written beside what that one found."""
    place = ways_world(workspace, TRAINING, upto=TRAINING.name)
    ways = ways_of(place.artefact("ways").file(WAYS))
    ranking: Verdicts = {
        user: {key: worth.gain for key, worth in row["ways"].items()}
        for user, row in worths_of(place.artefact(TRAINING.name).file(WORTH)).items()
    }
    all_heard = [one for one in heard_in(workspace, place, TRAINING) if one.user_id in ranking]
    seed = workspace.settings.seed
    drawn = sorted(np.random.default_rng(seed).permutation(len(all_heard))[:people])
    some = [all_heard[row] for row in drawn]
    rows = []
    for judge in second_judges(workspace, weights, asking, Catalog.of(place.artefact("catalog")).all_items()):
        found = agreement(ranking, heard(judge, some, ways, lambda done, total: tell(done, total, "people")), seed)
        if found is not None:
            rows.append({"judge": judge.name, **found._asdict()})
    write_json(place.root / AGREEMENTS, rows)
    return rows


def in_words(row: Mapping[str, Any]) -> str:
    return (
        f"{row['judge']} finds the same way better as the ranking does in {row['same']:.0%} of {row['pairs']} pairs of "
        f"{row['people']} people ({row['low']:.0%} to {row['high']:.0%}; 50% is chance)."
    )


def heard_in(source: Workspace, place: Workspace, window: Window) -> list[Heard]:
    """Everybody with an older history, their newest visits, and whatever they came to in the window, liked or not."""
    recent = source.settings.profiles.recent
    reviews = Catalog.of(source.artefact("catalog")).reviews(["review_id", "user_id", "item_id", "rating", "time"])
    begins, ends = bounds_of(source, reviews, window)
    world, pasts, _ = pasts_in(place)
    code = {item: number for number, item in enumerate(world.items)}
    inside = (reviews["time"] >= begins) & (reviews["time"] < ends) & reviews["item_id"].isin(code)
    since = visits_of(reviews[inside], code, {})
    return [Heard(user, halved(world.visits[user], recent).recent, tuple(since[user])) for user in pasts if since.get(user)]
