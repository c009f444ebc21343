"""Whether edits steer: after an edit of a profile, do the items that truly serve what was edited move the right way, and only they?

Measured in the demo world, whose truth says which items serve which motive. The workspace is built where it is not there yet.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import Options as Asked
from benchmarks.harness import print_table, told, write_json
from benchmarks.steering_edits import Edit, Kind, Move, Served, at_random, edits_for, move_of, niche_motives, ranks
from persona_core.alignment.head import Head
from persona_core.catalog.choose import choose_source
from persona_core.engine import Engine, Options
from persona_core.errors import WorkspaceMissing
from persona_core.evaluation.statistics import clustered_interval, compare
from persona_core.evaluation.truth import Truth
from persona_core.personas.files import PERSONAS, VECTORS, read_personas, read_vectors
from persona_core.ranking.parts import Weights
from persona_core.schema import Phrase, Profile
from persona_core.settings import default_workspace
from persona_core.steps import pipeline_of
from persona_core.workspace import Workspace

PEOPLE, QUICK_PEOPLE = 200, 40
EACH, QUICK_EACH = 2, 1
"""Of common motives, of niche ones, and of own likes: how many are edited a person."""
AIM = 0.95
SHIPPED, WORDS_AND_TASTE = "as shipped", "words and taste only"
PACKAGES = ("numpy", "torch", "sentence-transformers")
HEADS = ("trained", "frozen", "random")
"""The workspace's head; the base encoder as it is; and the workspace's head where edited texts point in random directions."""


@dataclass(frozen=True, slots=True)
class Case:
    """One edit of one person's profile, under one way to rank and one head, and what it did."""

    head: str
    ranking: str
    person: str
    niche: bool
    edit: Edit
    move: Move


def rankings(shipped: Options) -> dict[str, Options]:
    """A profile's words beside its past or alone; taste beside habit and popularity or alone."""
    taste = Weights(taste=1.0, habit=0.0, popularity=0.0, trend=0.0)
    return {
        SHIPPED: shipped,
        "taste only": replace(shipped, weights=taste),
        "words only": replace(shipped, mix=1.0),
        WORDS_AND_TASTE: replace(shipped, weights=taste, mix=1.0),
    }


def engines(workspace: Workspace) -> dict[str, Engine]:
    """By head; they share everything else."""
    shipped, made = Engine.open(workspace), workspace.artefact("personas")
    frozen = Engine(
        workspace, shipped.items, read_personas(made.file(PERSONAS)), read_vectors(made.file(VECTORS)), shipped.profiles,
        Head.frozen(shipped.head.middle_of_words, shipped.head.middle_of_personas), shipped.habit, shipped.recent, shipped.book,
    )  # fmt: skip
    return {"trained": shipped, "frozen": frozen, "random": shipped}


def cases(made: dict[str, Engine], truth: Truth, people: int, each: int, seed: int) -> list[Case]:
    shipped = made["trained"]
    niche, served = niche_motives(truth), Served.of(truth, [item.id for item in shipped.items])
    rng = np.random.default_rng(seed)
    known = sorted(set(shipped.profiles.users()) & set(truth.users))
    found: list[Case] = []
    for number, person in enumerate(rng.choice(known, min(people, len(known)), replace=False).tolist(), start=1):
        edits = edits_for(shipped.profile(person), truth.users[person], truth, niche, each, rng)
        middle = shipped.head.middle_of_words
        nowhere = [at_random(edit, 1000 * number + place, shipped.book, middle, rng) for place, edit in enumerate(edits)]
        for head, engine in made.items():
            for ranking, options in rankings(shipped.options).items():
                for edit, move in moves(engine, options, nowhere if head == "random" else edits, served):
                    found.append(Case(head, ranking, person, edit.motive in niche, edit, move))
        if number % 20 == 0:
            print(f"{number} people", file=sys.stderr)
    return found


def moves(engine: Engine, options: Options, edits: Iterable[Edit], served: Served) -> Iterable[tuple[Edit, Move]]:
    """What each edit did, where it could do anything."""
    known: dict[Profile, Any] = {}
    for edit in edits:
        if edit.before not in known:
            known[edit.before] = ranks(engine, edit.before, options)
        move = move_of(edit, known[edit.before], ranks(engine, edit.after, options), served)
        if move is not None:
            yield edit, move


# Tables --------------------------------------------------------------------------------------------------------------


def table_of(found: Sequence[Case], seed: int) -> list[dict[str, Any]]:
    """One row a kind of edit: how the trained head does, and beside it the share right of the others."""
    groups: dict[tuple[Kind, str, str], list[Case]] = defaultdict(list)
    for case in found:
        whose = "own" if case.edit.words == "own" else "niche" if case.niche else "common"
        groups[case.edit.kind, whose, case.edit.words].append(case)
    order = sorted(groups, key=lambda key: (list(Kind).index(key[0]), key[1], key[2] != "phrase", key[2]))
    return [{"edit": str(key[0]), "motives": key[1], "words": key[2], **_row(groups[key], seed)} for key in order]


def _row(some: Sequence[Case], seed: int) -> dict[str, Any]:
    by_head = {head: [case for case in some if case.head == head] for head in HEADS}
    trained = by_head["trained"]
    people, shares = [case.person for case in trained], [case.move.right for case in trained]
    right = clustered_interval(shares, people, seed=seed)
    size = clustered_interval([case.move.ranks for case in trained], people, seed=seed)
    return {
        "edits": len(trained),
        "right": right.mean,
        "low": right.low,
        "high": right.high,
        "unmoved": _mean(case.move.ranks == 0 for case in trained),
        "wrong": _mean(case.move.ranks < 0 for case in trained),
        "ranks": size.mean,
        "ranks low": size.low,
        "ranks high": size.high,
        "top 10": _mean(case.move.top for case in trained),
        "rest moved": _mean(case.move.rest_moved for case in trained),
        "rest same": _mean(case.move.rest_same for case in trained),
        **{f"{head} {name}": _mean(value) for head in HEADS[1:] for name, value in _beside(by_head[head])},
        "frozen p": compare(shares, [case.move.right for case in by_head["frozen"]], groups=people, seed=seed).p_value,
    }


def _beside(some: Sequence[Case]) -> Iterable[tuple[str, list[float]]]:
    yield "right", [case.move.right for case in some]
    yield "ranks", [case.move.ranks for case in some]
    yield "rest", [case.move.rest_moved for case in some]


def motives_table(found: Sequence[Case], truth: Truth, engine: Engine) -> list[dict[str, Any]]:
    """One row a motive, those that steer worst first."""
    served = Served.of(truth, [item.id for item in engine.items])
    rows: list[dict[str, Any]] = []
    for motive in truth.motives.values():
        mine = [case for case in found if case.edit.motive == motive.id]
        shipped = [case for case in mine if case.head == "trained" and case.ranking == SHIPPED]
        row: dict[str, Any] = {"motive": motive.phrase, "items": int(served.by[motive.id].sum()), "edits": len(shipped)}
        row |= {"phrase alone": alone(engine, motive.phrase, served.by[motive.id])}
        for words in ("phrase", "paraphrase", "sentence", "own"):
            row[words] = _mean(case.move.right for case in shipped if case.edit.words == words)
        row["phrase ranks"] = _mean(case.move.ranks for case in shipped if case.edit.words == "phrase")
        for name, head, ranking in (("words and taste", "trained", WORDS_AND_TASTE), ("frozen", "frozen", SHIPPED)):
            beside = (case for case in mine if (case.edit.words, case.head, case.ranking) == ("phrase", head, ranking))
            row[f"phrase, {name}"] = _mean(case.move.right for case in beside)
        rows.append(row)
    return sorted(rows, key=lambda row: (row["phrase"] is None, row["phrase"], row["phrase ranks"]))


def alone(engine: Engine, phrase: str, wanted: Any) -> float:
    """How well the phrase by itself, without any person, tells the items that serve it from the others: the area under the curve."""
    profile = Profile(user_id="-", version=1, text="", likes=(Phrase(text=phrase),))
    places = ranks(engine, profile, rankings(engine.options)[WORDS_AND_TASTE])
    serving, others = places[wanted], places[~wanted]
    return float((serving[:, None] < others[None, :]).mean())


def _mean(values: Iterable[float]) -> float | None:
    listed = [float(value) for value in values]
    return float(np.mean(listed)) if listed else None


# Together ------------------------------------------------------------------------------------------------------------


def main() -> None:
    given = _arguments()
    workspace, truth = demo_workspace(given.workspace), Truth.read()
    people, each = (QUICK_PEOPLE, QUICK_EACH) if given.quick else (PEOPLE, EACH)
    made = engines(workspace)
    found = cases(made, truth, people, each, given.seed)
    tables = {name: table_of([case for case in found if case.ranking == name], given.seed) for name in rankings(Options())}
    for name, rows in tables.items():
        print(f"\n{name}")
        print_table(rows)
    tables["motives"] = motives_table(found, truth, made["trained"])
    print(f"\nBy motive, {SHIPPED}: share right")
    print_table(tables["motives"])
    for note in _notes(tables[SHIPPED], people):
        print(note)
    write_json("steering", Asked(given.quick, given.json, given.seed), PACKAGES, {"workspace": str(workspace.root), **tables})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.steering", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few people, few edits; within a minute")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--workspace", type=Path, metavar="DIR", default=default_workspace(), help="a workspace of the demo world")
    return parser.parse_args()


def demo_workspace(root: Path) -> Workspace:
    """Opened as it is; built where there is none."""
    workspace = Workspace.at(root)
    try:
        Engine.open(workspace)
    except WorkspaceMissing:
        choose_source(workspace, "demo")
        pipeline_of(workspace).build(listener=told)
    return workspace


def _notes(shipped: Sequence[dict[str, Any]], people: int) -> list[str]:
    reached = sum(row["right"] >= AIM for row in shipped)
    return [
        f"\n{people} people. right: share of edits after which the mean rank of the unseen items that serve the motive moved the",
        "right way; unmoved counts as not right: mostly few such items are left unseen, all near the top. low to high: 95% bootstrap",
        "interval over people. ranks: by how many; top 10: how many of them came in (went out, where they should sink).",
        "rest: items that neither serve nor disappoint the motive, among themselves: ranks moved, and Spearman's correlation.",
        "frozen: the base encoder, nothing learned; p: of the difference in right. random: what is edited has a random direction.",
        "phrase alone: how well the phrase by itself finds the items that serve it (area under the curve; 0.5 is chance).",
        f"The aim is {AIM:.0%} right: reached by {reached} of {len(shipped)} kinds of edit as shipped.",
    ]


if __name__ == "__main__":
    main()
