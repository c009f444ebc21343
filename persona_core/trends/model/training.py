"""Trains the trend model: numbers, ranks, words, and true reasons against false ones. It can be stopped at any instant and goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from persona_core.files import canonical_json, digest, write_beside, write_json
from persona_core.trends.model.examples import Example, batches
from persona_core.trends.model.network import Answer, TrendNetwork

if TYPE_CHECKING:
    from torch import Tensor

ADAPTERS, MOMENTS, STATE = "adapters.safetensors", "moments.safetensors", "state.json"


@dataclass(frozen=True, slots=True)
class Training:
    """What the result depends on; chosen by validation on the demo world, see README."""

    steps: int = 320
    batch: int = 8
    rank: int = 8
    rate: float = 1e-3
    head_rate: float = 3e-3
    number: float = 1.0
    """How much each loss weighs: of the number, of the order within a window, of the words, of true against false."""
    order: float = 0.3
    words: float = 1.0
    contrast: float = 0.5
    warmth: float = 0.25
    """Of the contrastive loss: differences of so much in a token's likelihood count."""
    warm_up: int = 10
    seed: int = 7


def losses(answer: Answer, batch: Sequence[Example], chosen: Training) -> dict[str, Tensor]:
    """Each loss by itself."""
    import torch

    targets = torch.tensor([one.target for one in batch])
    off = answer.logs - targets
    more = targets[:, None] - targets[None]
    apart = answer.logs[:, None] - answer.logs[None]
    pairs = more > 0.2
    order = torch.nn.functional.softplus(-3 * apart[pairs]).mean() if pairs.any() else off.sum() * 0
    choices = answer.likely / chosen.warmth
    choices = choices.masked_fill(torch.isnan(choices), -1e4)
    contrast = torch.nn.functional.cross_entropy(choices, torch.zeros(len(batch), dtype=torch.long))
    return {"number": (off**2).mean(), "order": order, "words": answer.language, "contrast": contrast}


def train(
    network: TrendNetwork, by_origin: Sequence[Sequence[Example]], chosen: Training, folder: Path, *, every: int = 10,
    told: Callable[[int, int, dict[str, float]], None] = lambda done, total, loss: None, stop_after: int | None = None,
) -> list[dict[str, float]]:  # fmt: skip
    """Trains to the end, from the last checkpoint in the folder where it is of the same training; gives back the losses by step."""
    import torch

    head = [network.trained[name] for name in ("head.weight", "head.bias")]
    adapters = [one for name, one in network.trained.items() if not name.startswith("head.")]
    optimizer = torch.optim.AdamW(
        [{"params": adapters, "lr": chosen.rate}, {"params": head, "lr": chosen.head_rate}], weight_decay=0.0
    )
    same = _name_of(by_origin, chosen)
    done, curve = _resumed(network, optimizer, folder, same)
    for batch in islice(batches(by_origin, chosen.batch, chosen.seed), done, chosen.steps):
        parts = losses(network(batch), batch, chosen)
        total: Any = sum(getattr(chosen, name) * part for name, part in parts.items())
        optimizer.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_([*adapters, *head], 1.0)
        for group, rate in zip(optimizer.param_groups, (chosen.rate, chosen.head_rate), strict=True):
            group["lr"] = rate * _share_of_rate(done, chosen)
        optimizer.step()
        done += 1
        curve.append({name: round(float(part.detach()), 4) for name, part in parts.items()})
        told(done, chosen.steps, curve[-1])
        if done % every == 0 or done == chosen.steps:
            _keep(network, optimizer, folder, same, done, curve)
        if stop_after is not None and done >= stop_after:
            break
    return curve


def _share_of_rate(step: int, chosen: Training) -> float:
    if step < chosen.warm_up:
        return (step + 1) / chosen.warm_up
    return max(0.05, 1 - (step - chosen.warm_up) / max(1, chosen.steps - chosen.warm_up))


def _name_of(by_origin: Sequence[Sequence[Example]], chosen: Training) -> str:
    """A checkpoint of another training is not gone on from; a longer or shorter one of the same is the same."""
    texts = [[one.prompt, one.reason, *one.false, f"{one.target:.6f}"] for examples in by_origin for one in examples]
    return digest(canonical_json([asdict(replace(chosen, steps=0)), texts]))


def _keep(network: TrendNetwork, optimizer: Any, folder: Path, same: str, done: int, curve: list[dict[str, float]]) -> None:
    """Three files, the one that says how far it came last: until it is there, the former three hold together by their step."""
    from safetensors.torch import save

    own = network.trained
    moments: dict[str, Any] = {}
    for name, one in own.items():
        state = optimizer.state[one]
        moments |= {f"{name} mean": state["exp_avg"], f"{name} square": state["exp_avg_sq"]}
    stamp = {"step and training": f"{done} {same}"}  # one entry: the library keeps no order among several
    both = {
        ADAPTERS: save({name: one.detach().contiguous() for name, one in own.items()}, stamp),
        MOMENTS: save({name: one.contiguous() for name, one in moments.items()}, stamp),
    }
    for name, content in both.items():
        write_beside(folder / f"{done}.{name}", content)
    write_json(folder / STATE, {"step": done, "of": same, "losses": curve})
    for old in folder.glob(f"*.{ADAPTERS}"):
        if old.name != f"{done}.{ADAPTERS}":
            old.unlink()
            (folder / old.name.replace(ADAPTERS, MOMENTS)).unlink(missing_ok=True)


def _resumed(network: TrendNetwork, optimizer: Any, folder: Path, same: str) -> tuple[int, list[dict[str, float]]]:
    import torch
    from safetensors.torch import load

    try:
        state = orjson.loads((folder / STATE).read_bytes())
        if state["of"] != same:
            return 0, []
        done = int(state["step"])
        kept, moments = (load((folder / f"{done}.{name}").read_bytes()) for name in (ADAPTERS, MOMENTS))
    except (OSError, ValueError, KeyError):
        return 0, []
    network.load(kept)
    for name, one in network.trained.items():
        optimizer.state[one] = {
            "step": torch.tensor(float(done)), "exp_avg": moments[f"{name} mean"], "exp_avg_sq": moments[f"{name} square"],
        }  # fmt: skip
    return done, list(state["losses"])
