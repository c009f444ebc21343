"""The personas on disk: JSON lines that people can read, with the vectors beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import orjson

from persona_core.schema import Persona
from persona_core.text.encoder import IDENTITY, Matrix

PERSONAS, VECTORS = "personas.jsonl", "vectors.safetensors"


def text_of(persona: Persona) -> str:
    """What of a persona is encoded: the one text builder, for the index, for training and for serving.

    The rationale is left out: it repeats quotes, and people are matched as well without it.
    """
    return f"{persona.name}. {persona.description} {'; '.join(persona.traits)}".strip()


def write_personas_file(path: Path, personas: Sequence[Persona]) -> None:
    lines = (orjson.dumps(one.model_dump(mode="json"), option=orjson.OPT_APPEND_NEWLINE) for one in personas)
    path.write_bytes(b"".join(lines))


def read_personas(path: Path) -> list[Persona]:
    return [Persona.model_validate_json(line) for line in path.read_bytes().splitlines() if line]


def write_vectors(path: Path, matrix: Matrix) -> None:
    from safetensors.numpy import save_file

    save_file({"vectors": matrix}, str(path), {"encoder": IDENTITY})


def read_vectors(path: Path) -> Matrix:
    from safetensors.numpy import load_file

    matrix: Matrix = load_file(str(path))["vectors"]
    return matrix
