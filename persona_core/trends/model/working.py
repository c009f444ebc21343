"""The whole work of a trend model: train on what is over, judge on the newest windows, and write down what it says of today."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from persona_core.catalog.store import Catalog
from persona_core.errors import PersonaError, WorkspaceMissing
from persona_core.files import file_digest, write_json
from persona_core.llm.base_model import load_base
from persona_core.llm.export import export_adapters
from persona_core.personas.aspects import ASPECTS, read_aspects
from persona_core.schema import Item
from persona_core.trends.building import SAID, panel_of
from persona_core.trends.files import MODEL_FOLDER, TOLD, fingerprint
from persona_core.trends.model.examples import Example, Part, examples_at, training_examples
from persona_core.trends.model.head import fit_head
from persona_core.trends.model.network import TrendNetwork
from persona_core.trends.model.training import Training, train
from persona_core.trends.panel import Panel
from persona_core.trends.windows import Table
from persona_core.trends.words import holds, statements_in, wholly_borne_out
from persona_core.workspace import Workspace

HELD_OUT = 3
"""The newest windows are kept for judging."""
FEWEST_WINDOWS = 10
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    panel: Panel
    items: tuple[Item, ...]
    network: TrendNetwork
    training: list[list[Example]]
    judging: list[list[Example]]
    """By cut-off; none of them was trained on, nor anything later than the first of them."""


def prepared(workspace: Workspace, weights: Path, chosen: Training, without: frozenset[Part] = frozenset()) -> Prepared:
    panel, items = opened(workspace)
    if panel.windows.many < FEWEST_WINDOWS + HELD_OUT:
        raise PersonaError(
            "There is too little time in this data to learn trends from.",
            why=f"It spans {panel.windows.many} windows of a {panel.windows.word}; {FEWEST_WINDOWS + HELD_OUT} are needed.",
            mend="use the forecasts of the build, which need no training",
        )
    past = training_examples(panel.back(HELD_OUT), items, chosen.seed, without)
    judging = [_at(panel, items, back, chosen.seed, without) for back in range(HELD_OUT, 0, -1)]
    texts = [reason for examples in past for one in examples for reason in (one.reason, *one.false)]
    base, tokenizer = load_base(weights)
    return Prepared(panel, items, TrendNetwork(base, tokenizer, texts, chosen.rank, chosen.seed), past, judging)


def opened(workspace: Workspace) -> tuple[Panel, tuple[Item, ...]]:
    catalog = Catalog.of(workspace.artefact("catalog"))
    try:
        aspects = read_aspects(workspace.artefact("aspects").file(ASPECTS), SAID)
    except WorkspaceMissing:
        aspects = None
    return panel_of(catalog, aspects), tuple(catalog.all_items())


def _at(panel: Panel, items: Sequence[Item], back: int, seed: int, without: frozenset[Part]) -> list[Example]:
    return examples_at(panel.back(back), items, panel.windows.counts[:, panel.windows.many - back], seed, without)


# Judging -----------------------------------------------------------------------------------------------------------------


def numbers(network: TrendNetwork, examples: Sequence[Example], at_once: int = 16) -> Table:
    """What the head expects of each."""
    import torch

    found: list[float] = []
    with torch.no_grad():
        for start in range(0, len(examples), at_once):
            found += network.foretold([one.prompt for one in examples[start : start + at_once]],
                                      [one.base for one in examples[start : start + at_once]])  # fmt: skip
    return np.asarray(np.maximum(np.expm1(np.array(found)), 0.0))


def told_apart(network: TrendNetwork, examples: Sequence[Example], at_once: int = 8) -> tuple[int, int]:
    """Of so many examples, how often the true reason was likelier than the same with its signals turned round."""
    import torch

    right = 0
    with torch.no_grad():
        for start in range(0, len(examples), at_once):
            likely = network(examples[start : start + at_once]).likely
            right += int((likely[:, 0] > likely[:, 1]).sum())
    return right, len(examples)


@dataclass(frozen=True, slots=True)
class Faith:
    """How what was said compares with the signals."""

    reasons: int
    statements: int
    right: int
    unread: int
    """Reasons in which nothing was found that could be compared."""


def faith(network: TrendNetwork, examples: Sequence[Example], expected: Table) -> tuple[Faith, list[str]]:
    """Lets the model give its reasons and reads them back; its outlook is held to its own number."""
    said = reasons(network, examples, expected)
    found = [statements_in(text) for text in said]
    held = [
        holds(each, one.values, one.by_chance, one.way(float(number)))
        for one, number, own in zip(examples, expected, found, strict=True)
        for each in own
    ]
    return Faith(len(said), len(held), sum(held), sum(not own for own in found)), said


def reasons(
    network: TrendNetwork, examples: Sequence[Example], expected: Table, tell: Tell = lambda what, done, total: None, at_once: int = 16
) -> list[str]:
    """In the model's words, each knowing the number."""
    said: list[str] = []
    for start in range(0, len(examples), at_once):
        some = zip(examples[start : start + at_once], expected[start : start + at_once], strict=True)
        said += network.say([(one.prompt, one.bridge(float(number))) for one, number in some])
        tell("telling", len(said), len(examples))
    return said


# Everything --------------------------------------------------------------------------------------------------------------


def work(workspace: Workspace, weights: Path, chosen: Training, tell: Tell = lambda what, done, total: None) -> dict[str, Any]:
    """Trains, or goes on, and leaves adapters and `told.json` in the workspace's folder of the trend model."""
    folder = workspace.root / MODEL_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    ready = prepared(workspace, weights, chosen)
    learn(ready, chosen, folder, tell)
    judged = verdict(ready, tell)
    said = _said(ready, tell)
    found = {
        "model": weights.stem,
        "base": file_digest(weights) if weights.is_file() else weights.name,
        "counts": fingerprint(ready.panel.windows, [one.id for one in ready.items]),
        "training": asdict(chosen),
        "judged": judged,
        "items": said,
    }
    write_json(folder / TOLD, found)
    return {"judged": judged, "told": str(folder / TOLD), "modelfile": str(exported(ready.network, weights, folder / "ollama"))}


def exported(network: TrendNetwork, weights: Path, folder: Path) -> Path:
    says = "The reasons come from the adapters; the number comes from a head that Ollama does not know, so that it is not said here."
    return export_adapters(network.model, weights, folder, name="trend-reasons", says=says, most=90, stop="\\n")


def learn(ready: Prepared, chosen: Training, folder: Path, tell: Tell) -> None:
    """Trains to the end, or goes on; then fits the head of the number."""
    train(ready.network, ready.training, chosen, folder, told=lambda done, total, _: tell("training", done, total))
    fit_head(ready.network, ready.training, lambda done, total: tell("fitting the number", done, total))


def verdict(ready: Prepared, tell: Tell, read_back: int = 60) -> dict[str, Any]:
    """On the newest windows, which it did not learn from; reasons are read back for so many examples."""
    everything = [one for examples in ready.judging for one in examples]
    expected = numbers(ready.network, everything)
    came = np.expm1(np.array([one.target for one in everything]))
    apart, of = told_apart(ready.network, everything)
    step = max(1, len(everything) // read_back)
    some = list(range(0, len(everything), step))
    tell("judging", 0, len(some))
    true, _ = faith(ready.network, [everything[place] for place in some], expected[some])
    return {
        "examples": of, "MAE": round(float(np.abs(expected - came).mean()), 4),
        "RMSE of logs": round(float(np.sqrt(((np.log1p(expected) - np.log1p(came)) ** 2).mean())), 4),
        "told apart": round(apart / of, 4), "statements": true.statements,
        "statements right": round(true.right / max(1, true.statements), 4), "reasons": true.reasons, "unread": true.unread,
    }  # fmt: skip


def _said(ready: Prepared, tell: Tell) -> dict[str, Any]:
    """Of today, where every sentence can be read and holds; of other items the rule speaks."""
    examples = examples_at(ready.panel, ready.items, None, 0)
    expected = numbers(ready.network, examples)
    said = reasons(ready.network, examples, expected, tell)
    return {
        one.item: {"expected": round(float(many), 2), "reason": text}
        for one, many, text in zip(examples, expected, said, strict=True)
        if wholly_borne_out(text, one.values, one.by_chance, one.way(float(many)))
    }
