"""The personas on disk: JSON lines that people can read, with the vectors beside them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from persona_core.columns import Lines
from persona_core.files import write_lines
from persona_core.schema import Persona
from persona_core.text.encoder import IDENTITY, Matrix

PERSONAS, VECTORS = "personas.jsonl", "vectors.safetensors"


def text_of(persona: Persona) -> str:
    """What of a persona is encoded: the one text builder, for the index, for training and for serving.

    The rationale is left out: it repeats quotes, and people are matched as well without it.
    """
    return f"{persona.name}. {persona.description} {'; '.join(persona.traits)}".strip()


def write_personas_file(path: Path, personas: Iterable[Persona]) -> None:
    write_lines(path, (one.model_dump(mode="json") for one in personas))


def read_personas(path: Path) -> list[Persona]:
    return list(open_personas(path))


def open_personas(path: Path) -> Lines[Persona]:
    """The same, each made whenever it is asked for: for work over all of a large catalogue."""
    return Lines([line for line in path.read_bytes().splitlines() if line], Persona.model_validate_json)


def write_vectors(path: Path, matrix: Matrix) -> None:
    from safetensors.numpy import save_file

    save_file({"vectors": matrix}, str(path), {"encoder": IDENTITY})


def read_vectors(path: Path) -> Matrix:
    from safetensors.numpy import load_file

    matrix: Matrix = load_file(str(path))["vectors"]
    return matrix
