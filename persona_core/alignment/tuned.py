"""The fine-tuned encoder, for serving: MiniLM's own tokeniser and shape with the weights that training left, one safetensors file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from persona_core.errors import ArtefactBroken
from persona_core.files import file_digest, write_beside
from persona_core.text.encoder import IDENTITY, LONGEST_TOKENS, NAME, BaseEncoder
from persona_core.text.weights import check_weights

WEIGHTS = "encoder.safetensors"
NOTES = {"encoder": IDENTITY, "tokens": LONGEST_TOKENS, "pooling": "mean"}
"""What the weights were trained with, and so must be served with."""


@dataclass(frozen=True, slots=False)
class TunedEncoder(BaseEncoder):
    """Reads texts exactly as the base encoder does, with other weights. Loads them at the first text."""

    folder: Path = Path()
    few: int = 0  # by torch, however few: numpy's weights are the base encoder's

    @classmethod
    def of(cls, folder: Path) -> TunedEncoder:
        """The encoder that training left in this folder."""
        if not (folder / WEIGHTS).is_file():
            raise _broken(folder, "there are no weights in it")
        return cls(folder=folder)

    @cached_property
    def identity(self) -> str:
        """What is stored beside vectors, so that those of another model are never mixed with them."""
        return identity_of(self.folder)

    @cached_property
    def _parts(self) -> tuple[Any, Any]:
        from transformers import AutoConfig, AutoModel, AutoTokenizer

        base = str(check_weights())
        made: Any = AutoModel
        shape = AutoConfig.from_pretrained(base, local_files_only=True)  # nosec B615 # from this disk
        model = made.from_config(shape)
        try:
            model.load_state_dict(_checked_weights(self.folder / WEIGHTS))
        except Exception as error:
            raise _broken(self.folder, str(error)) from error
        tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)  # nosec B615 # from this disk
        return tokenizer, model.eval()


def identity_of(folder: Path) -> str:
    return f"{NAME}-tuned@{file_digest(folder / WEIGHTS)[:12]}"


def keep_weights(tensors: Mapping[str, Any], folder: Path) -> None:
    """Writes the weights of a MiniLM, torch tensors by name, so that `TunedEncoder` can be made from the folder."""
    from safetensors.torch import save

    content = save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, {"notes": json.dumps(NOTES)})
    write_beside(folder / WEIGHTS, content)


def _checked_weights(path: Path) -> dict[str, Any]:
    from safetensors import safe_open

    with safe_open(str(path), framework="pt") as file:
        notes = json.loads((file.metadata() or {})["notes"])
        if notes != NOTES:
            raise ValueError(f"they were trained as {notes}, and would be read as {NOTES}")
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict


def _broken(folder: Path, why: str) -> ArtefactBroken:
    return ArtefactBroken(f"The tuned encoder in {folder} cannot be used.", why=why, mend="train it again, see README.md")
