"""Judges sentences by three small linear readers over the encoder's vectors: kind, feeling, need. Their weights ship."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from persona_core.errors import ArtefactBroken
from persona_core.files import file_digest
from persona_core.personas.reading.company import MIDDLE, Vector
from persona_core.personas.reading.cues import COUNT, cues_of
from persona_core.schema import AspectKind, Sentiment
from persona_core.text.encoder import DIMENSION, IDENTITY, MANNER_DIMENSION, Matrix, Readings
from persona_core.text.stored import Rows, blocks_of

FILE = Path(__file__).with_name("judge.safetensors")
KINDS: tuple[AspectKind | None, ...] = (*AspectKind, None)
SENTIMENTS: tuple[Sentiment, ...] = tuple(Sentiment)
FARTHEST = 6.0
"""No single input counts for more than this many of its usual spreads: a rare word must not decide alone."""
STAR_SAY = 2.0
"""How much, in log odds, each star above or below the middle says about what a sentence of the review praises or faults."""


class Judged(NamedTuple):
    kinds: Matrix
    """For each sentence, the chances of each of KINDS; the last is small talk."""
    praise: Vector
    """For each sentence, the log odds of praise against fault, by its words and the review's stars."""
    needs: Matrix
    """For each sentence, the chances of each need."""

    @property
    def need_evidence(self) -> Matrix:
        """How much more each sentence speaks of each need than sentences here usually do, in logs."""
        return evidence_of(self.needs)


def nothing_judged(sentences: int, needs: int) -> Judged:
    """Room for the judgement of so many sentences."""
    rows = np.zeros((sentences, len(KINDS)), np.float32), np.zeros(sentences), np.zeros((sentences, needs), np.float32)
    return Judged(*rows)


def stars_say(ratings: Sequence[float | None]) -> Vector:
    """What a review's stars alone say, in log odds, of what its sentences praise or fault."""
    return np.array([0.0 if rating is None else STAR_SAY * (rating - MIDDLE) for rating in ratings])


def evidence_of(chances: Matrix) -> Matrix:
    """How much more each row speaks of each need than these rows usually do, in logs."""
    return beyond(chances, chances.mean(0)) if len(chances) else chances


def beyond(chances: Matrix, usual: Matrix) -> Matrix:
    """The same against the usual chances of each need."""
    evidence: Matrix = np.log(np.maximum(chances, 1e-6) / np.maximum(usual, 1e-9))
    return evidence


@dataclass(frozen=True, slots=True)
class Linear:
    """A multinomial logistic reader: scaled inputs, weights, one bias a class."""

    mean: Matrix
    scale: Matrix
    weights: Matrix
    bias: Matrix

    def chances(self, inputs: Matrix) -> Matrix:
        scaled = np.clip((inputs - self.mean) / self.scale, -FARTHEST, FARTHEST)
        return softmax(scaled @ self.weights + self.bias)


@dataclass(frozen=True, slots=True)
class Judge:
    kind: Linear
    sentiment: Linear
    need: Linear
    bearings: Matrix
    """For each need, the direction in which texts about it lie; its length says how much that counts beside `need`."""
    need_ids: tuple[str, ...]

    @classmethod
    def load(cls, path: Path = FILE) -> Self:
        from safetensors import safe_open

        try:
            with safe_open(str(path), framework="numpy") as file:
                notes = file.metadata() or {}
                parts = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
        except Exception as error:
            raise _unusable(path, str(error)) from error
        if notes.get("encoder") != IDENTITY:
            raise _unusable(path, f"It was trained over {notes.get('encoder')}, not {IDENTITY}.")
        try:
            kind, sentiment, need = (
                Linear(*(parts[f"{name}.{part}"] for part in ("mean", "scale", "weights", "bias")))
                for name in ("kind", "sentiment", "need")
            )
            judge = cls(kind, sentiment, need, parts["bearings"], tuple(json.loads(notes["needs"])))
            judge.check_shapes()
        except (KeyError, ValueError, TypeError) as error:
            raise _unusable(path, f"{type(error).__name__}: {error}") from error
        return judge

    def check_shapes(self) -> None:
        """Raises ValueError where the weights do not fit what they are to read."""
        manner = MANNER_DIMENSION + COUNT
        widths = ((self.kind, manner, len(KINDS)), (self.sentiment, manner + DIMENSION, len(SENTIMENTS)))
        for reader, width, classes in (*widths, (self.need, DIMENSION, len(self.need_ids))):
            if reader.weights.shape != (width, classes) or reader.mean.shape != (width,) or reader.bias.shape != (classes,):
                raise ValueError(f"weights of shape {reader.weights.shape} where {(width, classes)} is due")
        if self.bearings.shape != (len(self.need_ids), DIMENSION):
            raise ValueError(f"bearings of shape {self.bearings.shape}")

    @staticmethod
    def identity(path: Path = FILE) -> str:
        """A digest of the weights: what depends on them is stale when they change."""
        try:
            return file_digest(path)
        except OSError as error:
            raise _unusable(path, str(error)) from error

    def save(self, path: Path) -> None:
        from safetensors.numpy import save_file

        parts = {
            f"{name}.{part}": np.ascontiguousarray(getattr(getattr(self, name), part))
            for name in ("kind", "sentiment", "need")
            for part in ("mean", "scale", "weights", "bias")
        }
        parts["bearings"] = np.ascontiguousarray(self.bearings)
        save_file(parts, str(path), {"encoder": IDENTITY, "needs": json.dumps(self.need_ids)})

    def evidence(self, topics: Rows) -> Matrix:
        """How much more each of these speaks of each need than they usually do, in logs."""
        found: Matrix = np.zeros((len(topics), len(self.need_ids)), np.float32)
        for block in blocks_of(topics):
            found[block] = self.need.chances(topics[block])
        usual = found.mean(0) if len(found) else found
        for block in blocks_of(found):
            found[block] = beyond(found[block], usual)
        return found

    def judge(self, texts: Sequence[str], readings: Readings, ratings: Sequence[float | None]) -> Judged:
        manner = manner_inputs(texts, readings)
        feelings = np.log(np.maximum(self.sentiment.chances(np.hstack([manner, readings.topics])), 1e-6))
        praise = feelings[:, SENTIMENTS.index(Sentiment.POSITIVE)] - feelings[:, SENTIMENTS.index(Sentiment.NEGATIVE)]
        return Judged(self.kind.chances(manner), praise + stars_say(ratings), self.need.chances(readings.topics))


def manner_inputs(texts: Sequence[str], readings: Readings) -> Matrix:
    return np.hstack([readings.manners, cues_of(texts)])


def softmax(logits: np.ndarray[Any, Any]) -> Matrix:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    chances: Matrix = (raised / raised.sum(axis=1, keepdims=True)).astype(np.float32)
    return chances


def _unusable(path: Path, why: str) -> ArtefactBroken:
    return ArtefactBroken(f"{path} cannot be used.", why=why, mend="python -m persona_core.evaluation.train_judge --write")
