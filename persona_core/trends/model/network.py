"""A causal language model with LoRA in its upper layers, a head for the number, and only as much vocabulary as reasons need.

The number comes first, and the words know it: what leads over from the prompt to a reason (the bridge) states the number.
An example and all its reasons, true and false, are one sequence: each reason sees prompt, bridge and itself, and the prompt is
paid for once. Logits are computed for the tokens of reasons alone, and over the words that reasons are made of: the whole
vocabulary would cost three times the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from persona_core.errors import PersonaError
from persona_core.llm.base_model import lora
from persona_core.trends.model.examples import Example

if TYPE_CHECKING:
    from torch import Tensor

NEEDED = ("peft", "transformers", "accelerate")
END = "\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """For a batch: the numbers, as logarithms, and how likely each reason is, by token; true ones first, NaN where there is none."""

    logs: Tensor
    likely: Tensor
    language: Tensor
    """The loss of the true reasons' tokens."""


class TrendNetwork:
    """The base with its adapters and head; `trained` are the parts that learn."""

    def __init__(self, base: Any, tokenizer: Any, texts: Sequence[str], rank: int, seed: int, upper: float = 0.5) -> None:
        import torch
        from peft import get_peft_model

        layers = base.config.get_text_config().num_hidden_layers
        chosen = list(range(int(layers * (1 - upper)), layers))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.model: Any = get_peft_model(base, lora(rank, chosen))
        whole: Any = self.model
        self.trunk: Any = whole.base_model.model.model
        self.tokenizer = tokenizer
        width = base.config.get_text_config().hidden_size
        self.head = torch.nn.Linear(width, 1)
        torch.nn.init.zeros_(self.head.weight)
        torch.nn.init.zeros_(self.head.bias)
        self.words = torch.tensor(sorted({token for text in texts for token in self.tokens(text)}))
        self.place = {int(token): place for place, token in enumerate(self.words)}

    def tokens(self, reason: str) -> list[int]:
        return self._after(f" {reason}{END}")

    def _after(self, bridge: str) -> list[int]:
        found: list[int] = self.tokenizer(bridge, add_special_tokens=False)["input_ids"]
        return found

    def asked(self, prompt: str) -> list[int]:
        found: list[int] = self.tokenizer(prompt)["input_ids"]
        return found

    @property
    def trained(self) -> dict[str, Tensor]:
        """By name: the adapters and the head."""
        adapters = {name: one for name, one in self.model.named_parameters() if one.requires_grad}
        return {**adapters, "head.weight": self.head.weight, "head.bias": self.head.bias}

    def load(self, kept: dict[str, Tensor]) -> None:
        own = self.trained
        if own.keys() != kept.keys() or any(own[name].shape != one.shape for name, one in kept.items()):
            raise PersonaError("These adapters were made for another base model.", mend="train the trend model anew")
        for name, one in own.items():
            one.data.copy_(kept[name])

    def __call__(self, batch: Sequence[Example]) -> Answer:
        import torch

        packed = [self._packed(one) for one in batch]
        states = self._states(packed)
        logs, likely, language = [], [], []
        most, nothing = max(len(one.reasons) for one in packed), torch.tensor(float("nan"))
        for row, (example, one) in enumerate(zip(batch, packed, strict=True)):
            state = states[row]
            logs.append(example.base + self._number(state[one.asked - 1]))
            losses = [self._loss(state, one, start, stop) for start, stop in one.reasons]
            language.append(losses[0])
            likely.append(torch.stack([-loss for loss in losses] + [nothing] * (most - len(losses))))
        return Answer(torch.stack(logs), torch.stack(likely), torch.stack(language).mean())

    def foretold(self, prompts: Sequence[str], bases: Sequence[float]) -> list[float]:
        """The number alone, as a logarithm, for each prompt."""
        numbers: list[float] = self.head(self.read(prompts))[..., 0].tolist()
        return [base + one for base, one in zip(bases, numbers, strict=True)]

    def read(self, prompts: Sequence[str]) -> Tensor:
        """What the head sees of each prompt: the last hidden state."""
        import torch

        packed = [_Packed(tokens, list(range(len(tokens))), len(tokens), len(tokens), ()) for tokens in map(self.asked, prompts)]
        states = self._states(packed)
        return torch.stack([_even(states[row, one.asked - 1]) for row, one in enumerate(packed)])

    def _number(self, state: Tensor) -> Tensor:
        found: Tensor = self.head(_even(state))[..., 0]
        return found

    def _loss(self, state: Tensor, one: _Packed, start: int, stop: int) -> Tensor:
        """The mean loss of the tokens from start to stop; the first is foretold by the end of the bridge."""
        import torch

        before = torch.tensor([one.bridged - 1, *range(start, stop - 1)])
        logits = state[before] @ self.trunk.embed_tokens.weight[self.words].T
        wanted = torch.tensor([self.place[token] for token in one.tokens[start:stop]])
        return torch.nn.functional.cross_entropy(logits, wanted)

    def _packed(self, example: Example) -> _Packed:
        tokens = self.asked(example.prompt)
        asked = len(tokens)
        tokens = [*tokens, *self._after(example.bridge())]
        bridged, positions, reasons = len(tokens), list(range(len(tokens))), []
        for reason in (example.reason, *example.false):
            own = [token for token in self.tokens(reason) if token in self.place]
            reasons.append((len(tokens), len(tokens) + len(own)))
            positions += range(bridged, bridged + len(own))
            tokens = [*tokens, *own]
        return _Packed(tokens, positions, asked, bridged, tuple(reasons))

    def _states(self, packed: Sequence[_Packed]) -> Tensor:
        """The last hidden states of all sequences."""
        import torch

        longest = max(len(one.tokens) for one in packed)
        tokens, positions = (torch.zeros((len(packed), longest), dtype=torch.long) for _ in range(2))
        seen = torch.zeros((len(packed), 1, longest, longest), dtype=torch.bool)
        for row, one in enumerate(packed):
            many = len(one.tokens)
            tokens[row, :many], positions[row, :many] = torch.tensor(one.tokens), torch.tensor(one.positions)
            seen[row, 0, : one.bridged, : one.bridged] = True
            for start, stop in one.reasons:
                seen[row, 0, start:stop, : one.bridged] = True
                seen[row, 0, start:stop, start:stop] = True
        seen &= torch.ones((longest, longest), dtype=torch.bool).tril()
        seen |= torch.eye(longest, dtype=torch.bool)  # padding sees itself: a row of nothing would be no number
        mask = torch.zeros(seen.shape).masked_fill(~seen, torch.finfo(torch.float32).min)
        found = self.trunk(
            input_ids=tokens, position_ids=positions, use_cache=False,
            attention_mask={"full_attention": mask, "sliding_attention": mask},
        )  # fmt: skip
        states: Tensor = found.last_hidden_state
        return states

    def say(self, asked: Sequence[tuple[str, str]], most: int = 90) -> list[str]:
        """For each prompt and its bridge the likeliest reason, word by word, of the words that reasons are made of."""
        import torch

        rows = [[*self.asked(prompt), *self._after(bridge)] for prompt, bridge in asked]
        longest = max(len(row) for row in rows)
        tokens = torch.tensor([[0] * (longest - len(row)) + row for row in rows])  # to the left: all go on from the same place
        there = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows])
        weights = self.trunk.embed_tokens.weight[self.words]
        said: list[list[int]] = [[] for _ in rows]
        going = set(range(len(rows)))
        past: Any = None
        with torch.no_grad():
            for _ in range(most):
                places = (there.cumsum(1) - 1).clamp(min=0)[:, -tokens.shape[1] :]
                answer = self.trunk(
                    input_ids=tokens, attention_mask=there, position_ids=places, past_key_values=past, use_cache=True
                )  # fmt: skip
                past = answer.past_key_values
                best = self.words[(answer.last_hidden_state[:, -1] @ weights.T).argmax(1)]
                for row in sorted(going):
                    said[row].append(int(best[row]))
                    if self.tokenizer.decode([int(best[row])]).endswith(END):
                        going.remove(row)
                if not going:
                    break
                tokens, there = best[:, None], torch.cat([there, torch.ones(len(rows), 1, dtype=there.dtype)], 1)
        return [str(self.tokenizer.decode(one)).strip() for one in said]


def _even(state: Tensor) -> Tensor:
    import torch

    return torch.nn.functional.layer_norm(state, (state.shape[-1],))


@dataclass(frozen=True, slots=True)
class _Packed:
    """A prompt, the bridge and the reasons in one row; each reason's positions go on from the end of the bridge."""

    tokens: list[int]
    positions: list[int]
    asked: int
    """The number is read off the last token before this place, so it knows nothing of the bridge."""
    bridged: int
    reasons: tuple[tuple[int, int], ...]
