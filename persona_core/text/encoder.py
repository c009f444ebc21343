"""The base encoder: MiniLM from its package, checked and loaded once, turning texts into unit vectors.

One pass gives two readings of a text: the last layer says what it is about; the middle layers, averaged, still know how it is said
(tense, person, mood), which the last one has forgotten. Few texts are read in numpy (`minilm.py`), so that an app that is asked for
nothing else never has to import torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, NamedTuple

import numpy as np

from persona_core.text.minilm import MiniLM
from persona_core.text.weights import PUBLISHED, WEIGHTS, check_weights

Matrix = np.ndarray[Any, np.dtype[np.float32]]
Tell = Callable[[int], None]

NAME = "all-MiniLM-L6-v2"
IDENTITY = f"{NAME}@{PUBLISHED[:12]}"
"""What is stored beside vectors, so that those of another model are never mixed with them."""
DIMENSION = 384
MANNER_LAYERS = (2, 3, 4, 5)
MANNER_DIMENSION = DIMENSION * len(MANNER_LAYERS)
LONGEST_TOKENS = 128
BATCH = 64
FEW = 500
"""So many texts at once are read in numpy: with more of them torch makes up for the seconds that importing it takes."""


class Readings(NamedTuple):
    topics: Matrix
    """What each text is about: rows of length 1."""
    manners: Matrix
    """How each text is said: the means of the middle layers, side by side."""


@dataclass(frozen=True, slots=False)
class BaseEncoder:
    """Loads its weights at the first text, not before, and torch when there are many."""

    batch: int = BATCH
    few: int = FEW

    def __reduce__(self) -> tuple[Any, ...]:
        """It travels to other processes without its weights, which lie in a package there too."""
        return type(self), (self.batch, self.few)

    @cached_property
    def _parts(self) -> tuple[Any, Any]:
        import torch
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        folder = str(check_weights())
        torch.manual_seed(0)
        model = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True)  # nosec B615 # from this disk
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)  # nosec B615 # from this disk
        return tokenizer, model.eval()

    def topics(self, texts: Sequence[str], tell: Tell = lambda _: None) -> Matrix:
        return self.read(texts, tell).topics

    def read(self, texts: Sequence[str], tell: Tell = lambda _: None) -> Readings:
        """Both readings of each text. Like lengths go together, so that little is spent on padding."""
        topics = np.zeros((len(texts), DIMENSION), np.float32)
        manners = np.zeros((len(texts), MANNER_DIMENSION), np.float32)
        few = len(texts) <= self.few
        order = sorted(range(len(texts)), key=lambda place: (len(texts[place]), texts[place]))
        for start in range(0, len(order), self.batch):
            places = order[start : start + self.batch]
            part = [texts[place] for place in places]
            topics[places], manners[places] = _in_numpy(part) if few else self._forward(part)
            tell(start + len(places))
        return Readings(topics, manners)

    def _forward(self, texts: list[str]) -> tuple[Matrix, Matrix]:
        import torch

        tokenizer, model = self._parts
        with torch.inference_mode():
            tokens = tokenizer(texts, padding=True, truncation=True, max_length=LONGEST_TOKENS, return_tensors="pt")
            layers = model(**tokens, output_hidden_states=True).hidden_states
            mask = tokens["attention_mask"].unsqueeze(-1).to(layers[-1].dtype)
            counts = mask.sum(1).clamp(min=1)
            last, *middle = ((layers[at] * mask).sum(1) / counts for at in (-1, *MANNER_LAYERS))
            return torch.nn.functional.normalize(last, dim=1).numpy(), torch.cat(middle, dim=1).numpy()


@cache
def _minilm() -> MiniLM:
    return MiniLM.load(check_weights() / WEIGHTS, LONGEST_TOKENS)


def _in_numpy(texts: list[str]) -> tuple[Matrix, Matrix]:
    states = _minilm().states(texts)
    last, *middle = (states[at] for at in (-1, *MANNER_LAYERS))
    topics: Matrix = last / np.maximum(np.linalg.norm(last, axis=1, keepdims=True), 1e-12)
    return topics, np.concatenate(middle, 1)
