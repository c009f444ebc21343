"""Whether a dislike names a fault ("flimsy zips") or a kind of thing ("long descriptions"): a small linear reader whose weights ship.

`python -m persona_core.profiles.polarity` measures it on needs that it was not taught; `--write` trains it and writes the weights.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from persona_core.errors import ArtefactBroken
from persona_core.personas.needs import PRAISE, read_needs
from persona_core.profiles.building import avoided
from persona_core.text.encoder import DIMENSION, IDENTITY, BaseEncoder, Matrix

FILE = Path(__file__).with_name("polarity.safetensors")
STRENGTH = 30.0
FOLDS = 10
SHORT = 12
"""Words; longer texts are sentences, which people do not type as a dislike."""


@dataclass(frozen=True, slots=True)
class FaultReader:
    weights: Matrix
    bias: float

    @classmethod
    def load(cls, path: Path = FILE) -> Self:
        from safetensors import safe_open

        try:
            with safe_open(str(path), framework="numpy") as file:
                made_over = (file.metadata() or {})["encoder"]
                weights, bias = file.get_tensor("weights"), file.get_tensor("bias")
            if made_over != IDENTITY or weights.shape != (DIMENSION,):
                raise ValueError(f"weights {weights.shape} over {made_over}")
            return cls(weights, float(bias[0]))
        except Exception as error:
            raise ArtefactBroken(
                "The reader of dislikes cannot be used.",
                why=f"{path}: {error}",
                mend="git checkout -- persona_core/profiles/polarity.safetensors",
            ) from error

    def faults(self, vectors: Matrix) -> Any:
        """For each text's vector, whether it names a fault."""
        return vectors @ self.weights + self.bias > 0


def lessons() -> tuple[list[str], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Texts, whether each names a fault, and the need that it is about."""
    rows: list[tuple[str, bool, int]] = []
    for number, need in enumerate(read_needs()):
        rows += [(text, False, number) for text in (need.phrase, need.wants, need.wants.split(", ")[0], *need.seeds[:PRAISE])]
        rows += [(text, True, number) for text in (avoided()[need.id], *need.faults)]
    texts, faults, needs = zip(*rows, strict=True)
    return list(texts), np.array(faults), np.array(needs)


def taught(vectors: Matrix, faults: np.ndarray[Any, Any]) -> FaultReader:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=STRENGTH, max_iter=5_000).fit(vectors, faults)
    return FaultReader(model.coef_[0].astype(np.float32), float(model.intercept_[0]))


def measured(texts: list[str], vectors: Matrix, faults: np.ndarray[Any, Any], needs: np.ndarray[Any, Any]) -> dict[str, float]:
    """How often it is right about needs that it was not taught."""
    right = np.zeros(len(texts), bool)
    for fold in range(FOLDS):
        away = needs % FOLDS == fold
        right[away] = taught(vectors[~away], faults[~away]).faults(vectors[away]) == faults[away]
    short = np.array([len(text.split()) < SHORT and not text.endswith(".") for text in texts])
    return {
        "all": float(right.mean()),
        "short wishes": float(right[short & ~faults].mean()),
        "short faults": float(right[short & faults].mean()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m persona_core.profiles.polarity", description=__doc__)
    parser.add_argument("--write", action="store_true")
    texts, faults, needs = lessons()
    vectors = BaseEncoder().topics(texts)
    if parser.parse_args().write:
        from safetensors.numpy import save_file

        reader = taught(vectors, faults)
        save_file({"weights": reader.weights, "bias": np.array([reader.bias], np.float32)}, str(FILE), {"encoder": IDENTITY})
    for name, share in measured(texts, vectors, faults, needs).items():
        print(f"{name:12s} {share:.3f}")


if __name__ == "__main__":
    main()
