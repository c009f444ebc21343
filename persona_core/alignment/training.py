"""Trains the light head: a person's liked items are to rank before all others, by the persona that fits best."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from persona_core.alignment.head import MAPS, Head, LowRank, unit
from persona_core.alignment.matching import FEAR_SAY
from persona_core.alignment.pairs import NOBODY, Pairs, World, spoken_pairs
from persona_core.text.encoder import DIMENSION, Matrix

FAR = -2.0
MOST_HELD, MOST_HELD_AMONG = 1_000, 5_000
"""In a larger catalogue so many held-out pairs are looked for among so many items: enough for a curve, and it must cost little."""
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a head is trained; searched on validation in `benchmarks/ranking.py`."""

    rank: int = 32
    temperature: float = 0.1
    rate: float = 3e-3
    decay: float = 1e-2
    dropout: float = 0.2
    batch: int = 256
    epochs: int = 12
    patience: int = 4
    held_out: float = 0.1
    teacher_say: float = 0.2
    spoken_say: float = 0.5
    """How much single sentences of praise count as lessons, beside whole profiles."""
    channel_loss: float = 0.15
    """How often training hides the words or the past, so that each alone is understood."""
    most_items: int = 2_500
    """In a larger catalogue a pair meets so many drawn items, beside the liked ones of its batch."""
    seed: int = 7


class Epoch(NamedTuple):
    """One point of the learning curve."""

    number: int
    loss: float
    ndcg: float
    """NDCG@10 of the pairs that were held out from training, among the whole catalogue."""


class Trained(NamedTuple):
    head: Head
    curve: tuple[Epoch, ...]
    recipe: Recipe

    def as_dict(self) -> dict[str, Any]:
        curve = [epoch._asdict() | ({} if epoch.number else {"loss": None}) for epoch in self.curve]
        return {"recipe": asdict(self.recipe), "curve": curve}


def train_head(
    world: World, pairs: Pairs, start: Head, recipe: Recipe | None = None, tell: Callable[[int, int, str], None] = lambda *_: None
) -> Trained:
    """The head after the epoch that ranks the held-out pairs best; with too few pairs to hold some out, the start."""
    import torch

    recipe = recipe or Recipe()
    learning, holding = _parted(pairs, recipe)
    if not len(learning) or not len(holding):
        return Trained(start, (), recipe)
    torch.manual_seed(recipe.seed)
    generator = np.random.default_rng(recipe.seed)
    net = _net(world, start, recipe)
    spoken = spoken_pairs(world, start, pairs.users)
    optimizer = torch.optim.AdamW(net.parameters(), lr=recipe.rate, weight_decay=recipe.decay)
    best, curve = (_quality(net, pairs, holding, recipe.temperature), _head_of(net, start)), [Epoch(0, float("nan"), 0.0)]
    curve[0] = Epoch(0, float("nan"), best[0])
    since = 0
    for number in range(1, recipe.epochs + 1):
        losses = []
        for rows in _batches(learning, recipe.batch, generator):
            loss = _loss(net, pairs, rows, recipe, generator)
            if recipe.spoken_say and len(spoken):
                drawn = generator.choice(len(spoken), min(recipe.batch, len(spoken)), replace=False)
                loss = loss + recipe.spoken_say * _loss(net, spoken, drawn, recipe, generator)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        quality = _quality(net, pairs, holding, recipe.temperature)
        curve.append(Epoch(number, float(np.mean(losses)), quality))
        tell(number, recipe.epochs, "epochs")
        since = 0 if quality > best[0] else since + 1
        if not since:
            best = (quality, _head_of(net, start))
        if since >= recipe.patience:
            break
    return Trained(best[1], tuple(curve), recipe)


def _parted(pairs: Pairs, recipe: Recipe) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    order = np.random.default_rng(recipe.seed).permutation(len(pairs))
    held = int(len(pairs) * recipe.held_out)
    return order[held:], order[:held]


def _batches(rows: npt.NDArray[Any], size: int, generator: np.random.Generator) -> Iterator[npt.NDArray[Any]]:
    mixed = generator.permutation(rows)
    for start in range(0, len(mixed), size):
        yield mixed[start : start + size]


def _net(world: World, start: Head, recipe: Recipe) -> Any:
    """The head as a torch module that scores items for words, fears and past."""
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.maps = nn.ParameterDict()
            for name in MAPS:
                self.maps[f"{name}_down"] = nn.Parameter(torch.randn(DIMENSION, recipe.rank) * 0.02)
                self.maps[f"{name}_up"] = nn.Parameter(torch.zeros(recipe.rank, DIMENSION))  # begins as the base encoder
            self.penalty = nn.Parameter(torch.tensor(float(np.log(np.expm1(start.penalty)))))
            self.dropout = nn.Dropout(recipe.dropout)
            self.personas = torch.tensor(unit(world.vectors - start.middle_of_personas))
            self.of_item = torch.tensor(world.persona_items.astype(np.int64))
            self.disappoints = torch.tensor(world.disappoints)
            self.items = len(world.items)
            self.renown = torch.tensor(renown(world))
            self.renown_say = nn.Parameter(torch.tensor(1.0))
            self.everything = Among.of(self, np.arange(self.items, dtype=np.int64))

        def mapped(self, name: str, rows: Any) -> Any:
            return rows + self.dropout(rows) @ self.maps[f"{name}_down"] @ self.maps[f"{name}_up"]

        def matches(self, words: Any, fears: Any, past: Any, mix: Any, among: Among) -> tuple[Any, Any]:
            """The best suiting and the best disappointing match of each of these items."""
            normal = nn.functional.normalize
            mix = torch.where(past.any(1, keepdim=True), torch.where(words.any(1, keepdim=True), mix, 0.0), 1.0)  # as in taste_of
            wants = normal(mix * self.mapped("words", words) + (1 - mix) * self.mapped("past", past), dim=1)
            alarmed = normal(wants + FEAR_SAY * normal(self.mapped("words", fears), dim=1), dim=1)
            personas = normal(self.mapped("personas", self.personas[among.rows]), dim=1)
            suits = (wants @ personas.T).masked_fill(self.disappoints[among.rows], FAR)
            wrong = (alarmed @ personas.T).masked_fill(~self.disappoints[among.rows], 0.0)
            places = among.of_item.expand(len(words), -1)
            best = torch.full((len(words), len(among.items)), FAR).scatter_reduce(1, places, suits, "amax")
            worst = torch.zeros((len(words), len(among.items))).scatter_reduce(1, places, wrong, "amax")
            return (best, worst), suits

        def forward(self, words: Any, fears: Any, past: Any, mix: Any, among: Among) -> tuple[Any, Any]:
            (best, worst), suits = self.matches(words, fears, past, mix, among)
            return best - nn.functional.softplus(self.penalty) * worst, suits

    return Net()


def _loss(net: Any, pairs: Pairs, rows: npt.NDArray[Any], recipe: Recipe, generator: np.random.Generator) -> Any:
    import torch
    from torch.nn.functional import cross_entropy

    net.train()
    words, fears, past = (torch.tensor(getattr(pairs, name)[rows]) for name in ("words", "fears", "past"))
    mix = torch.tensor(generator.uniform(0.2, 0.8, (len(rows), 1)).astype(np.float32))
    hidden = torch.tensor(generator.random((len(rows), 1)))
    mix = torch.where(hidden < recipe.channel_loss, 1.0, torch.where(hidden > 1 - recipe.channel_loss, 0.0, mix))
    among = _among(net, pairs, rows, recipe, generator)
    right = torch.tensor(among.places(pairs.item[rows]))
    scores, suits = net(words, fears, past, mix, among)
    scores = scores / recipe.temperature + net.renown_say * net.renown[among.items]
    scores = scores.masked_fill(_no_negatives(pairs, rows, among), -1e4)
    loss = cross_entropy(scores, right)
    taught = pairs.persona[rows] != NOBODY
    if recipe.teacher_say and taught.any():
        same_item = among.of_item[None, :] == right[taught][:, None]
        own = (suits[torch.tensor(taught)] / recipe.temperature).masked_fill(~same_item, -1e4)
        loss = loss + recipe.teacher_say * cross_entropy(own, torch.tensor(among.rows_at(pairs.persona[rows][taught])))
    return loss


@dataclass(frozen=True, slots=True)
class Among:
    """The items that are weighed against each other, in order, and the rows of their personas."""

    items: Rows
    rows: Rows
    of_item: Any
    """By persona, the place of its item."""

    @classmethod
    def of(cls, net: Any, items: Rows) -> Among:
        import torch

        place = np.full(net.items, -1, np.int64)
        place[items] = np.arange(len(items))
        of_item = place[net.of_item.numpy()]
        rows = np.flatnonzero(of_item >= 0)
        return cls(items, rows, torch.tensor(of_item[rows]))

    def places(self, items: npt.NDArray[Any]) -> Rows:
        return np.searchsorted(self.items, items).astype(np.int64)

    def rows_at(self, personas: npt.NDArray[Any]) -> Rows:
        return np.searchsorted(self.rows, personas).astype(np.int64)


def _among(net: Any, pairs: Pairs, rows: npt.NDArray[Any], recipe: Recipe, generator: np.random.Generator) -> Among:
    """All items; in a large catalogue those drawn for this batch, and the ones that its pairs are about."""
    if net.items <= recipe.most_items:
        everything: Among = net.everything
        return everything
    drawn = generator.choice(net.items, recipe.most_items, replace=False)
    return Among.of(net, np.union1d(drawn, pairs.item[rows]).astype(np.int64))


def renown(world: World) -> Matrix:
    """How well known each item is, in logs. Training may lean on it, so that the maps need not learn who is popular."""
    counts = np.zeros(len(world.items))
    for visits in world.visits.values():
        counts[list({visit.item for visit in visits})] += 1
    known = np.log1p(counts)
    return np.asarray(known - known.mean(), np.float32)


def _no_negatives(pairs: Pairs, rows: npt.NDArray[Any], among: Among) -> Any:
    """The items that a pair must not be held against: the person's other ones."""
    import torch

    away = np.zeros((len(rows), len(among.items)), bool)
    right = among.places(pairs.item[rows])
    for place, row in enumerate(rows):
        own = pairs.own[pairs.user[row]]
        away[place, among.places(own[np.isin(own, among.items)])] = True
        away[place, right[place]] = False
    return torch.tensor(away)


def _quality(net: Any, pairs: Pairs, rows: npt.NDArray[Any], temperature: float) -> float:
    """NDCG@10 of these pairs, the person's other items aside."""
    import torch

    net.eval()
    gains = []
    among = net.everything
    if net.items > MOST_HELD_AMONG:
        rows = rows[:MOST_HELD]
        drawn = np.random.default_rng(0).choice(net.items, MOST_HELD_AMONG, replace=False)
        among = Among.of(net, np.union1d(drawn, pairs.item[rows]).astype(np.int64))
    with torch.inference_mode():
        for start in range(0, len(rows), 512):
            some = rows[start : start + 512]
            inputs = (torch.tensor(getattr(pairs, name)[some]) for name in ("words", "fears", "past"))
            scores = net(*inputs, torch.full((len(some), 1), 0.5), among)[0] / temperature + net.renown_say * net.renown[among.items]
            scores = scores.numpy()
            for place, row in enumerate(some):
                own = pairs.own[pairs.user[row]]
                target = scores[place, int(among.places(pairs.item[row : row + 1])[0])]
                scores[place, among.places(own[np.isin(own, among.items)])] = -np.inf
                rank = 1 + int((~(scores[place] < target)).sum())  # equals stand before it, and so does what is no number
                gains.append(1.0 / np.log2(rank + 1) if rank <= 10 else 0.0)
    return float(np.mean(gains))


def _head_of(net: Any, start: Head) -> Head:
    import torch

    values = {name: one.detach().numpy().copy() for name, one in net.maps.items()}
    words, past, personas = (LowRank(values[f"{name}_down"], values[f"{name}_up"]) for name in MAPS)
    penalty = float(torch.nn.functional.softplus(net.penalty.detach()))
    return Head(words, past, personas, start.middle_of_words, start.middle_of_personas, penalty)
