"""A small network that weighs four views of an item by attention: its smoothed history, its age and the date, the season of its
scenario, and what is known of it beforehand (after PARE, CIKM 2023)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from persona_core.trends.features import MOST_ORIGINS
from persona_core.trends.forecasters import MovingAverage, mean_of
from persona_core.trends.panel import NEAR, Panel, phase
from persona_core.trends.windows import Table

if TYPE_CHECKING:
    from torch import Tensor, nn

FEWEST = 400
WIDTH, HIDDEN = 24, 48
BACK = 12
SMOOTHED = (0.15, 0.4)
BATCH, RATE, DECAY = 256, 3e-3, 1e-2
HALF_LIFE = 8.0


class Views(NamedTuple):
    """Four tables with a row for each item, and what the last windows alone would say."""

    history: Table
    time: Table
    season: Table
    side: Table
    base: Table


@dataclass(frozen=True, slots=True)
class Attention:
    name: str = "attention"
    title: str = "A network that weighs history, age, season and kind"
    seed: int = 7
    rounds: int = 30

    def expected(self, panel: Panel) -> Table:
        pasts = [panel.back(back) for back in range(1, min(MOST_ORIGINS, panel.windows.many - 4) + 1)]
        known = [past.windows.known for past in pasts]
        if sum(int(one.sum()) for one in known) < FEWEST:
            return MovingAverage().expected(panel)
        views = _joined([_only(views_of(past), rows) for past, rows in zip(pasts, known, strict=True)])
        targets = np.concatenate(
            [np.log1p(panel.windows.counts[rows, past.windows.many]) for past, rows in zip(pasts, known, strict=True)]
        )  # fmt: skip
        weights = np.concatenate([np.full(int(rows.sum()), 0.5 ** (back / HALF_LIFE)) for back, rows in enumerate(known)])
        found = _learned(views, targets, weights, views_of(panel), self.seed, self.rounds)
        return np.where(panel.windows.known, found, 0.0)  # nothing was learned of items that nobody had met


def views_of(panel: Panel) -> Views:
    found: Views = panel.once("views", _views)
    return found


def _views(panel: Panel) -> Views:
    windows = panel.windows
    logs = np.log1p(windows.counts)
    lags = _last(logs, BACK)
    smooth = np.stack([_smoothed(logs, windows.alive(), follow) for follow in SMOOTHED], axis=1)
    base = np.log1p(mean_of(windows, np.arange(1.0, 7.0)))
    age = np.log1p(windows.age.astype(float))
    turn = np.tile(phase(windows), (len(age), 1))
    time = np.concatenate([age[:, None], (age <= np.log1p(3.0))[:, None], turn], axis=1)
    return Views(np.concatenate([lags, smooth], axis=1), time, _season(panel, turn), _side(panel, logs), base)


def _last(logs: Table, many: int) -> Table:
    kept = logs[:, -many:]
    return np.pad(kept, ((0, 0), (many - kept.shape[1], 0)))


def _smoothed(logs: Table, alive: Table, follow: float) -> Table:
    level, met = np.zeros(len(logs)), np.zeros(len(logs), bool)
    for window in range(logs.shape[1]):
        here = alive[:, window]
        level = np.where(here, np.where(met, follow * logs[:, window] + (1 - follow) * level, logs[:, window]), level)
        met |= here
    return level


def _season(panel: Panel, turn: Table) -> Table:
    """How its scenario went lately and, where there is one, around the same time a period ago; and which scenario it is."""
    windows, period = panel.windows, panel.windows.period
    which = np.eye(len(panel.scenarios))[panel.groups]
    sums = [np.log1p(windows.counts[panel.groups == one]).sum(0) for one in range(len(panel.scenarios))]
    means = np.stack(sums) / np.maximum(which.sum(0), 1.0)[:, None]  # a scenario may have no items
    lately = _last(means, 6)
    there = windows.many >= period + 3
    then = means[:, windows.many - period - 3 : windows.many - period + 1] if there else np.zeros((len(means), 4))
    own = _last(np.log1p(windows.counts), period + 3)[:, :4] if there else np.zeros((len(panel.groups), 4))
    met = np.full((len(own), 1), float(there)) * (windows.age >= period)[:, None]
    return np.concatenate([lately[panel.groups], then[panel.groups], own * met, met, which, turn], axis=1)


def _side(panel: Panel, logs: Table) -> Table:
    """Its text, and how those that read like it went lately."""
    lately = logs[:, -3:].mean(1)
    near = np.zeros((len(logs), 2))
    cosines = panel.vectors @ panel.vectors.T if len(panel.vectors) <= 4096 else None
    for item in range(len(logs)):
        row = cosines[item] if cosines is not None else panel.vectors @ panel.vectors[item]
        row = np.where(panel.windows.known, row, -2.0)
        row[item] = -2.0
        best = np.argpartition(-row, min(NEAR, len(row) - 1))[:NEAR]
        best = best[row[best] > -2.0]
        if len(best):
            near[item] = lately[best].mean(), row[best].mean()
    return np.concatenate([panel.vectors, near], axis=1)


def _only(views: Views, rows: Table) -> Views:
    return Views(*(one[rows] for one in views))


def _joined(views: list[Views]) -> Views:
    return Views(*(np.concatenate(parts) for parts in zip(*views, strict=True)))


# The network -------------------------------------------------------------------------------------------------------------


def _learned(views: Views, targets: Table, weights: Table, asked: Views, seed: int, rounds: int) -> Table:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # sums of several threads differ in their last digits
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            inputs, questions = ([torch.tensor(one, dtype=torch.float32) for one in part] for part in (views, asked))
            net = _network([one.shape[1] for one in inputs[:4]])
            _train(net, inputs, torch.tensor(targets, dtype=torch.float32), torch.tensor(weights, dtype=torch.float32), rounds)
            net.eval()
            with torch.no_grad():
                found: Table = np.expm1(np.maximum(net(questions).double().numpy(), 0.0))
        return found
    finally:
        torch.set_num_threads(threads)


def _train(net: Any, inputs: list[Tensor], targets: Tensor, weights: Tensor, rounds: int) -> None:
    import torch

    steps = rounds * -(-len(targets) // BATCH)
    optimizer = torch.optim.AdamW(net.parameters(), RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    for _ in range(rounds):
        for rows in torch.split(torch.randperm(len(targets)), BATCH):
            off = net([one[rows] for one in inputs]) - targets[rows]
            loss = (weights[rows] * off**2).sum() / weights[rows].sum()
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            schedule.step()


def _network(widths: list[int]) -> nn.Module:
    import torch
    from torch import nn

    class Fusing(nn.Module):
        """Each view becomes a vector; attention says how much of each counts; the answer is a step from the last windows' mean."""

        def __init__(self) -> None:
            super().__init__()
            self.views = nn.ModuleList(
                nn.Sequential(nn.Linear(width, HIDDEN), nn.GELU(), nn.Dropout(0.1), nn.Linear(HIDDEN, WIDTH)) for width in widths
            )
            self.asks = nn.Linear(WIDTH * len(widths), WIDTH)
            self.keys = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in widths)
            self.answers = nn.Sequential(nn.Linear(WIDTH + 1, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, 1))

        def forward(self, given: list[Tensor]) -> Tensor:
            tokens = torch.stack([view(one) for view, one in zip(self.views, given[:4], strict=True)], dim=1)
            asked = self.asks(tokens.flatten(1))
            keys = torch.stack([key(tokens[:, place]) for place, key in enumerate(self.keys)], dim=1)
            shares = torch.softmax((keys * asked[:, None]).sum(-1) / WIDTH**0.5, dim=1)
            fused = (shares[..., None] * tokens).sum(1)
            base = given[4]
            step: Tensor = self.answers(torch.cat([fused, base[:, None]], dim=1))[:, 0]
            return base + step

    return Fusing()
