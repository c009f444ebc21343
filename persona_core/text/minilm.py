"""MiniLM's forward pass in numpy: for the few texts that a person waits for, since torch takes seconds to import.

The same layers and weights as `encoder.py` gives to transformers, where there are many texts; a test compares the two. The tokens
of all texts lie one below the other, without padding; attention alone looks at each text by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

Matrix = np.ndarray[Any, np.dtype[np.float32]]
Weights = dict[str, Matrix]

HEADS = 12
EPSILON = np.float32(1e-12)


class Line(NamedTuple):
    weight: Matrix
    """Already turned round: rows of texts times this."""
    bias: Matrix

    def __call__(self, rows: Matrix) -> Matrix:
        return rows @ self.weight + self.bias


class Layer(NamedTuple):
    asked: Line
    """Query, key and value, side by side."""
    attended: Line
    widened: Line
    narrowed: Line
    first_norm: Line
    second_norm: Line

    @classmethod
    def of(cls, weights: Weights, name: str) -> Self:
        parts = [_line(weights, f"{name}.attention.self.{part}") for part in ("query", "key", "value")]
        asked = Line(np.concatenate([part.weight for part in parts], 1), np.concatenate([part.bias for part in parts]))
        out = f"{name}.attention.output"
        return cls(
            asked,
            *(_line(weights, one) for one in (f"{out}.dense", f"{name}.intermediate.dense", f"{name}.output.dense")),
            *(_norm(weights, f"{one}.LayerNorm") for one in (out, f"{name}.output")),
        )

    def __call__(self, rows: Matrix, begins: npt.NDArray[np.int64]) -> Matrix:
        """`begins`: the first row of each text."""
        asked = np.split(self.asked(rows), begins[1:])
        rows = _normed(rows + self.attended(np.concatenate([_attention(one) for one in asked])), self.first_norm)
        return _normed(rows + self.narrowed(_gelu(self.widened(rows))), self.second_norm)


class MiniLM(NamedTuple):
    tokenizer: Any
    words: Matrix
    places: Matrix
    norm: Line
    layers: tuple[Layer, ...]

    @classmethod
    def load(cls, file: Path, longest: int) -> Self:
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        weights = load_file(file)
        tokenizer = Tokenizer.from_file(str(file.with_name("tokenizer.json")))
        tokenizer.no_padding()
        tokenizer.enable_truncation(longest)
        part = "embeddings.{}_embeddings.weight"
        number = sum(name.endswith("intermediate.dense.bias") for name in weights)
        return cls(
            tokenizer,
            weights[part.format("word")],
            weights[part.format("position")] + weights[part.format("token_type")][0],
            _norm(weights, "embeddings.LayerNorm"),
            tuple(Layer.of(weights, f"encoder.layer.{at}") for at in range(number)),
        )

    def states(self, texts: Sequence[str]) -> list[Matrix]:
        """The middles of the texts' tokens, a row a text: before the first layer and after each."""
        tokens = [self.tokenizer.encode(text).ids for text in texts]
        lengths = np.array([len(one) for one in tokens])
        begins = np.cumsum(lengths) - lengths
        rows = _normed(np.concatenate([self.words[one] + self.places[: len(one)] for one in tokens]), self.norm)
        found = [rows]
        for layer in self.layers:
            found.append(layer(found[-1], begins))
        share = np.float32(1) / lengths.astype(np.float32)[:, None]
        return [np.add.reduceat(rows, begins) * share for rows in found]


def _line(weights: Weights, name: str) -> Line:
    return Line(np.ascontiguousarray(weights[f"{name}.weight"].T), weights[f"{name}.bias"])


def _norm(weights: Weights, name: str) -> Line:
    return Line(weights[f"{name}.weight"], weights[f"{name}.bias"])


def _normed(rows: Matrix, norm: Line) -> Matrix:
    away = rows - rows.mean(1, keepdims=True)
    scale: Matrix = away / np.sqrt((away * away).mean(1, keepdims=True) + EPSILON)
    return scale * norm.weight + norm.bias


def _attention(asked: Matrix) -> Matrix:
    """What each token takes from all of them, head by head."""
    tokens, width = len(asked), asked.shape[1] // 3
    query, key, value = asked.reshape(tokens, 3, HEADS, width // HEADS).transpose(1, 2, 0, 3)
    odds = query @ key.transpose(0, 2, 1) / np.float32(np.sqrt(width // HEADS))
    odds = np.exp(odds - odds.max(2, keepdims=True))
    taken: Matrix = (odds / odds.sum(2, keepdims=True)) @ value
    return taken.transpose(1, 0, 2).reshape(tokens, width)


def _gelu(rows: Matrix) -> Matrix:
    from scipy.special import erf

    half: Matrix = np.float32(0.5) * (np.float32(1) + erf(rows * np.float32(np.sqrt(0.5))))
    return rows * half
