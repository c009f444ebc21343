"""Hierarchical meta networks: knowledge of a person and of a scenario becomes layers of the model (after LLM4MSR, 2024).

A person's knowledge makes a layer at the bottom, before the backbone; a scenario's makes layers beside its towers, whose answer is
added to the backbone's. Both are of low rank and start as nothing: training begins at the plain backbone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from persona_core.scenarios.inputs import Batch, Inputs
from persona_core.text.encoder import Matrix

RANK, HIDDEN = 8, 32
Level = Literal["user", "scenario"]


class Generator(nn.Module):
    """From knowledge to the small core of a layer: `rank` times `rank` weights and `rank` biases; nothing before it is trained."""

    def __init__(self, known: int, rank: int = RANK) -> None:
        super().__init__()
        self.rank = rank
        self.read = nn.Sequential(nn.Linear(known, HIDDEN), nn.GELU())
        self.write = nn.Linear(HIDDEN, rank * rank + rank)
        nn.init.zeros_(self.write.weight)
        nn.init.zeros_(self.write.bias)

    def forward(self, knowledge: Tensor) -> Tensor:
        found: Tensor = self.write(self.read(knowledge))
        return found


class MetaLayer(nn.Module):
    """A layer whose core is made for each row: down to the rank, through the core, and up again."""

    def __init__(self, wide: int, narrow: int, rank: int = RANK) -> None:
        super().__init__()
        self.rank = rank
        self.down = nn.Parameter(torch.randn(wide, rank) / wide**0.5)
        self.up = nn.Parameter(torch.randn(rank, narrow) / rank**0.5)

    def forward(self, rows: Tensor, core: Tensor) -> Tensor:
        weights, bias = core[:, : self.rank**2].view(-1, self.rank, self.rank), core[:, self.rank**2 :]
        inside = ((rows @ self.down)[:, :, None] * weights).sum(1) + bias
        return nn.functional.gelu(inside) @ self.up


class Knowledge(nn.Module):
    """A row of knowledge for each person or scenario: given and left as it is, or learned like any other row."""

    def __init__(self, rows: Matrix, *, learned: bool = False) -> None:
        super().__init__()
        given = torch.from_numpy(np.asarray(rows, np.float32))
        self.rows = nn.Embedding(*given.shape)
        self.rows.weight.requires_grad_(learned)
        with torch.no_grad():
            self.rows.weight.copy_(torch.randn(given.shape) * float(given.std()) if learned else given)

    def forward(self, which: Tensor) -> Tensor:
        found: Tensor = self.rows(which)
        return found


@dataclass(frozen=True, slots=True)
class Cores:
    """What was generated, kept for serving: knowledge is not read again."""

    users: Tensor | None
    scenarios: Tensor | None


class MultiScenario(nn.Module):
    """Inputs, a backbone, and whichever of the two levels listens to knowledge."""

    sureness: Tensor
    """By which log-odds are multiplied; settled after the training."""

    def __init__(
        self, inputs: Inputs, backbone: nn.Module, users: Knowledge | None = None, scenarios: Knowledge | None = None
    ) -> None:
        super().__init__()
        self.inputs, self.backbone = inputs, backbone
        self.users, self.scenarios = users, scenarios
        self.register_buffer("sureness", torch.ones(()))
        if users is not None:
            self.of_user, self.bottom = Generator(users.rows.embedding_dim), MetaLayer(inputs.width, inputs.width)
        if scenarios is not None:
            self.of_scenario, self.beside = Generator(scenarios.rows.embedding_dim), MetaLayer(inputs.width, 1)

    def forward(self, batch: Batch, cores: Cores | None = None) -> Tensor:
        """The log-odds that each is liked; with `cores` nothing is generated anew."""
        rows = self.inputs(batch)
        if self.users is not None:
            ready = cores.users if cores else None
            core = self.of_user(self.users(batch.users)) if ready is None else ready.index_select(0, batch.users)
            rows = rows + self.bottom(rows, core)
        found: Tensor = self.backbone(rows, batch.scenarios)
        if self.scenarios is not None:
            kept = cores.scenarios if cores else None
            made = self.of_scenario(self.scenarios(batch.scenarios)) if kept is None else kept.index_select(0, batch.scenarios)
            found = found + self.beside(rows, made)[:, 0]
        return found * self.sureness

    def cores(self) -> Cores:
        with torch.no_grad():
            return Cores(
                None if self.users is None else self.of_user(self.users.rows.weight),
                None if self.scenarios is None else self.of_scenario(self.scenarios.rows.weight),
            )
