"""A small world of two scenarios in which a person's taste in one says something of their taste in the other."""

from __future__ import annotations

import numpy as np
import torch

from persona_core.scenarios.backbones import SharedBottom
from persona_core.scenarios.inputs import Inputs, Known
from persona_core.scenarios.meta import Knowledge, MultiScenario
from persona_core.scenarios.samples import Samples
from persona_core.text.encoder import Matrix

USERS, ITEMS, SCENARIOS, KINDS = 40, 24, 2, 4


def kinds() -> Matrix:
    """Which of four kinds of people somebody is: the knowledge that helps."""
    return np.eye(KINDS, dtype=np.float32)[np.arange(USERS) % KINDS]


def samples(seed: int, many: int = 400) -> Samples:
    """Everybody likes what is of their kind, in either scenario."""
    rng = np.random.default_rng(seed)
    users, items = rng.integers(0, USERS, many), rng.integers(0, ITEMS, many)
    liked = (users % KINDS == items % KINDS) ^ (rng.random(many) < 0.05)
    return Samples(users, items, items % SCENARIOS * 0 + (items >= ITEMS // 2), rng.random(many).astype(np.float32),
                   liked.astype(np.float32), np.zeros(many, bool))  # fmt: skip


def known() -> Known:
    return Known(USERS, ITEMS, SCENARIOS)


def model(
    backbone: type = SharedBottom, *, users: Matrix | None = None, scenarios: Matrix | None = None, seed: int = 1
) -> MultiScenario:
    torch.manual_seed(seed)
    inputs = Inputs(known())
    return MultiScenario(
        inputs, backbone(inputs.width, SCENARIOS), None if users is None else Knowledge(users),
        None if scenarios is None else Knowledge(scenarios),
    )  # fmt: skip
