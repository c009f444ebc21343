"""Models of several scenarios, each a short module: a row of numbers and its scenario give the log-odds that somebody likes it.

No prediction depends on what else is in its batch: rows are evened out one by one, never over the batch.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

import torch
from torch import Tensor, nn

HIDDEN, TOWER = 64, 32
EXPERTS = 4
LEAK = 0.1


def through_own(rows: Tensor, scenarios: Tensor, weights: Tensor, biases: Tensor) -> Tensor:
    """Each row through the layer of its scenario: those of one scenario together, for a layer a row is slow to gather."""
    order = torch.argsort(scenarios, stable=True)
    counts = torch.bincount(scenarios, minlength=len(weights)).tolist()
    parts = torch.split(rows.index_select(0, order), counts)
    found = torch.cat([torch.addmm(bias, *one) for *one, bias in zip(parts, weights, biases, strict=True)])
    return found.index_select(0, torch.argsort(order))


class ByScenario(nn.Module):
    """A layer for each scenario; a row goes through that of its own."""

    def __init__(self, scenarios: int, wide: int, narrow: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(scenarios, wide, narrow) * (2.0 / wide) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(scenarios, narrow))

    def forward(self, rows: Tensor, scenarios: Tensor) -> Tensor:
        return through_own(rows, scenarios, self.weight, self.bias)


class Towers(nn.Module):
    """What every scenario makes of the rows it is given: one hidden layer, one number."""

    def __init__(self, scenarios: int, wide: int) -> None:
        super().__init__()
        self.first, self.last = ByScenario(scenarios, wide, TOWER), ByScenario(scenarios, TOWER, 1)

    def forward(self, rows: Tensor, scenarios: Tensor) -> Tensor:
        hidden = nn.functional.leaky_relu(self.first(rows, scenarios), LEAK)
        found: Tensor = self.last(hidden, scenarios)
        return found[:, 0]


def _expert(wide: int) -> nn.Module:
    return nn.Sequential(nn.Linear(wide, HIDDEN), nn.LeakyReLU(LEAK), nn.LayerNorm(HIDDEN))


class Single(nn.Module):
    """The floor: every scenario has a network of its own, and nothing is shared."""

    def __init__(self, wide: int, scenarios: int) -> None:
        super().__init__()
        self.bottom, self.even, self.towers = ByScenario(scenarios, wide, HIDDEN), nn.LayerNorm(HIDDEN), Towers(scenarios, HIDDEN)

    def forward(self, rows: Tensor, scenarios: Tensor) -> Tensor:
        hidden = self.even(nn.functional.leaky_relu(self.bottom(rows, scenarios), LEAK))
        found: Tensor = self.towers(hidden, scenarios)
        return found


class SharedBottom(nn.Module):
    """One bottom for all, and a tower for each (Caruana, 1997)."""

    def __init__(self, wide: int, scenarios: int) -> None:
        super().__init__()
        self.bottom, self.towers = _expert(wide), Towers(scenarios, HIDDEN)

    def forward(self, rows: Tensor, scenarios: Tensor) -> Tensor:
        found: Tensor = self.towers(self.bottom(rows), scenarios)
        return found


class MMoE(nn.Module):
    """Experts for all, and a gate for each scenario that weighs them (Ma and others, 2018)."""

    def __init__(self, wide: int, scenarios: int) -> None:
        super().__init__()
        self.experts = nn.ModuleList(_expert(wide) for _ in range(EXPERTS))
        self.gate, self.towers = ByScenario(scenarios, wide, EXPERTS), Towers(scenarios, HIDDEN)

    def forward(self, rows: Tensor, scenarios: Tensor) -> Tensor:
        said = torch.stack([expert(rows) for expert in self.experts], 1)
        weights = torch.softmax(self.gate(rows, scenarios), 1)
        found: Tensor = self.towers((weights[:, :, None] * said).sum(1), scenarios)
        return found


class PLE(nn.Module):
    """Experts for all beside some of each scenario's own, and a gate over both (Tang and others, 2020); one layer of extraction."""

    def __init__(self, wide: int, scenarios: int) -> None:
        super().__init__()
        self.shared = nn.ModuleList(_expert(wide) for _ in range(EXPERTS // 2))
        self.own = nn.ModuleList(ByScenario(scenarios, wide, HIDDEN) for _ in range(EXPERTS // 2))
        self.even = nn.LayerNorm(HIDDEN)
        self.gate, self.towers = ByScenario(scenarios, wide, EXPERTS), Towers(scenarios, HIDDEN)

    def forward(self, rows: Tensor, scenarios: Tensor) -> Tensor:
        own = [self.even(nn.functional.leaky_relu(one(rows, scenarios), LEAK)) for one in self.own]
        said = torch.stack([*(expert(rows) for expert in self.shared), *own], 1)
        weights = torch.softmax(self.gate(rows, scenarios), 1)
        found: Tensor = self.towers((weights[:, :, None] * said).sum(1), scenarios)
        return found


class Star(nn.Module):
    """A network for all, and for each scenario one that is multiplied onto it, weight by weight (Sheng and others, 2021).

    Its normalisation by scenario is done row by row: over the batch, as published, a prediction would depend on its neighbours.
    """

    def __init__(self, wide: int, scenarios: int) -> None:
        super().__init__()
        self.even = nn.LayerNorm(wide)
        self.scale = nn.Parameter(torch.ones(scenarios, wide))
        self.shift = nn.Parameter(torch.zeros(scenarios, wide))
        sizes = (wide, HIDDEN, TOWER, 1)
        self.centre = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.own = nn.ParameterList(torch.ones(scenarios, b, a) for a, b in pairwise(sizes))
        self.bias = nn.ParameterList(torch.zeros(scenarios, b) for b in sizes[1:])

    def forward(self, rows: Tensor, scenarios: Tensor) -> Tensor:
        rows = self.even(rows) * self.scale[scenarios] + self.shift[scenarios]
        layers: list[Any] = list(zip(self.centre, self.own, self.bias, strict=True))
        for centre, own, bias in layers:
            rows = through_own(rows, scenarios, (centre.weight * own).transpose(1, 2), centre.bias + bias)
            rows = rows if rows.shape[1] == 1 else nn.functional.leaky_relu(rows, LEAK)
        return rows[:, 0]


Make = Callable[[int, int], nn.Module]
BACKBONES: Final[dict[str, Make]] = {"Shared-Bottom": SharedBottom, "MMoE": MMoE, "PLE": PLE, "STAR": Star}
FLOOR: Final = "each scenario alone"
