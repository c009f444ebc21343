"""Reads deploy/compose.yaml as `docker compose` does, with its variables filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "deploy" / "compose.yaml"
SECRETS = {"DATABASE_PASSWORD": "p@ss w/ord", "DESK_TOKEN": "a token of the desk"}
_VARIABLE = re.compile(r"\$(?:\$|\{([A-Z_]+)(?::([-?])([^}]*))?\})")


def compose(given: Mapping[str, str] = SECRETS) -> dict[str, Any]:
    """The whole file; a variable that must be given and is not is an error, as it is for Docker."""

    def filled(found: re.Match[str]) -> str:
        name, sign, rest = found.groups()
        if name is None:
            return "$"
        if given.get(name):
            return given[name]
        if sign == "?":
            raise KeyError(f"{name}: {rest}")
        return rest or ""

    def fill(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: fill(one) for key, one in value.items()}
        if isinstance(value, list):
            return [fill(one) for one in value]
        return _VARIABLE.sub(filled, value) if isinstance(value, str) else value

    found: dict[str, Any] = fill(yaml.safe_load(FILE.read_text("utf-8")))
    return found


def image_environment() -> dict[str, str]:
    """What the image says of its own, beside what a service is given."""
    text = (FILE.parent / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    lines = re.findall(r"^ENV (.*)$", text, re.MULTILINE)
    return dict(pair.split("=", 1) for line in lines for pair in line.split())


def services(given: Mapping[str, str] = SECRETS) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose(given)["services"]
    return found
