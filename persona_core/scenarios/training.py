"""Training a model of several scenarios, to the epoch that tells liked from disliked best on later samples; and what it is worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson
import torch
from scipy.optimize import minimize_scalar
from scipy.special import expit
from sklearn.metrics import log_loss, roc_auc_score
from torch import nn

from persona_core.files import canonical_json, digest, write_beside
from persona_core.scenarios.inputs import Batch
from persona_core.scenarios.meta import MultiScenario
from persona_core.scenarios.samples import Numbers, Samples

Build = Callable[[], MultiScenario]
Tell = Callable[[int, int], None]
MOMENTS = ("step", "exp_avg", "exp_avg_sq")
"""What the optimiser remembers of each weight."""
SURE = (-4.0, 4.0)
"""Logarithms of the least and the most by which log-odds may be multiplied; labels of one kind alone would ask for no end."""
CHECKPOINT = "checkpoint.safetensors"


@dataclass(frozen=True, slots=True)
class Recipe:
    epochs: int = 30
    patience: int = 4
    batch: int = 256
    rate: float = 2e-3
    decay: float = 1e-4
    seed: int = 7


class Epoch(NamedTuple):
    number: int
    loss: float
    auc: float
    """On the validation samples."""


class Fitted(NamedTuple):
    model: MultiScenario
    curve: tuple[Epoch, ...]
    best: int


def fit(
    build: Build, train: Samples, valid: Samples, recipe: Recipe, folder: Path | None = None, tell: Tell = lambda *_: None
) -> Fitted:
    """The model after its best epoch; with a folder it is kept after each, and a training that was stopped goes on."""
    torch.manual_seed(recipe.seed)
    model = build()
    trained = [one for one in model.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=recipe.rate, weight_decay=recipe.decay)
    run = _Run.resumed(model, optimizer, recipe, folder)
    batch, labels = Batch.of(train), torch.from_numpy(train.labels)
    while len(run.curve) < recipe.epochs and len(run.curve) - run.best < recipe.patience:
        number = len(run.curve) + 1
        order = torch.from_numpy(np.random.default_rng([recipe.seed, number]).permutation(len(train)))
        losses = [_step(model, optimizer, batch[rows], labels[rows]) for rows in torch.split(order, recipe.batch)]
        run.note(Epoch(number, float(np.mean(losses)), auc(valid.labels, chances(model, valid))), model)
        run.keep(optimizer, folder)
        tell(number, recipe.epochs)
    model.load_state_dict(run.state)
    model.sureness.fill_(sureness(valid.labels, odds(model, valid)))
    return Fitted(model.eval(), tuple(run.curve), run.best)


def _step(model: MultiScenario, optimizer: torch.optim.Optimizer, batch: Batch, labels: torch.Tensor) -> float:
    model.train()
    loss = nn.functional.binary_cross_entropy_with_logits(model(batch), labels)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_([one for one in model.parameters() if one.requires_grad], 1.0)
    optimizer.step()
    return float(loss.detach())


@dataclass(slots=True)
class _Run:
    """Where a training stands."""

    name: str
    curve: list[Epoch]
    best: int
    state: dict[str, Any]
    latest: dict[str, Any]

    @classmethod
    def resumed(cls, model: MultiScenario, optimizer: torch.optim.Optimizer, recipe: Recipe, folder: Path | None) -> _Run:
        """As it was left, where that is a checkpoint of this very training; else at the beginning."""
        sizes = {name: list(one.shape) for name, one in model.state_dict().items()}
        name = digest(canonical_json([asdict(replace(recipe, epochs=0)), sizes]))
        run = cls(name, [], 0, _copied(model), _copied(model))
        kept = _read(folder, name) if folder else None
        if kept:
            about, tensors = kept
            run.curve, run.best = [Epoch(*one) for one in about["curve"]], int(about["best"])
            run.state = {key: tensors[f"best {key}"] for key in sizes}
            model.load_state_dict({key: tensors[f"latest {key}"] for key in sizes})
            for place, one in enumerate(optimizer.param_groups[0]["params"]):
                optimizer.state[one] = {key: tensors[f"{key} {place}"] for key in MOMENTS if f"{key} {place}" in tensors}
        return run

    def note(self, epoch: Epoch, model: MultiScenario) -> None:
        self.curve.append(epoch)
        self.latest = _copied(model)
        if epoch.auc > max((one.auc for one in self.curve[:-1]), default=-1.0):
            self.best, self.state = epoch.number, self.latest

    def keep(self, optimizer: torch.optim.Optimizer, folder: Path | None) -> None:
        from safetensors.torch import save

        if folder is None:
            return
        tensors = {f"best {key}": one for key, one in self.state.items()}
        tensors |= {f"latest {key}": one.clone() for key, one in self.latest.items()}
        for place, one in enumerate(optimizer.param_groups[0]["params"]):
            tensors |= {f"{key} {place}": value.contiguous() for key, value in optimizer.state[one].items()}
        about = {"name": self.name, "curve": [list(one) for one in self.curve], "best": self.best}
        write_beside(folder / CHECKPOINT, save(tensors, {"about": orjson.dumps(about).decode()}))


def _copied(model: MultiScenario) -> dict[str, Any]:
    return {key: one.detach().clone() for key, one in model.state_dict().items()}


def _read(folder: Path, name: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / CHECKPOINT, framework="pt") as file:
            about = orjson.loads(file.metadata()["about"])
            return (about, {key: file.get_tensor(key) for key in file.keys()}) if about["name"] == name else None  # noqa: SIM118
    except (OSError, SafetensorError, ValueError, KeyError, TypeError):
        return None


# Asking and measuring ----------------------------------------------------------------------------------------------------


def chances(model: MultiScenario, samples: Samples) -> Numbers:
    """How likely each is liked."""
    found: Numbers = expit(odds(model, samples))
    return found


def odds(model: MultiScenario, samples: Samples, at_once: int = 4_096) -> Numbers:
    """The log-odds that each is liked."""
    model.eval()
    batch, found = Batch.of(samples), []
    with torch.no_grad():
        for start in range(0, len(samples), at_once):
            found.append(model(batch[slice(start, start + at_once)]).numpy())
    return np.concatenate(found) if found else np.zeros(0, np.float32)


def sureness(labels: Numbers, said: Numbers) -> float:
    """By how much log-odds are to be multiplied so that they are as sure as they are right; the order stays as it is.

    The epoch that orders best comes after the one that is as sure as it should be: what is learned by heart is said too loudly.
    """
    if not len(labels):
        return 1.0
    signed = np.where(labels > 0.5, said, -said).astype(np.float64)
    found = minimize_scalar(lambda log: np.logaddexp(0, -np.exp(log) * signed).mean(), bounds=SURE, method="bounded")
    return float(np.exp(found.x))


def auc(labels: Numbers, said: Numbers) -> float:
    """How often a liked one stands above a disliked one; one half where there are not both."""
    return float(roc_auc_score(labels, said)) if 0 < labels.sum() < len(labels) else 0.5


def measures(samples: Samples, said: Numbers) -> dict[str, float]:
    """AUC and log loss over all, and the AUC within each person who liked some and not others."""
    own = [auc(samples.labels[rows], said[rows]) for rows in _of_each(samples) if 0 < samples.labels[rows].sum() < len(rows)]
    return {
        "AUC": auc(samples.labels, said),
        "log loss": float(log_loss(samples.labels, said.astype(np.float64), labels=[0, 1])) if len(said) else float("nan"),
        "AUC of a person": float(np.mean(own)) if own else float("nan"),
    }


def _of_each(samples: Samples) -> list[Any]:
    order = np.argsort(samples.users, kind="stable")
    cuts = np.flatnonzero(np.diff(samples.users[order])) + 1
    return np.split(order, cuts) if len(order) else []
