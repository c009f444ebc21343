"""A causal language model with LoRA in its upper layers, a head for the number, and only as much vocabulary as reasons need.

An example and all its reasons, true and false, are one sequence: each reason sees the prompt and itself, and the prompt is paid
for once. Logits are computed for the tokens of reasons alone, and over the words that reasons are made of: the whole vocabulary
would cost three times the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from persona_core.errors import PersonaError
from persona_core.trends.model.examples import Example

if TYPE_CHECKING:
    from torch import Tensor

NEEDED = ("peft", "transformers", "accelerate")
INSTALL = "pip install -r requirements-train.txt"
END = "\n"
LORA = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True, slots=True)
class Answer:
    """For a batch: the numbers, as logarithms, and how likely each reason is, by token; true ones first, NaN where there is none."""

    logs: Tensor
    likely: Tensor
    language: Tensor
    """The loss of the true reasons' tokens."""


def load_base(weights: Path) -> tuple[Any, Any]:
    """The model and its tokenizer, from a Hugging Face folder or a GGUF file. Raises PersonaError, in words."""
    try:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging
    except ImportError as error:
        raise PersonaError("The trend model needs more libraries.", why=str(error), mend=INSTALL) from error
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    where = {"gguf_file": weights.name} if weights.is_file() else {}
    folder = str(weights.parent if weights.is_file() else weights)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, **where)
        model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, dtype=torch.float32, **where)
    except (OSError, ValueError, ImportError) as error:
        raise PersonaError(
            f"{weights} holds no language model that can be read.", why=str(error).splitlines()[0],
            mend="name a Hugging Face folder or a GGUF file; for the latter also `pip install gguf`",
        ) from error  # fmt: skip
    model.requires_grad_(False)
    return model, tokenizer


class TrendNetwork:
    """The base with its adapters and head; `trained` are the parts that learn."""

    def __init__(self, base: Any, tokenizer: Any, texts: Sequence[str], rank: int, seed: int, upper: float = 0.5) -> None:
        import torch
        from peft import LoraConfig, get_peft_model

        layers = base.config.get_text_config().num_hidden_layers
        chosen = list(range(int(layers * (1 - upper)), layers))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            config = LoraConfig(
                r=rank, lora_alpha=2 * rank, target_modules=list(LORA), layers_to_transform=chosen, task_type="CAUSAL_LM"
            )
            self.model: Any = get_peft_model(base, config)
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
        found: list[int] = self.tokenizer(f" {reason}{END}", add_special_tokens=False)["input_ids"]
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
        packed = [_Packed(tokens, list(range(len(tokens))), len(tokens), ()) for tokens in map(self.asked, prompts)]
        states = self._states(packed)
        return [
            base + float(self._number(states[row, one.asked - 1])) for row, (base, one) in enumerate(zip(bases, packed, strict=True))
        ]

    def _number(self, state: Tensor) -> Tensor:
        import torch

        width = state.shape[-1]
        found: Tensor = self.head(torch.nn.functional.layer_norm(state, (width,)))[..., 0]
        return found

    def _loss(self, state: Tensor, one: _Packed, start: int, stop: int) -> Tensor:
        """The mean loss of the tokens from start to stop; the first is foretold by the end of the prompt."""
        import torch

        before = torch.tensor([one.asked - 1, *range(start, stop - 1)])
        logits = state[before] @ self.trunk.embed_tokens.weight[self.words].T
        wanted = torch.tensor([self.place[token] for token in one.tokens[start:stop]])
        return torch.nn.functional.cross_entropy(logits, wanted)

    def _packed(self, example: Example) -> _Packed:
        tokens = self.asked(example.prompt)
        asked, positions, reasons = len(tokens), list(range(len(tokens))), []
        for reason in (example.reason, *example.false):
            own = [token for token in self.tokens(reason) if token in self.place]
            reasons.append((len(tokens), len(tokens) + len(own)))
            positions += range(asked, asked + len(own))
            tokens = [*tokens, *own]
        return _Packed(tokens, positions, asked, tuple(reasons))

    def _states(self, packed: Sequence[_Packed]) -> Tensor:
        """The last hidden states of all sequences."""
        import torch

        longest = max(len(one.tokens) for one in packed)
        tokens, positions = (torch.zeros((len(packed), longest), dtype=torch.long) for _ in range(2))
        seen = torch.zeros((len(packed), 1, longest, longest), dtype=torch.bool)
        for row, one in enumerate(packed):
            many = len(one.tokens)
            tokens[row, :many], positions[row, :many] = torch.tensor(one.tokens), torch.tensor(one.positions)
            seen[row, 0, : one.asked, : one.asked] = True
            for start, stop in one.reasons:
                seen[row, 0, start:stop, : one.asked] = True
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

    def say(self, prompt: str, most: int = 90) -> str:
        """The likeliest reason, word by word, of the words that reasons are made of."""
        import torch

        tokens = torch.tensor([self.asked(prompt)])
        weights = self.trunk.embed_tokens.weight[self.words]
        found: list[int] = []
        past: Any = None
        with torch.no_grad():
            while len(found) < most:
                answer = self.trunk(input_ids=tokens, past_key_values=past, use_cache=True)
                past = answer.past_key_values
                best = int(self.words[int((answer.last_hidden_state[0, -1] @ weights.T).argmax())])
                found.append(best)
                if self.tokenizer.decode([best]).endswith(END):
                    break
                tokens = torch.tensor([[best]])
        said: str = self.tokenizer.decode(found)
        return said.strip()


@dataclass(frozen=True, slots=True)
class _Packed:
    """A prompt and its reasons in one row; each reason's positions go on from the end of the prompt."""

    tokens: list[int]
    positions: list[int]
    asked: int
    reasons: tuple[tuple[int, int], ...]
