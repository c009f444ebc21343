"""The number's head, fitted in closed form once the words are learned: a few hundred steps of eight examples are too few for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from persona_core.trends.model.examples import Example
from persona_core.trends.windows import Table

if TYPE_CHECKING:
    from persona_core.trends.model.network import TrendNetwork

RIDGES = (1e2, 1e3, 1e4, 1e5, 1e6)
LAST = 2
"""So many of the newest cut-offs choose how much the weights are held back."""
MOST = 1_200
"""About so many examples are read, from the newest cut-offs: reading is what takes the time."""


def fit_head(
    network: TrendNetwork, by_origin: Sequence[Sequence[Example]], tell: Callable[[int, int], None], at_once: int = 16
) -> float:
    """Puts the best head in its place and gives back the root of its mean squared error on the newest cut-offs it learned from."""
    import torch

    while sum(len(some) for some in by_origin[1:]) >= MOST:
        by_origin = by_origin[1:]
    examples = [one for some in by_origin for one in some]
    states = []
    with torch.no_grad():
        for start in range(0, len(examples), at_once):
            states.append(network.read([one.prompt for one in examples[start : start + at_once]]).numpy())
            tell(min(start + at_once, len(examples)), len(examples))
    read = np.concatenate(states).astype(np.float64)
    off = np.array([one.target - one.base for one in examples])
    newest = sum(len(some) for some in by_origin[:-LAST])
    tried = [(_error(_solved(read[:newest], off[:newest], ridge), read[newest:], off[newest:]), ridge) for ridge in RIDGES]
    error, ridge = min(tried)
    weights, bias = _solved(read, off, ridge)
    with torch.no_grad():
        network.head.weight.copy_(torch.tensor(weights[None], dtype=torch.float32))
        network.head.bias.copy_(torch.tensor([bias], dtype=torch.float32))
    return error


def _solved(read: Table, wanted: Table, ridge: float) -> tuple[Table, float]:
    """Weights and bias with the least squared error, the weights held back."""
    if not len(read):
        return np.zeros(read.shape[1]), 0.0
    middle, level = read.mean(0), float(wanted.mean())
    away = read - middle
    weights: Table = np.linalg.solve(away.T @ away + ridge * np.eye(read.shape[1]), away.T @ (wanted - level))
    return weights, level - float(middle @ weights)


def _error(found: tuple[Table, float], read: Table, wanted: Table) -> float:
    return float(np.sqrt(((read @ found[0] + found[1] - wanted) ** 2).mean())) if len(read) else float("inf")
