"""What a model of several scenarios sees of a sample, as one row of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from persona_core.scenarios.samples import Samples
from persona_core.text.encoder import Matrix

WIDTH = 16
"""Of each of the views that are put side by side."""


VIEWS: Final = {
    "user_texts": "users", "item_texts": "items", "bands": "items", "user_knowledge": "users", "scenario_knowledge": "scenarios",
}  # fmt: skip
"""What may be known beside who and what, and of which of the three it is known."""


@dataclass(frozen=True, slots=True)
class Known:
    """What there is beside the samples; None where it is not known: then only who and what it is counts."""

    users: int
    items: int
    scenarios: int
    bands: Matrix | None = None
    """By item, which price band it is in: a row of zeros and a one."""
    item_texts: Matrix | None = None
    user_texts: Matrix | None = None
    user_knowledge: Matrix | None = None
    scenario_knowledge: Matrix | None = None
    """Knowledge merely put beside the rest, to compare with."""


@dataclass(frozen=True, slots=True)
class Batch:
    users: Tensor
    items: Tensor
    scenarios: Tensor
    recency: Tensor

    @classmethod
    def of(cls, samples: Samples) -> Batch:
        return cls(
            torch.from_numpy(samples.users), torch.from_numpy(samples.items), torch.from_numpy(samples.scenarios),
            torch.from_numpy(np.asarray(samples.recency, np.float32)),
        )  # fmt: skip

    def __getitem__(self, rows: Tensor | slice) -> Batch:
        return Batch(self.users[rows], self.items[rows], self.scenarios[rows], self.recency[rows])


class Inputs(nn.Module):
    """Learned rows for who, what and where, beside the texts of both, the price band and how long ago they were here."""

    def __init__(self, known: Known, *, apart: bool = False) -> None:
        """`apart`: somebody is another person in every scenario, so that no scenario learns from another."""
        super().__init__()
        self.known_scenarios = known.scenarios if apart else 1
        self.user = nn.Embedding(known.users * self.known_scenarios, WIDTH)
        self.item = nn.Embedding(known.items, WIDTH)
        self.scenario = nn.Embedding(known.scenarios, WIDTH)
        for table in (self.user, self.item, self.scenario):
            nn.init.normal_(table.weight, std=0.05)
        self.views = nn.ModuleDict()
        for name in VIEWS:
            rows = getattr(known, name)
            if rows is not None:
                self.register_buffer(name, torch.from_numpy(np.asarray(rows, np.float32)), persistent=False)
                self.views[name] = nn.Linear(rows.shape[1], WIDTH)
        self.width = WIDTH * (3 + len(self.views)) + 1

    def forward(self, batch: Batch) -> Tensor:
        apart = batch.scenarios if self.known_scenarios > 1 else torch.zeros_like(batch.scenarios)
        found = [self.user(batch.users * self.known_scenarios + apart), self.item(batch.items), self.scenario(batch.scenarios)]
        for name, view in self.views.items():
            found.append(view(getattr(self, name).index_select(0, getattr(batch, VIEWS[name]))))
        return torch.cat([*found, batch.recency[:, None] / 6.0], dim=1)
